"""What an answer means: go on, try again, log in again, or end, with the sentence for it.

Bodies of answers never reach a message: only Salesforce's code does, with words of our own.
"""

from __future__ import annotations

import json
import re
from enum import Enum
from typing import Any, Final

from leadline.errors import ApiError, ApiLimitError, SalesforceError
from leadline.sources.salesforce.transport import Response


class Verdict(Enum):
    """What to do with an answer."""

    FINE = "fine"
    NOT_READY = "not ready"
    AGAIN = "again"
    LOG_IN = "log in"
    REFUSED = "refused"


NO_LOCATOR: Final = "INVALID_QUERY_LOCATOR"
LIMIT: Final = "REQUEST_LIMIT_EXCEEDED"
NO_TYPE: Final = "INVALID_TYPE"
NO_FIELD: Final = "INVALID_FIELD"
TOO_SLOW: Final = "QUERY_TIMEOUT"
MISSING: Final = "NOT_FOUND"
TOO_MANY_IDS: Final = "EXCEEDED_ID_LIMIT"

AGAIN_STATUS: Final = frozenset({406, 408, 420, 429, 500, 502, 503, 504})
"""406 and 420 come from the edge while an org is being set up; the others are the usual passing faults."""
AGAIN_CODES: Final = frozenset({"SERVER_UNAVAILABLE", "UNABLE_TO_LOCK_ROW", "UNKNOWN_EXCEPTION"})
NOT_READY_CODES: Final = frozenset({"JOB_NOT_COMPLETE"})

WORDS: Final = {
    NO_TYPE: "the object does not exist in this org, or the integration user may not see it",
    NO_FIELD: "a field was deleted, renamed, or hidden from the integration user while the pull ran",
    "MALFORMED_QUERY": "the query was not understood",
    TOO_SLOW: "the query ran for too long",
    NO_LOCATOR: "the place in the result expired",
    MISSING: "there is no such thing in this org",
    "UNSUPPORTED_API_VERSION": "this version of the API is no longer served",
    "API_DISABLED_FOR_ORG": "the edition of this org has no API",
    "API_CURRENTLY_DISABLED": "the API of this org is switched off at present",
    "INSUFFICIENT_ACCESS": "the integration user lacks a right",
    "INSUFFICIENT_ACCESS_OR_READONLY": "the integration user lacks a right",
    "FUNCTIONALITY_NOT_ENABLED": "this is not switched on in the org",
    TOO_MANY_IDS: "too many records were deleted to be listed",
    "LIMIT_EXCEEDED": "a limit of the org on jobs or queries is reached",
}


def code_of(response: Response) -> tuple[str, str]:
    """Salesforce's code and message of an answer that says no; empty where it has none of this form."""
    try:
        told = json.loads(response.body)
    except ValueError:
        return "", ""
    first: Any = told[0] if isinstance(told, list) and told else told
    if not isinstance(first, dict):
        return "", ""
    code = str(first.get("errorCode") or first.get("error") or "")
    return (code if re.fullmatch(r"\w{1,80}", code) else ""), str(
        first.get("message") or first.get("error_description") or ""
    )


def verdict(response: Response) -> Verdict:
    """What to do with an answer."""
    if response.status == 204:
        return Verdict.NOT_READY
    if 200 <= response.status < 300:
        return Verdict.FINE
    code, message = code_of(response)
    if code in NOT_READY_CODES:
        return Verdict.NOT_READY
    if code == LIMIT:
        # One code for two things: too many calls at this moment, and too many in 24 hours.
        return Verdict.AGAIN if "concurrent" in message.lower() else Verdict.REFUSED
    if response.status == 401 or code == "INVALID_SESSION_ID":
        return Verdict.LOG_IN
    if response.status in AGAIN_STATUS or code in AGAIN_CODES:
        return Verdict.AGAIN
    return Verdict.REFUSED


def refusal(response: Response, what: str) -> SalesforceError:
    """The exception for an answer that says no; `what` is what was asked, in words."""
    code, _ = code_of(response)
    if code == LIMIT:
        return ApiLimitError(
            f"The org has used up its API calls of the last 24 hours ({what}). Run the pull again later: it goes on where "
            "it stopped."
        )
    told = code or f"HTTP {response.status}"
    return ApiError(code or str(response.status), f"Salesforce refused {what}: {told}{_why(code)}.")


def _why(code: str) -> str:
    return f", {WORDS[code]}" if code in WORDS else ""
