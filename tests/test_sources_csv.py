"""CSV text against Python's `csv` module: cell for cell the same, or rejected with the line; none lost."""

from __future__ import annotations

import csv
import io
import random
import re
from collections.abc import Iterator

import pytest

from leadline.errors import SourceError
from leadline.sources.archives import SourceFile
from leadline.sources.batches import Again, Batch
from leadline.sources.csv_reader import CsvReader, Sizes
from leadline.sources.csv_scan import next_record, read_records
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


ALPHABET = [
    "a",
    "b",
    "1",
    " ",
    '"',
    ",",
    "\n",
    "\r",
    "\r\n",
    "é",
    "漢",
    "😀",
    "x" * 40,
    "''",
    ";",
    "\t",
    "\\",
    "\ufeff",
]


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


def lines(*rows: str) -> bytes:
    return ("\n".join(rows) + "\n").encode()


def test_an_unclosed_quote_costs_one_line():
    content = lines("Id,Name", 'a,"one', "b,two", 'c,"three"', "d,four")
    loaded, rejected = loaded_and_rejected(read(content)[1])
    assert rejected == {2: "a quote that is not closed"}
    assert loaded == {3: ("b", "two"), 4: ("c", "three"), 5: ("d", "four")}


def test_an_unclosed_quote_at_the_end_costs_one_line():
    loaded, rejected = loaded_and_rejected(read(lines("Id,Name", "a,1", 'b,"2', "c,3"))[1])
    assert rejected == {3: "a quote that is not closed"}
    assert loaded == {2: ("a", "1"), 4: ("c", "3")}


def test_the_column_of_a_misplaced_quote_is_named():
    (batch,) = read(lines("Id,Name,City", 'a,"b"c,d'))[1]
    assert [(one.line, one.column, one.reason, one.text) for one in batch.rejects] == [
        (2, "Name", "text after a closing quote", 'a,"b"c,d')
    ]


def test_a_quote_inside_an_unquoted_cell_is_a_character():
    loaded, rejected = loaded_and_rejected(read(lines("Id,Name", 'a,5" pipe', 'b,"x"'))[1])
    assert (loaded, rejected) == ({2: ("a", '5" pipe'), 3: ("b", "x")}, {})


def test_rows_of_another_width_are_rejected_with_their_line():
    loaded, rejected = loaded_and_rejected(read(lines("Id,Name", "a", "b,1", "c,1,2", '"d\ne",1', "f"))[1])
    assert loaded == {3: ("b", "1"), 5: ("d\ne", "1")}
    assert rejected == {
        2: "1 fields, the header has 2",
        4: "3 fields, the header has 2",
        7: "1 fields, the header has 2",
    }


def test_blank_lines_are_no_rows():
    reader, batches = read(b"\r\n\nId,Name\r\n\r\na,1\r\n\n\nb,2\r\n\r\n")
    loaded, rejected = loaded_and_rejected(batches)
    assert (loaded, rejected) == ({5: ("a", "1"), 8: ("b", "2")}, {})
    assert reader.count() == 2


def test_a_nul_byte_rejects_its_row():
    loaded, rejected = loaded_and_rejected(read(b"Id,Name\na,1\nb,\x00\nc,3\n")[1])
    assert (loaded, rejected) == ({2: ("a", "1"), 4: ("c", "3")}, {3: "a NUL byte"})


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_a_cell_of_ten_megabytes_is_read_whole(end: str):
    cell = ("long text, with " + end + '""quotes"" ') * 400_000
    content = f'Id,Name{end}a,"{cell}"{end}b,2{end}'.encode()
    assert len(cell) > 10_000_000
    loaded, rejected = loaded_and_rejected(read(content)[1])
    assert rejected == {}
    assert list(loaded.values()) == [("a", cell.replace('""', '"')), ("b", "2")]


def test_an_unclosed_quote_is_found_before_the_whole_file_is_in_memory():
    sizes = Sizes(segment=1000, tail=50, longest=5000, block=256)
    rows = [f"{number},x" for number in range(4000)]
    rows[10] = '10,"x'
    loaded, rejected = loaded_and_rejected(read(lines("Id,Name", *rows), sizes)[1])
    assert rejected == {12: "a quote that is not closed"}
    assert len(loaded) == 3999


def test_a_line_without_end_is_no_csv():
    sizes = Sizes(segment=1000, tail=50, longest=5000)
    with pytest.raises(SourceError, match="longer than 5,000 bytes"):
        read(b"Id,Name\n" + b"x" * 50_000 + b"\n", sizes)


def test_an_empty_file_has_no_columns_and_no_rows():
    for content in (b"", b"\n", b"\r\n\r\n", b"\xef\xbb\xbf"):
        reader, batches = read(content)
        assert (reader.names, batches, reader.count()) == ([], [], 0)


def test_a_file_of_a_header_has_columns_and_no_rows():
    for content in (b"Id,Name", b"Id,Name\n", b'"Id","Name"\r\n'):
        reader, batches = read(content)
        assert reader.names == ["Id", "Name"]
        assert loaded_and_rejected(batches) == ({}, {})


@pytest.mark.parametrize(("other", "spoken"), [(";", "semicolons"), ("\t", "tabs"), ("|", "bars")])
def test_another_delimiter_is_refused_with_the_option_that_settles_it(other: str, spoken: str):
    content = lines(other.join(["Id", "Name"]), other.join(["a", "1"]))
    with pytest.raises(SourceError, match=f"{spoken}.*delimiter = "):
        read(content)
    loaded, _ = loaded_and_rejected(read(content, delimiter=other)[1])
    assert loaded == {2: ("a", "1")}


def test_a_header_with_a_quote_at_fault_is_refused():
    with pytest.raises(SourceError, match="text after a closing quote in its field 2"):
        read(b'Id,"Na"me\na,1\n')
    with pytest.raises(SourceError, match="not closed"):
        read(b'Id,"Name\na,1\n')


FOOTER = (
    "",
    "",
    '"My report"',
    '"Copyright (c) 2000-2026 salesforce.com, inc. All rights reserved."',
    '"Confidential Information - Do Not Distribute"',
    '"Generated By:  Jo Doe  7/16/2026 3:13 PM"',
    '"Acme, Inc."',
)


@pytest.mark.parametrize("sizes", [Sizes(), Sizes(segment=64, tail=400)])
def test_the_footer_of_a_report_is_rejected_as_such(sizes: Sizes):
    rows = [f'"{number}","x"' for number in range(20)]
    loaded, rejected = loaded_and_rejected(read(lines('"Id","Name"', *rows, "alone", *rows, *FOOTER), sizes)[1])
    assert len(loaded) == 40
    assert rejected.pop(22) == "1 fields, the header has 2"
    assert list(rejected.items()) == [(line, "report footer") for line in range(45, 50)]


def test_the_footer_of_a_report_of_one_column_is_rejected_as_such():
    loaded, rejected = loaded_and_rejected(read(lines('"Id"', '"a"', '"b"', *FOOTER))[1])
    assert list(loaded.values()) == [("a",), ("b",)]
    assert set(rejected.values()) == {"report footer"}
    assert len(rejected) == 5


def test_words_of_a_footer_in_a_row_are_no_footer():
    loaded, rejected = loaded_and_rejected(
        read(lines("Id,Name", "a,Confidential Information - Do Not Distribute", "b,1"))[1]
    )
    assert (len(loaded), rejected) == (2, {})


def test_the_scan_finds_every_record_of_a_text():
    text = b'a,b\r\n"c\n",d\re,f\n"g""",\n'
    records = read_records(text, b",", last=True)
    assert records.ends.tolist() == [5, 12, 16, len(text)]
    assert records.fields.tolist() == [2, 2, 2, 2]
    assert records.faults == {}


@pytest.mark.parametrize("alphabet", ['a,"\n', 'a,"\n\r', 'aaaa,,"","\r\n', "ab,\n", "ab,\r\n"])
def test_the_scan_by_words_agrees_with_the_scan_by_fields(alphabet: str):
    """Whatever lies on the border of a block or of a word of 64 bytes."""
    rng = random.Random(alphabet)
    for _ in range(scaled(1500)):
        text = "".join(rng.choices(alphabet, k=rng.choice([3, 63, 64, 65, 130, 400]))).encode()
        last = rng.random() < 0.5
        found = read_records(text, b",", last=last, block=rng.choice([1, 3, 63, 64, 65, 128, 1 << 18]))
        start, slow = 0, []
        while start < len(text) and (record := next_record(text, b",", start, last=last)).end >= 0:
            slow.append(record)
            start = record.end
        assert found.ends.tolist() == [record.end for record in slow]
        good = [at for at, record in enumerate(slow) if record.fault is None]
        assert [int(found.fields[at]) for at in good] == [slow[at].fields for at in good]
        assert found.faults == {at: record.fault for at, record in enumerate(slow) if record.fault}


def test_the_scan_waits_for_the_rest_of_a_record():
    for text in (b'a,"b', b"a,b", b"a,b\r", b'a,"b"', b'a,"b""'):
        assert len(read_records(text, b",", last=False).ends) == 0
        assert len(read_records(text, b",", last=True).ends) == 1
        assert next_record(text, b",", 0, last=False).end == -1
        assert next_record(text, b",", 0, last=True).end >= len(text) - 1


def test_cells_of_several_lines_in_a_file_of_many_blocks():
    rows = [
        (str(number), f"first {number}\nsecond, with commas,,,\r\nthird {'x' * (number % 97)}")
        for number in range(90_000)
    ]
    content = "Id,Name\n" + "".join(f'{key},"{name}"\n' for key, name in rows)
    batches = read(content.encode(), Sizes(segment=1 << 24))[1]
    assert len(batches[0].table.column(0).chunks) > 1
    cells = zip(*(column.to_pylist() for column in batches[0].table.columns), strict=True)
    assert list(cells) == rows
    assert [batches[0].line(row) for row in (0, 1, 89_999)] == [2, 5, 2 + 3 * 89_999]
