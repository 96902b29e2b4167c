"""A recording of an org's answers with every value masked: it shows forms, never contents.

What a reader of the API relies on stays: keys, types, codes, names of objects and fields, lengths
and punctuation of values. Letters of values become x, digits 0; ids become other ids, the same one
for the same id, so that references still meet.
"""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from leadline.sources.salesforce.transport import Request, Response, Transport

_KEPT: Final = frozenset(
    {
        "type",
        "name",
        "errorCode",
        "error",
        "state",
        "soapType",
        "compoundFieldName",
        "referenceTo",
        "relationshipName",
        "keyPrefix",
        "version",
        "encoding",
        "operation",
        "object",
        "contentType",
        "columnDelimiter",
        "lineEnding",
        "concurrencyMode",
        "jobType",
    }
)
_ID: Final = re.compile(r"(?<![0-9A-Za-z])[0-9A-Za-z]{5}0[0-9A-Za-z]{9}(?:[A-Z0-5]{3})?(?![0-9A-Za-z])")
_HEADERS: Final = ("content-type", "sforce-locator", "sforce-numberofrecords", "sforce-limit-info")
_QUOTED: Final = re.compile(r"'[^']*'")
_VALUE: Final = re.compile(r'"((?:[^"]|"")*)"')


class Recorder:
    """Passes requests on and keeps masked pairs; logins are not kept."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport
        self._pairs: list[dict[str, Any]] = []

    def send(self, request: Request) -> Response:
        """Send a request once, and keep what it was and what came."""
        response = self._transport.send(request)
        parts = urlsplit(request.url)
        if not parts.path.startswith("/services/oauth2"):
            self._pairs.append(_pair(request.method, parts.path, parts.query, response))
        return response

    def save(self, path: Path) -> None:
        """Write the pairs as JSON."""
        path.write_text(json.dumps(self._pairs, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def _pair(method: str, path: str, query: str, response: Response) -> dict[str, Any]:
    text = response.body.decode("utf-8", errors="replace")
    csv = response.headers.get("content-type", "").startswith("text/csv")
    return {
        "method": method,
        "path": _ID.sub(lambda found: _other_id(found[0]), path),
        "query": _QUOTED.sub("'…'", query.replace("%27", "'")),
        "status": response.status,
        "headers": {name: response.headers[name] for name in _HEADERS if name in response.headers},
        "body": _masked_csv(text) if csv else _masked_json(text),
    }


def _masked_json(text: str) -> Any:
    try:
        return _masked(json.loads(text), "")
    except ValueError:
        return "(no JSON)" if text else ""


def _masked(value: Any, key: str) -> Any:
    if isinstance(value, dict):
        return {name: _masked(one, name) for name, one in value.items()}
    if isinstance(value, list):
        return [_masked(one, key) for one in value]
    if isinstance(value, str) and key not in _KEPT:
        return mask(value)
    if isinstance(value, float) or (isinstance(value, int) and not isinstance(value, bool)):
        return (
            value
            if key in ("Max", "Remaining", "totalSize", "length", "precision", "scale", "digits")
            else type(value)(0)
        )
    return value


def _masked_csv(text: str) -> str:
    header, _, rest = text.partition("\n")
    return header + "\n" + _VALUE.sub(lambda found: '"' + mask(found[1]) + '"', rest)


def mask(value: str) -> str:
    """A value without its content: ids as other ids, letters as x, digits as 0; `true` and `false` stay."""
    if value in ("true", "false", "null", ""):
        return value
    if _ID.fullmatch(value):
        return _other_id(value)
    masked = re.sub(r"[^\W\d_]", "x", re.sub(r"\d", "0", value))
    # The T and the Z of an instant are form.
    return re.sub(
        r"^(0000-00-00)x(00:00:00[0.]*)x?",
        lambda found: f"{found[1]}T{found[2]}{'Z' if value.endswith('Z') else ''}",
        masked,
    )


def _other_id(value: str) -> str:
    digest = hashlib.sha256(value[:15].encode()).hexdigest()
    return (value[:3] + digest[:12] + "AAA")[: len(value)]
