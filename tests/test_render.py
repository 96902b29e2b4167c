"""Terminal, CSV, Parquet and XLSX hold the numbers of the result and nothing that runs."""

import csv
import io
import json
import re
import zipfile
from dataclasses import replace
from xml.etree import ElementTree

import pyarrow.parquet as pq
import pytest
from rich.console import Console

from leadline.errors import LeadlineError, UnknownNameError, UsageError
from leadline.render import FORMATS, delimited, parquet, present, terminal, totals, workbook, write
from tests import sample_results as sample
from tests.scale import scaled

SAMPLES = [
    sample.funnel,
    sample.volume,
    sample.conversion,
    sample.conversion_by_type,
    sample.velocity,
    sample.influence,
]


def lines_of(result, **options):
    return terminal.text(result, **options).splitlines()


def row_of(lines, start):
    return next(line for line in lines if line.strip().startswith(start))


@pytest.mark.parametrize("make", SAMPLES)
def test_every_table_states_what_it_is(make):
    result = make()
    text = terminal.text(result)
    for part in (
        "as of 2026-10-31 (end of day)",
        "known at 2026-11-01 05:00",
        "Europe/Berlin",
        "USD",
        "20261101T040000Z",
    ):
        assert part in text
    assert text.startswith(result.title)
    assert f"unit {result.unit}" in text
    assert "Trust B: 96.7 % of" in text
    assert "findings: undated-responses, opportunity-without-role" in text
    assert "Note: 38 opportunities (1,204,000.00 USD)" in text
    assert result.definition.text in text
    assert all(line == line.rstrip() for line in text.splitlines())


def test_rates_stand_with_their_interval_and_small_is_said():
    lines = lines_of(sample.conversion_by_type())
    assert "29.2 % (26.7 to 31.9)" in row_of(lines, "Content")
    assert "50.0 % (29.0 to 71.0) small" in row_of(lines, "Partner")
    assert row_of(lines, "(empty)")


def test_what_is_not_reached_is_said():
    lines = lines_of(sample.velocity())
    assert "not reached" in row_of(lines, "SAL")
    assert "31.4 (29.8 to 33.1)" in row_of(lines, "SAL")
    assert "not reached" not in row_of(lines, "SQL")


def test_columns_without_content_are_hidden_unless_wide():
    header = row_of(lines_of(sample.conversion_by_type()), "campaign type")
    assert "implied" not in header
    assert "too young" in header
    wide = row_of(lines_of(sample.conversion_by_type(), wide=True), "campaign type")
    assert all(present.label(column.name) in wide for column in sample.conversion_by_type().columns)
    young = sample.conversion_by_type()
    none_young = young.table.set_column(
        young.table.column_names.index("too_young"), "too_young", [[0] * young.table.num_rows]
    )
    assert "too young" not in row_of(lines_of(replace(young, table=none_young)), "campaign type")


def test_settings_that_do_not_vary_are_said_once():
    text = terminal.text(sample.conversion())
    assert "convention cohort · window days 90" in text
    assert text.count("cohort") == 1


def test_money_reconciles_in_words():
    text = terminal.text(sample.influence(("first", "even")))
    line = "total 6,067,356.39 = credited 4,170,055.06 + pending 61,500.00 + unattributed 1,835,801.33 USD"
    assert f"first · role · influenced: {line}\n" in text
    assert f"even · role · influenced: {line}\n" in text
    assert text.count("outside: no amount 7 opportunities") == 1


def test_other_window_and_a_gap_are_said():
    result = sample.influence()
    total = {**result.totals[0], "other_window_amount": 100}
    line = totals.reconciliation(replace(result, totals=(total,)))[0]
    assert line.endswith("+ other window 1.00 USD – off by -1.00")


def test_a_narrow_screen_gives_up_columns_and_says_so():
    screen = io.StringIO()
    terminal.show(sample.influence(), Console(file=screen, width=120))
    text = screen.getvalue()
    assert "Too narrow for: accelerated amount, sourced amount" in text
    assert "842,100.33" in text
    assert max(len(line) for line in text.splitlines()) <= 120


def test_no_rows():
    assert "No rows: nothing matches." in terminal.text(sample.empty(sample.conversion()))


def test_names_cannot_steer_the_terminal():
    result = sample.influence()
    bad = "\x1b[31mred[/red]\n\x07\u202e[bold]"
    table = result.table.set_column(4, "campaign", [[bad] * result.table.num_rows])
    text = terminal.text(replace(result, table=table, notes=(bad,), title=bad))
    assert "\x1b" not in text
    assert "\x07" not in text
    assert "\u202e" not in text
    assert "red[/red]" in text


FORMULA_STARTS = ["=", "+", "-", "@", "\t", "\r", "\x00", "\n", "＝", "＋", "－", "＠"]
PAYLOADS = [
    start + rest
    for start in FORMULA_STARTS
    for rest in (
        "1+1",
        "cmd|' /C calc'!A0",
        'HYPERLINK("http://x","y")',
        "SUM(A1:A9)",
        "A1",
        "-2+3",
        '"x"',
        ",b",
        "1,2",
        "",
    )
]


def with_names(names):
    rows = [("cohort", name, -15, -1.5) for name in names]
    return sample.make("volume", "Names", {"view": "text", "stage": "text", "amount": "money", "score": "number"}, rows)


def test_no_cell_of_a_csv_is_a_formula():
    text = delimited.csv_text(with_names(PAYLOADS))
    rows = list(csv.reader(io.StringIO(text.replace("\x00", "NUL"), newline="")))
    for payload, row in zip(PAYLOADS, rows[1:], strict=True):
        assert row[1] == "'" + payload.replace("\x00", "NUL")
        assert row[2:] == ["-0.15", "-1.5"]
    assert len(rows) == len(PAYLOADS) + 1


def test_plain_numbers_and_names_stay_as_they_are():
    names = ["-1.5", "-12", "a=b", 'Müller, "Jr."', "1-2", "'quoted", "", None]
    rows = list(csv.reader(io.StringIO(delimited.csv_text(with_names(names)), newline="")))
    assert [row[1] for row in rows[1:]] == [name or "" for name in names]


def test_machine_csv_is_exact():
    rows = list(csv.reader(io.StringIO(delimited.csv_text(with_names(["=1+1"]), machine=True), newline="")))
    assert rows == [["view", "stage", "amount", "score"], ["cohort", "=1+1", "-0.15", "-1.5"]]


def test_csv_is_rfc_4180():
    text = delimited.csv_text(with_names(['a "b"', "c,d", "e\nf"]))
    assert text.count("\r\n") == 4
    assert '"a ""b"""' in text
    assert '"e\nf"' in text


def test_headers_of_a_csv_are_safe():
    result = sample.make("volume", "Names", {"=1+1": "text"}, [("x",)])
    assert delimited.csv_text(result) == "'=1+1\r\nx\r\n"


@pytest.mark.parametrize("make", SAMPLES)
def test_parquet_keeps_types_rows_and_the_contract(make, tmp_path):
    result = make()
    parquet.save(result, tmp_path / "x.parquet")
    table = pq.read_table(tmp_path / "x.parquet")
    assert table.num_rows == result.table.num_rows
    assert table.drop_columns([]).equals(result.typed())
    about = json.loads(table.schema.metadata[parquet.METADATA_KEY])
    assert {**about, "rows": result.to_dict()["rows"]} == result.to_dict()


def sheet_cells(path):
    """{reference: (type, text)} of the first sheet, and the raw XML."""
    space = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
    with zipfile.ZipFile(path) as book:
        xml = book.read("xl/worksheets/sheet1.xml").decode()
        shared = [
            "".join(node.text or "" for node in item.iter(f"{space}t"))
            for item in ElementTree.fromstring(book.read("xl/sharedStrings.xml"))
        ]
    cells = {}
    for cell in ElementTree.fromstring(xml).iter(f"{space}c"):
        value = cell.find(f"{space}v")
        if value is not None:
            text = value.text or ""
            cells[cell.get("r")] = (cell.get("t"), shared[int(text)] if cell.get("t") == "s" else text)
    return cells, xml


def test_workbook_cells_are_typed_and_nothing_runs(tmp_path):
    payloads = [payload for payload in PAYLOADS if "\x00" not in payload and "\r" not in payload and payload.strip()]
    workbook.save(with_names([*payloads, "https://example.org"]), tmp_path / "x.xlsx")
    cells, xml = sheet_cells(tmp_path / "x.xlsx")
    assert "<f" not in xml
    assert "hyperlink" not in xml
    for i, payload in enumerate(payloads):
        assert cells[f"B{i + 2}"] == ("s", payload)
        assert cells[f"C{i + 2}"] == (None, "-0.15")
        assert cells[f"D{i + 2}"] == (None, "-1.5")


@pytest.mark.parametrize("make", SAMPLES)
def test_workbook_is_complete_and_the_same_each_time(make, tmp_path):
    result = make()
    workbook.save(result, tmp_path / "a.xlsx")
    workbook.save(result, tmp_path / "b.xlsx")
    assert (tmp_path / "a.xlsx").read_bytes() == (tmp_path / "b.xlsx").read_bytes()
    cells, _ = sheet_cells(tmp_path / "a.xlsx")
    last = max(int(re.sub(r"\D", "", reference)) for reference in cells)
    assert last == result.table.num_rows + 1
    assert cells["A1"] == ("s", result.columns[0].name)


def test_workbook_refuses_rather_than_cuts(monkeypatch, tmp_path):
    with pytest.raises(UsageError, match="characters"):
        workbook.save(with_names(["x" * 32_768]), tmp_path / "x.xlsx")
    monkeypatch.setattr(workbook, "MOST_ROWS", 2)
    with pytest.raises(UsageError, match="3 rows"):
        workbook.save(with_names(["a", "b", "c"]), tmp_path / "x.xlsx")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("make", SAMPLES)
def test_every_format_of_every_result(make, form, tmp_path):
    target = tmp_path / f"x.{form}"
    write(make(), form, target)
    assert target.stat().st_size > 100


@pytest.mark.parametrize("form", ["table", "json", "csv"])
def test_text_goes_to_standard_output(form, capsys, tmp_path):
    write(sample.funnel(), form)
    write(sample.funnel(), form, tmp_path / "x")
    assert capsys.readouterr().out.replace("\r\n", "\n") == (tmp_path / "x").read_text()


def test_binary_needs_a_file_and_formats_have_names():
    with pytest.raises(UsageError, match=r"--output FILE\.parquet"):
        write(sample.funnel(), "parquet")
    with pytest.raises(UnknownNameError, match="Did you mean 'json'"):
        write(sample.funnel(), "jsn")
    assert issubclass(UnknownNameError, LeadlineError)


def test_large_results_keep_every_row():
    names = [f"row {i}" for i in range(scaled(100_000))]
    assert delimited.csv_text(with_names(names)).count("\r\n") == len(names) + 1


def test_percent_text():
    assert [present.percent(share) for share in (0.335, 0, 1, 0.0004, None, float("nan"))] == [
        "33.5 %",
        "0.0 %",
        "100.0 %",
        "0.04 %",
        "–",
        "–",
    ]


def test_totals_are_said_only_where_they_say_something_new():
    assert totals.lines(sample.volume()) == []
    by_type = sample.conversion_by_type()
    total = {
        "period": "all",
        "from_stage": "MQL",
        "to_stage": "SQL",
        "started": 3171,
        "converted": 957,
        "rate": 957 / 3171,
    }
    assert totals.lines(replace(by_type, totals=(total,))) == ["total: MQL → SQL 30.2 % (957 of 3,171)"]
    counts = tuple({"period": "2026-01", "stage": stage, "view": "entered", "count": 1000} for stage in ("MQL", "SQL"))
    assert totals.lines(replace(by_type, totals=counts)) == ["total 2026-01: MQL 1,000, SQL 1,000"]
    other = ({"period": "all", "ever_won": 19, "won": 12, "won_amount": 150},)
    assert totals.lines(replace(by_type, totals=other)) == ["ever won 19, won 12, won amount 1.50 USD"]
