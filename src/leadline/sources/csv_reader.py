"""CSV files: header, then segments of whole records, with bounded memory."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Generator, Iterator
from dataclasses import dataclass

import numpy as np

from leadline.errors import SourceError
from leadline.sources.archives import SourceFile
from leadline.sources.batches import Again, Batch
from leadline.sources.csv_scan import BLOCK, LONGEST, Records, next_record, read_records
from leadline.sources.csv_segment import Segment, is_utf8
from leadline.sources.encodings import Utf8Stream, encoding_of, recognise

_HEAD = 1 << 16
_LONGEST_HEADER = 1 << 20
_LINE_END = re.compile(rb"\r\n|\r|\n")
_OTHER_DELIMITERS = {";": "semicolons", "\t": "tabs", "|": "bars"}


@dataclass(frozen=True, slots=True)
class Sizes:
    """How many bytes are taken at once; tests make them small to meet every boundary.

    Attributes:
        segment: read at once.
        tail: end of a file that is seen as one piece, so that a report's footer is seen whole.
        longest: the longest record.
        block: scanned at once.
    """

    segment: int = 1 << 24
    tail: int = 1 << 16
    longest: int = LONGEST
    block: int = BLOCK


class CsvReader:
    """A CSV file with a header.

    Args:
        source: the file.
        delimiter: default a comma.
        encoding: default: what the bytes say.
        sizes: how many bytes are taken at once.
        remedy: how another delimiter is told, with {} in its place; default: by the settings of the workspace.

    Raises:
        SourceError: the header cannot be read, the delimiter is another one, or the bytes are not
            in the encoding declared.
    """

    def __init__(
        self,
        source: SourceFile,
        *,
        delimiter: str | None = None,
        encoding: str | None = None,
        sizes: Sizes | None = None,
        remedy: str | None = None,
    ) -> None:
        self._source = source
        self._remedy = remedy or f'write delimiter = {{}} in the table [files."{_plain(source.base)}"] of leadline.toml'
        self._delimiter = delimiter or ","
        self._mark = self._delimiter.encode()
        self._sizes = sizes or Sizes()
        self._encoding = encoding_of(source.open, encoding, source.name)
        self.notes = [self._encoding.note] if self._encoding.note else []
        self._header_end = self._header_lines = 0
        self.names = self._header()

    @property
    def encoding(self) -> str:
        """Name of the encoding that is used."""
        return self._encoding.codec

    def batches(self) -> Generator[Batch | Again, None, None]:
        """All rows, in order; `Again` once if the file turns out to be no UTF-8."""
        if not self.names:
            return
        with self._source.open() as raw:
            stream = Utf8Stream(raw, self._encoding, self._source.name)
            for segment in self._segments(stream):
                if not (self._encoding.settled or segment.is_utf8):
                    self._recognise()
                    self._header()
                    yield Again()
                    return
                yield segment.batch(min(1.0, stream.taken / max(1, self._source.size)), self._delimiter)

    def count(self) -> int:
        """Rows of the file, good and bad; blank lines are none."""
        with self._source.open() as raw:
            segments = self._segments(Utf8Stream(raw, self._encoding, self._source.name)) if self.names else ()
            return sum(segment.rows() for segment in segments)

    def _recognise(self) -> None:
        self._encoding = recognise(self._source.open)
        self.notes.append(self._encoding.note)

    def _segments(self, stream: Utf8Stream) -> Iterator[Segment]:
        sizes = self._sizes
        want = self._header_end + sizes.segment
        text = stream.read(want)
        last = len(text) < want
        text = text[self._header_end :]
        line = self._header_lines + 1
        while True:
            records = read_records(text, self._mark, last=last, block=sizes.block, longest=sizes.longest)
            records = records if last else _up_to(records, len(text) - sizes.tail)
            if len(records.ends):
                end = int(records.ends[-1])
                segment = Segment(text, records, line, len(self.names), self.names, last)
                yield segment
                text, line, want = text[end:], line + segment.lines(), sizes.segment
            elif len(text) > 2 * sizes.longest + sizes.tail:
                raise SourceError(
                    f"{self._source.name} line {line:,} is longer than {sizes.longest:,} bytes: this is no CSV file "
                    "of records, or its end is damaged."
                )
            else:
                want = max(sizes.segment, len(text))
            if last:
                return
            piece = stream.read(want)
            last = len(piece) < want
            text += piece

    def _header(self) -> list[str]:
        """Names of the columns; none if the file is empty."""
        with self._source.open() as raw:
            stream = Utf8Stream(raw, self._encoding, self._source.name)
            text, last, end = b"", False, -1
            while end < 0 and not last and len(text) <= _LONGEST_HEADER:
                piece = stream.read(_HEAD)
                last = len(piece) < _HEAD
                text += piece
                start = len(text) - len(text.lstrip(b"\r\n"))
                end = self._end_of_header(text, start, last) if start < len(text) or last else -1
        if end < 0:
            raise SourceError(
                f"The header of {self._source.name} does not end within {_LONGEST_HEADER:,} bytes: "
                "a quote in it is not closed, or this is no CSV file."
            )
        if not (self._encoding.settled or is_utf8(text, end)):
            self._recognise()
            return self._header()
        self._header_end = end
        self._header_lines = len(_LINE_END.findall(text, 0, end))
        return self._cells(text[start:end])

    def _end_of_header(self, text: bytes, start: int, last: bool) -> int:
        record = next_record(text, self._mark, start, last=last)
        if record.fault:
            raise SourceError(
                f"The header of {self._source.name} has {record.fault.reason} in its field {record.fault.field + 1}."
            )
        return record.end

    def _cells(self, header: bytes) -> list[str]:
        if not header:
            return []
        if 0 in header:
            raise SourceError(
                f"The header of {self._source.name} holds NUL bytes, as UTF-16 without a byte-order mark does. "
                "Declare its encoding, e.g. --encoding utf-16-le."
            )
        text = header.decode("utf-8", "replace")
        cells = [cell.strip() for cell in next(csv.reader(io.StringIO(text, newline=""), delimiter=self._delimiter))]
        for other, spoken in _OTHER_DELIMITERS.items():
            if len(cells) == 1 and other in cells[0] and other != self._delimiter:
                raise SourceError(
                    f"The header of {self._source.name} is one field with {spoken} in it: {text.strip()[:120]!r}. "
                    f"The delimiter is a comma unless told otherwise: {self._remedy.format(repr(other))}."
                )
        return cells


def _plain(text: str) -> str:
    """A text whose braces stay braces when it is formatted."""
    return text.replace("{", "{{").replace("}", "}}")


def _up_to(records: Records, limit: int) -> Records:
    """The records that end at `limit` or before."""
    count = int(np.searchsorted(records.ends, limit, "right"))
    faults = {index: fault for index, fault in records.faults.items() if index < count}
    return Records(records.ends[:count], records.fields[:count], faults, records.broken_lines)
