"""Record ids: 15 characters with a checksum of three."""

from __future__ import annotations

import re
from typing import Final

from leadline_double.problems import ApiError

_CHECK: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"
_DIGITS: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_INSTANCE: Final = "Dd0"
_ID: Final = re.compile(r"[A-Za-z0-9]{15}([A-Za-z0-9]{3})?")

PREFIXES: Final = {
    "Account": "001", "AccountHistory": "017", "Campaign": "701", "CampaignHistory": "017", "CampaignInfluence": "0AN",
    "CampaignInfluenceModel": "03V", "CampaignMember": "00v", "CampaignMemberStatus": "01Y", "Contact": "003",
    "ContactHistory": "017", "CurrencyType": "01L", "DatedConversionRate": "04w", "Event": "00U", "Lead": "00Q",
    "LeadHistory": "017", "LeadStatus": "01J", "Opportunity": "006", "OpportunityContactRole": "00K",
    "OpportunityFieldHistory": "017", "OpportunityHistory": "008", "OpportunityStage": "01J", "Organization": "00D",
    "RecordType": "012", "Task": "00T", "User": "005",
}  # fmt: skip
"""Object → first three characters of its ids."""


def long_id(short: str) -> str:
    """18 characters from 15: each of the last three tells which of five characters are capitals."""
    check = ""
    for start in (0, 5, 10):
        group = short[start : start + 5]
        check += _CHECK[sum(1 << place for place, letter in enumerate(group) if "A" <= letter <= "Z")]
    return short + check


def normal_id(text: object, field: str) -> str:
    """An id of 18 characters from one of 15 or 18.

    Raises:
        ApiError: MALFORMED_ID.
    """
    if not isinstance(text, str) or not _ID.fullmatch(text):
        raise ApiError("MALFORMED_ID", f"{field}: id value of incorrect type: {text}", fields=[field])
    return long_id(text[:15])


class Numbering:
    """Gives out ids that no other object of the org has."""

    def __init__(self) -> None:
        self._next = 0

    def new(self, prefix: str) -> str:
        """The next id of 18 characters; ids sort by bytes in the order they were given out."""
        self._next += 1
        number, digits = self._next, ""
        for _ in range(9):
            number, rest = divmod(number, 62)
            digits = _DIGITS[rest] + digits
        return long_id(prefix + _INSTANCE + digits)
