"""CSV text against Python's `csv` module: cell for cell the same, or rejected with the line; none lost."""

from __future__ import annotations

import csv
import io
import random
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from leadline.errors import SourceError
from leadline.sources.archives import SourceFile
from leadline.sources.batches import Again, Batch
from leadline.sources.csv_reader import CsvReader, Sizes
from leadline.sources.csv_scan import read_records
from tests.scale import scaled

Row = tuple[str | None, ...]
SMALL = Sizes(segment=97, tail=13, longest=1 << 20, block=31)
LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n|\Z)")


def source(content: bytes, name: str = "Lead.csv") -> SourceFile:
    """A file that exists in memory only."""
    return SourceFile(name, name, len(content), lambda: io.BytesIO(content))


def read(content: bytes, sizes: Sizes | None = None, **options) -> tuple[CsvReader, list[Batch]]:
    """All batches of a file; those from before a change of encoding are void."""
    reader = CsvReader(source(content), sizes=sizes, **options)
    batches: list[Batch] = []
    again = True
    while again:
        again, batches = False, []
        for batch in reader.batches():
            if isinstance(batch, Again):
                again = True
            else:
                batches.append(batch)
    return reader, batches


def loaded_and_rejected(batches: list[Batch]) -> tuple[dict[int, Row], dict[int, str]]:
    """Rows and reasons by line of the file."""
    loaded: dict[int, Row] = {}
    rejected: dict[int, str] = {}
    for batch in batches:
        rows = zip(*(column.to_pylist() for column in batch.table.columns), strict=True)
        loaded |= {batch.line(index): row for index, row in enumerate(rows)}
        assert not rejected.keys() & {one.line for one in batch.rejects}
        rejected |= {one.line: one.reason for one in batch.rejects}
    return loaded, rejected


def lines_of(text: str) -> list[str]:
    """Physical lines with their ends."""
    return [line for line in LINE.findall(text) if line]


def reference(text: str, delimiter: str = ",") -> Iterator[tuple[int, list[str] | None]]:
    """(line, cells) by Python's strict reader; cells are None where it finds a quote at fault.

    It starts afresh with the line after the one on which the faulty record began.
    """
    lines = lines_of(text)
    at = 0
    while at < len(lines):
        reader = csv.reader(lines[at:], strict=True, delimiter=delimiter)
        before = 0
        while True:
            start = at + before
            try:
                cells = next(reader)
            except StopIteration:
                return
            except csv.Error:
                yield start + 1, None
                break
            before = reader.line_num
            yield start + 1, cells
        at = start + 1


def expected(text: str, width: int) -> tuple[dict[int, Row], set[int]]:
    """Rows by line, and lines of rejected rows, for the text below the header."""
    loaded: dict[int, Row] = {}
    rejected: set[int] = set()
    for line, cells in reference(text):
        if cells is not None and not cells:
            continue
        if cells is None or len(cells) != width or any("\0" in cell for cell in cells):
            rejected.add(line)
        else:
            loaded[line] = tuple(cell or None for cell in cells)
    return loaded, rejected


ALPHABET = ["a", "b", "1", " ", '"', ",", "\n", "\r", "\r\n", "é", "漢", "😀", "x" * 40, "''", ";", "\t", "\\", "\ufeff"]


def cell(rng: random.Random) -> str:
    return "".join(rng.choice(ALPHABET) for _ in range(rng.choice([0, 0, 1, 2, 3, 8])))


def written(value: str, rng: random.Random, quote_all: bool) -> str:
    """A cell as some tool writes it: quoted where it must be, or always."""
    must = any(mark in value for mark in '",\r\n')
    return '"' + value.replace('"', '""') + '"' if must or quote_all or rng.random() < 0.1 else value


def valid_file(rng: random.Random) -> tuple[str, int]:
    """Text of a file (header first) and its number of columns."""
    width = rng.choice([1, 2, 3, 7])
    quote_all = rng.random() < 0.3
    ends = rng.choice([["\n"], ["\r\n"], ["\r"], ["\n", "\r\n"], ["\n", "\r\n", "\r"]])
    lines = [",".join(f"f{index}" for index in range(width))]
    for _ in range(rng.choice([0, 1, 3, 12, 40])):
        cells = [written(cell(rng), rng, quote_all) for _ in range(width)]
        lines.append(",".join(cells) or '""')
    text = "".join(line + rng.choice(ends) for line in lines)
    return (text.rstrip("\r\n") if rng.random() < 0.3 and not text.endswith('"') else text), width


def mutated(text: str, rng: random.Random) -> str:
    """The text with some characters lost, added or doubled, the header left alone."""
    head = re.match(r"[^\r\n]*(\r\n|\r|\n)", text)
    if head is None:
        return text
    start = head.end()
    body = list(text[start:])
    for _ in range(rng.choice([1, 1, 2, 5])):
        at = rng.randrange(len(body) + 1)
        what = rng.choice(["insert", "delete", "swap", "cut"])
        if what == "insert":
            body.insert(at, rng.choice(['"', '"', ",", "\n", "\r", "\0", '""']))
        elif what == "delete" and body:
            del body[min(at, len(body) - 1)]
        elif what == "swap" and body:
            body[min(at, len(body) - 1)] = rng.choice(['"', ",", "\n", "x"])
        elif what == "cut":
            del body[at : at + rng.randrange(8)]
    return text[:start] + "".join(body)


def below_header(text: str) -> tuple[str, int]:
    """The text below the first line, and that line's number."""
    head = lines_of(text)[0]
    return text[len(head) :], 1


def assert_like_python(text: str, width: int, sizes: Sizes) -> None:
    body, header_lines = below_header(text)
    rows, bad = expected(body, width)
    loaded, rejected = loaded_and_rejected(read(text.encode(), sizes)[1])
    assert loaded == {line + header_lines: row for line, row in rows.items()}, text
    assert rejected.keys() == {line + header_lines for line in bad}, text


def test_generated_files_are_read_as_python_reads_them():
    rng = random.Random(20261123)
    for number in range(scaled(5000)):
        text, width = valid_file(rng)
        sizes = SMALL if number % 2 else Sizes(segment=rng.randrange(20, 400), tail=rng.randrange(0, 40), block=7)
        assert_like_python(text, width, sizes)


def test_no_row_of_a_valid_file_is_rejected():
    rng = random.Random(7)
    for _ in range(scaled(500)):
        text, _ = valid_file(rng)
        assert loaded_and_rejected(read(text.encode(), SMALL)[1])[1] == {}


def test_mutated_files_lose_nothing():
    rng = random.Random(41)
    for number in range(scaled(1000)):
        text, width = valid_file(rng)
        sizes = SMALL if number % 3 else Sizes()
        assert_like_python(mutated(text, rng), width, sizes)
