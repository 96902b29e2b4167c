"""Salesforce record ids: key prefix, running number in base 62, checksum of three characters.

The first 15 characters are case-sensitive; each of the last three tells which characters of a
group of five are capitals, so that the 18 characters differ without regard to case too.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

PREFIX: Final[dict[str, str]] = {
    "Account": "001",
    "Campaign": "701",
    "CampaignInfluence": "0KK",
    "CampaignInfluenceModel": "03V",
    "CampaignMember": "00v",
    "CampaignMemberStatus": "01Y",
    "Contact": "003",
    "ContactHistory": "017",
    "CurrencyType": "01L",
    "DatedConversionRate": "04w",
    "Event": "00U",
    "Lead": "00Q",
    "LeadHistory": "017",
    "LeadStatus": "01J",
    "Opportunity": "006",
    "OpportunityContactRole": "00K",
    "OpportunityFieldHistory": "017",
    "OpportunityHistory": "008",
    "OpportunityStage": "01J",
    "Organization": "00D",
    "Profile": "00e",
    "RecordType": "012",
    "Task": "00T",
    "User": "005",
    "UserRole": "00E",
}
"""Object → first three characters of its ids."""

BLOCK_STRIDE: Final = 10_000_000
"""Distance between the running numbers of two blocks of people."""

_SHARED_PREFIX_OFFSET: Final[dict[str, int]] = {
    "ContactHistory": 3_000_000_000_000,
    "OpportunityFieldHistory": 6_000_000_000_000,
    "OpportunityStage": 3_000_000_000_000,
}
_INSTANCE: Final = b"Hs0"
_FIRST_NUMBER: Final = 17_000_000_000
_DIGITS: Final = np.frombuffer(b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz", np.uint8)
_CHECK: Final = np.frombuffer(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ012345", np.uint8)
_GROUP: Final = 62**3
_triples: Final = np.stack([_DIGITS[(np.arange(_GROUP) // 62**power) % 62] for power in (2, 1, 0)], axis=1)
_capitals: Final = ((_triples >= ord("A")) & (_triples <= ord("Z"))).astype(np.uint8)


def encode(object_name: str, numbers: NDArray[np.int64]) -> NDArray[np.uint8]:
    """Ids as bytes, shape (n, 18).

    Ids of one object sort by bytes as their numbers do: the digits are in ASCII order.

    Args:
        object_name: a key of `PREFIX`.
        numbers: running numbers ≥ 0, shape (n,).
    """
    value = numbers + (_FIRST_NUMBER + _SHARED_PREFIX_OFFSET.get(object_name, 0))
    out = np.empty((len(value), 18), np.uint8)
    head = np.frombuffer(PREFIX[object_name].encode() + _INSTANCE, np.uint8)
    out[:, :6] = head
    capitals = np.zeros((len(value), 15), np.uint8)
    capitals[:, :6] = (head >= ord("A")) & (head <= ord("Z"))
    for start in (12, 9, 6):
        value, rest = np.divmod(value, _GROUP)
        out[:, start : start + 3] = _triples[rest]
        capitals[:, start : start + 3] = _capitals[rest]
    for group in range(3):
        bits = capitals[:, 5 * group : 5 * group + 5]
        code = bits[:, 0] + 2 * bits[:, 1] + 4 * bits[:, 2] + 8 * bits[:, 3] + 16 * bits[:, 4]
        out[:, 15 + group] = _CHECK[code]
    return out


def text(object_name: str, numbers: NDArray[np.int64]) -> pa.StringArray:
    """Ids as an Arrow text column; a negative number is a null.

    Args:
        object_name: a key of `PREFIX`.
        numbers: running numbers, shape (n,).
    """
    return fixed_width(encode(object_name, np.maximum(numbers, 0)), numbers >= 0)


def one(object_name: str, number: int) -> str:
    """A single id."""
    return str(encode(object_name, np.array([number], np.int64)).tobytes().decode())


def fixed_width(characters: NDArray[np.uint8], valid: NDArray[np.bool_] | None = None) -> pa.StringArray:
    """Rows of ASCII characters, shape (n, width), as an Arrow text column without copying.

    Args:
        characters: C-contiguous, one row per value.
        valid: shape (n,); False is a null. Without it every row is a value.
    """
    rows, width = characters.shape
    offsets = np.arange(rows + 1, dtype=np.int32) * np.int32(width)
    bitmap = None if valid is None or bool(valid.all()) else pa.py_buffer(np.packbits(valid, bitorder="little"))
    buffers = [bitmap, pa.py_buffer(offsets), pa.py_buffer(np.ascontiguousarray(characters))]
    return pa.Array.from_buffers(pa.string(), rows, buffers)
