"""Where the records of CSV text end, found by array operations and proved, never sniffed.

The grammar: fields divided by the delimiter; a field that begins with a quote runs to the next
single quote, two quotes inside stand for one, and what follows the closing quote must be a
delimiter, a line end or the end of the text; a quote elsewhere is an ordinary character. A line
ends with LF, CR or CR LF. This is what Python's `csv` reads with `strict=True`.

A record whose quotes break that grammar ends with its first line: the next line starts afresh, so
that one forgotten quote costs one line and not the rest of the file.

`read_records` does nearly all by `_outline`, which turns blocks that fit into a processor's cache
into bits and looks at 64 bytes at once; from the first quote that is out of place `next_record` goes on by pattern matching, for one
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
Words = npt.NDArray[np.uint64]

QUOTE: Final = 0x22
LF: Final = 0x0A
CR: Final = 0x0D
BLOCK: Final = 1 << 19
LONGEST: Final = 1 << 26
"""Bytes of the longest record; a quote that is still open after so much was never closed."""

_WORD: Final = np.uint64
_OF_EIGHT: Final = np.dtype("<u8")
"""A word as it is made of eight octets of bits; the same on any machine."""
_NONE, _ONE, _TOP, _ALL = _WORD(0), _WORD(1), _WORD(63), _WORD(2**64 - 1)

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
    view = _View(data, start, delimiter[0], text.find(b'"', start) >= 0, text.find(b"\r", start) >= 0, last)
    ends: list[Offsets] = []
    fields: list[Offsets] = []
    inside = open_delimiters = 0
    sound, quoted_lines = True, False
    for first in range(start, len(data), block):
        marks, wrong = view.marks(first, min(first + block, len(data)), inside)
        if wrong >= 0:
            marks, _ = view.marks(first, wrong, inside)
            sound = False
        at = _positions(marks.ends)
        before = _counted(marks.delimiters, at)
        ends.append(at + (first + 1))
        fields.append(np.diff(before, prepend=-open_delimiters) + 1)
        rest = int(np.bitwise_count(marks.delimiters).sum())
        open_delimiters = rest - int(before[-1]) if len(at) else open_delimiters + rest
        inside, quoted_lines = marks.inside, quoted_lines or marks.quoted_lines
        if not sound:
            break
    all_ends, all_fields = _joined(ends), _joined(fields)
    sound = sound and not (last and inside)
    if sound and last and (int(all_ends[-1]) if len(all_ends) else start) < len(data):
        all_ends = np.append(all_ends, len(data))
        all_fields = np.append(all_fields, open_delimiters + 1)
    return _Outline(all_ends, all_fields, sound, quoted_lines)


class _Marks(NamedTuple):
    """Bits of a block: ends of records and delimiters of fields, and what is open behind it."""

    ends: Words
    delimiters: Words
    inside: int
    quoted_lines: bool


@dataclass(frozen=True, slots=True)
class _View:
    """A text as bits, 64 bytes to a word: what is true of a byte is a bit of a word of its own kind.

    That a byte lies inside a cell in quotes is then six shifts per word (the running parity of
    quotes), and what stands beside a byte is the bit beside it.
    """

    data: Bytes
    start: int
    delimiter: int
    quotes: bool
    returns: bool
    last: bool

    def marks(self, first: int, end: int, inside: int) -> tuple[_Marks, int]:
        """The marks of `data[first:end]` and the offset of the first quote out of place, −1 without one.

        Quotes open and close in turn; `inside` says that the first one closes. A quote that opens
        stands at `start` or after a delimiter or line end, or it is the second of a pair; one that
        closes stands before one of those, or is the first of a pair.
        """
        delimiters, ends = self._bits(first, end, self.delimiter), self._bits(first, end, LF)
        bounds = delimiters | ends
        if first == end:
            return _Marks(ends, delimiters, inside, False), -1
        if self.returns:
            returns = self._bits(first, end, CR)
            bounds |= returns
            ends = ends | (returns & ~self._after(ends, first, end, (LF,), at_end=not self.last))
        if not self.quotes:
            return _Marks(ends, delimiters, inside, False), -1
        quotes = self._bits(first, end, QUOTE)
        within, now_inside = _parity(quotes, inside)
        lines_within = bool((within & bounds & ~delimiters).any())
        bounds |= quotes
        near = (self.delimiter, LF, CR, QUOTE)
        wrong = quotes & within & ~self._before(bounds, first, near)
        wrong |= quotes & ~within & ~self._after(bounds, first, end, near, at_end=True)
        found = first + int(_positions(wrong)[0]) if wrong.any() else -1
        return _Marks(ends & ~within, delimiters & ~within, now_inside, lines_within), found

    def _bits(self, first: int, end: int, value: int) -> Words:
        packed = np.packbits(self.data[first:end] == value, bitorder="little")
        words = np.zeros(-(-len(packed) // 8), _OF_EIGHT)
        words.view(np.uint8)[: len(packed)] = packed
        return words

    def _after(self, bits: Words, first: int, end: int, values: tuple[int, ...], *, at_end: bool) -> Words:
        """Bytes with one of `bits` right after them; behind the block it is one of `values`, or the text's end."""
        beside = bits >> _ONE
        beside[:-1] |= bits[1:] << _TOP
        if at_end if end == len(self.data) else int(self.data[end]) in values:
            beside[-1] |= _ONE << _WORD((end - first - 1) & 63)
        return beside

    def _before(self, bits: Words, first: int, values: tuple[int, ...]) -> Words:
        """Bytes with one of `bits` right before them; before the block it is one of `values`, or the start."""
        beside = bits << _ONE
        beside[1:] |= bits[:-1] >> _TOP
        if first == self.start or int(self.data[first - 1]) in values:
            beside[0] |= _ONE
        return beside


def _parity(quotes: Words, inside: int) -> tuple[Words, int]:
    """Per byte whether it lies from an opening quote to before the closing one, and so behind the last."""
    within = quotes.copy()
    for shift in (1, 2, 4, 8, 16, 32):
        within ^= within << _WORD(shift)
    odd = np.bitwise_xor.accumulate(within >> _TOP) ^ _WORD(inside)
    within[0] ^= _ALL if inside else _NONE
    within[1:] ^= odd[:-1] * _ALL
    return within, int(odd[-1])


def _positions(bits: Words) -> Offsets:
    """Offsets of the bits that are set."""
    octets = bits.view(np.uint8)
    some = np.flatnonzero(octets)
    at = np.flatnonzero(np.unpackbits(octets[some], bitorder="little"))
    return some[at >> 3] * 8 + (at & 7)


def _counted(bits: Words, at: Offsets) -> Offsets:
    """How many bits are set before each of some offsets."""
    words = np.cumsum(np.bitwise_count(bits), dtype=np.int64)
    own = at >> 6
    upto = (_ONE << (at & 63).astype(_WORD)) - _ONE
    counted: Offsets = words[own] - np.bitwise_count(bits[own] & ~upto)
    return counted


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
