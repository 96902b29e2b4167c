"""Where the records of CSV text end, found by array operations and proved, never sniffed.

The grammar: fields divided by the delimiter; a field that begins with a quote runs to the next
single quote, two quotes inside stand for one, and what follows the closing quote must be a
delimiter, a line end or the end of the text; a quote elsewhere is an ordinary character. A line
ends with LF, CR or CR LF. This is what Python's `csv` reads with `strict=True`.

A record whose quotes break that grammar ends with its first line: the next line starts afresh, so
that one forgotten quote costs one line and not the rest of the file.

`read_records` does nearly all by `_outline`, which looks at blocks that fit into a processor's
cache; from the first quote that is out of place `next_record` goes on by pattern matching, for one
record, then two, then four …, before arrays take over again.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

Bytes = npt.NDArray[np.uint8]
Offsets = npt.NDArray[np.int64]

QUOTE: Final = 0x22
LF: Final = 0x0A
CR: Final = 0x0D
BLOCK: Final = 1 << 18
LONGEST: Final = 1 << 26
"""Bytes of the longest record; a quote that is still open after so much was never closed."""

UNCLOSED: Final = "a quote that is not closed"
AFTER_QUOTE: Final = "text after a closing quote"


class Fault(NamedTuple):
    """What is wrong with the quotes of a record, and in which field (from 0)."""

    field: int
    reason: str


@dataclass(slots=True)
class Records:
    """Complete records at the beginning of a text, in order.

    Attributes:
        ends: offset just past each record's line end; a record starts where the one before ended.
        fields: number of fields of each record.
        faults: faults of quoting by index of the record.
        broken_lines: whether a line end may stand inside a record.
    """

    ends: Offsets
    fields: Offsets
    faults: dict[int, Fault]
    broken_lines: bool


class Record(NamedTuple):
    """One record: where it ends, its fields, its fault; `end` −1 if the text ends before it does."""

    end: int
    fields: int
    fault: Fault | None


class _Outline(NamedTuple):
    ends: Offsets
    fields: Offsets
    sound: bool
    quoted_lines: bool


def read_records(text: bytes, delimiter: bytes, *, last: bool, block: int = BLOCK, longest: int = LONGEST) -> Records:
    """All complete records of `text`, which starts at the start of a record.

    `last` says that nothing follows `text`; then its end ends a record. A record longer than
    `longest` bytes counts as one whose quote was not closed.
    """
    ends: list[Offsets] = []
    fields: list[Offsets] = []
    faults: dict[int, Fault] = {}
    start = found = 0
    stretch = 1
    broken_lines = False
    while start < len(text):
        outline = _outline(text, start, delimiter, last, block)
        ends.append(outline.ends)
        fields.append(outline.fields)
        found += len(outline.ends)
        start = int(outline.ends[-1]) if len(outline.ends) else start
        broken_lines = broken_lines or outline.quoted_lines
        if outline.sound and len(text) - start < longest:
            break
        odd = _odd_records(text, delimiter, start, stretch, last=last, longest=longest)
        if not odd:
            break
        faults |= {found + index: record.fault for index, record in enumerate(odd) if record.fault}
        ends.append(np.array([record.end for record in odd], np.int64))
        fields.append(np.array([record.fields for record in odd], np.int64))
        found += len(odd)
        start = odd[-1].end
        stretch *= 2
    return Records(_joined(ends), _joined(fields), faults, broken_lines or stretch > 1)


def _joined(parts: list[Offsets]) -> Offsets:
    return np.concatenate(parts) if parts else np.empty(0, np.int64)


def _odd_records(text: bytes, delimiter: bytes, start: int, count: int, *, last: bool, longest: int) -> list[Record]:
    records: list[Record] = []
    while len(records) < count and start < len(text):
        record = next_record(text, delimiter, start, last=last, longest=longest)
        if record.end < 0:
            break
        records.append(record)
        start = record.end
    return records


def _outline(text: bytes, start: int, delimiter: bytes, last: bool, block: int) -> _Outline:
    """Ends and field counts of the records from `start` on, up to the first quote out of place."""
    data = np.frombuffer(text, np.uint8)
    mark = delimiter[0]
    quotes, returns = text.find(b'"', start) >= 0, text.find(b"\r", start) >= 0
    ends: list[Offsets] = []
    fields: list[Offsets] = []
    inside = open_fields = 0
    sound, quoted_lines = True, False
    for first in range(start, len(data), block):
        at, marks = _marks(data, first, block, mark, quotes, returns)
        if quotes and len(at):
            quote = marks == QUOTE
            state = np.bitwise_xor.accumulate(quote.view(np.uint8)) ^ np.uint8(inside)
            wrong = _misplaced(data, start, at[quote], inside, mark)
            inside = int(state[-1])
            if wrong >= 0:
                upto = int(np.searchsorted(at, wrong))
                at, marks, state, sound = at[:upto], marks[:upto], state[:upto], False
            quoted_lines = quoted_lines or bool(np.any((state == 1) & ((marks == LF) | (marks == CR))))
            outside = (state == 0) & (marks != QUOTE)
            at, marks = at[outside], marks[outside]
        if returns:
            at, marks = _without_paired_returns(data, at, marks, last)
        closing = np.flatnonzero(marks != mark)
        ends.append(at[closing] + 1)
        fields.append(np.diff(closing, prepend=-1 - open_fields))
        open_fields = len(at) - 1 - int(closing[-1]) if len(closing) else open_fields + len(at)
        if not sound:
            break
    all_ends, all_fields = _joined(ends), _joined(fields)
    sound = sound and not (last and inside)
    if sound and last and (int(all_ends[-1]) if len(all_ends) else start) < len(data):
        all_ends = np.append(all_ends, len(data))
        all_fields = np.append(all_fields, open_fields + 1)
    return _Outline(all_ends, all_fields, sound, quoted_lines)


def _marks(data: Bytes, first: int, block: int, delimiter: int, quotes: bool, returns: bool) -> tuple[Offsets, Bytes]:
    piece = data[first : first + block]
    mask = piece == delimiter
    mask |= piece == LF
    if quotes:
        mask |= piece == QUOTE
    if returns:
        mask |= piece == CR
    at = np.flatnonzero(mask)
    return at + first, piece[at]


def _misplaced(data: Bytes, start: int, quotes: Offsets, inside: int, delimiter: int) -> int:
    """Offset of the first of some quotes that neither opens, closes nor doubles; −1 without one.

    They open and close in turn; `inside` says that the first one closes. A quote that opens stands
    at `start` or after a delimiter or line end, or it is the second of a pair; one that closes
    stands before one of those, or is the first of a pair.
    """
    opening, closing = quotes[inside::2], quotes[1 - inside :: 2]
    before = data[np.maximum(opening - 1, 0)]
    after = data[np.minimum(closing + 1, len(data) - 1)]
    bad_opening = opening[~_bounds(before, delimiter) & (opening > start)]
    bad_closing = closing[~_bounds(after, delimiter) & (closing + 1 < len(data))]
    wrong = [int(part[0]) for part in (bad_opening, bad_closing) if len(part)]
    return min(wrong, default=-1)


def _bounds(near: Bytes, delimiter: int) -> npt.NDArray[np.bool_]:
    bounds: npt.NDArray[np.bool_] = (near == delimiter) | (near == QUOTE) | (near == LF) | (near == CR)
    return bounds


def _without_paired_returns(data: Bytes, at: Offsets, marks: Bytes, last: bool) -> tuple[Offsets, Bytes]:
    """Drop each CR that a LF follows, and a CR at the very end as long as a LF may still follow."""
    following = data[np.minimum(at + 1, len(data) - 1)] == LF
    at_end = at + 1 == len(data)
    paired = (marks == CR) & np.where(at_end, not last, following)
    return at[~paired], marks[~paired]


@cache
def _patterns(delimiter: bytes) -> tuple[re.Pattern[bytes], re.Pattern[bytes], re.Pattern[bytes]]:
    mark = re.escape(delimiter)
    quoted = rb'"[^"]*+(?:""[^"]*+)*+"'
    plain = rb'(?!")[^' + mark + rb"\r\n]*+"
    return re.compile(quoted), re.compile(plain), re.compile(rb"\r\n|\r|\n")


def next_record(text: bytes, delimiter: bytes, start: int, *, last: bool, longest: int = LONGEST) -> Record:
    """The record that starts at `start`, field by field."""
    quoted, plain, line_end = _patterns(delimiter)
    waits = not last and len(text) - start < longest
    at, fields = start, 0
    while True:
        field = plain.match(text, at) or quoted.match(text, at)
        if field is None:
            return _open(fields + 1) if waits else _first_line(text, start, last, Fault(fields, UNCLOSED), line_end)
        at = field.end()
        fields += 1
        if text[at : at + 1] == delimiter:
            at += 1
        elif end := line_end.match(text, at):
            halved = end.group() == b"\r" and end.end() == len(text) and not last
            return _open(fields) if halved else Record(end.end(), fields, None)
        elif at < len(text):
            # A cell that goes over a line end and then breaks is most likely two: its quote was forgotten.
            reason = UNCLOSED if line_end.search(field.group()) else AFTER_QUOTE
            return _first_line(text, start, last, Fault(fields - 1, reason), line_end)
        elif last:
            return Record(at, fields, None)
        else:
            return _open(fields) if waits else _first_line(text, start, last, Fault(fields - 1, UNCLOSED), line_end)


def _open(fields: int) -> Record:
    """A record that the text does not finish."""
    return Record(-1, fields, None)


def _first_line(text: bytes, start: int, last: bool, fault: Fault, line_end: re.Pattern[bytes]) -> Record:
    """A record whose quotes are at fault: it ends with its first line."""
    end = line_end.search(text, start)
    cut = end is None or (end.group() == b"\r" and end.end() == len(text))
    if cut and not last:
        return _open(fault.field + 1)
    return Record(len(text) if end is None else end.end(), fault.field + 1, fault)
