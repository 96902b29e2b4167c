"""Paths from arrays and files: what is read, what adds up, what is refused."""

from __future__ import annotations

import csv
import io
import json
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

import leadline
from leadline.cli.app import run
from leadline.errors import SourceError, UnknownNameError, UsageError
from leadline.maths.paths import models
from leadline.path_table import Columns, Options, paths_of_file
from leadline.path_table.answer import COLUMNS
from tests.reference import path_brute as brute
from tests.reference import path_tables as tables
from tests.scale import scaled

Captured = pytest.CaptureFixture[str]


def rows(result):
    """Rows of a result by state."""
    return {row["state"]: row for row in result.to_dict()["rows"]}


def asked(given, model="markov", **told):
    """The public function on journeys of the reference."""
    return leadline.paths(
        [list(one.path) for one in given],
        [one.conversions for one in given],
        value=[Decimal(one.value) / 100 for one in given],
        nulls=[one.nulls for one in given],
        model=model,
        **told,
    )


def written(tmp_path, text, name="paths.csv"):
    """A file with these bytes."""
    path = tmp_path / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


FILE = """path,conversions,value,nulls
A > B,3,10.00,2
B,1,5.50,4
A > B,1,4.00,0
,2,7.00,9
"""
NAMES = Columns("path", "conversions", "value", "nulls")


def test_the_columns_are_those_of_the_contract():
    assert [column.name for column in COLUMNS] == ["state", "conversions", "value", "share", "effect"]
    assert leadline.paths(["A"], [1]).table.column_names == [column.name for column in COLUMNS]


def test_the_textbook_through_the_public_function():
    found = rows(asked(tables.THREE_PATHS))
    assert {name: row["conversions"] for name, row in found.items()} == tables.THREE_PATHS_CREDIT
    # Solved against printed: a few of the last of sixteen digits.
    assert {name: row["effect"] for name, row in found.items()} == pytest.approx(tables.THREE_PATHS_EFFECT, rel=1e-12)


@pytest.mark.parametrize("model", sorted(models.TEXTS))
def test_rows_add_up_to_the_input_exactly(model):
    chance = np.random.default_rng(3)
    for _ in range(scaled(60)):
        given = [*brute.random_journeys(chance, many=20), brute.Journey((), 3, 4, 1_234_567)]
        result = asked(given, model)
        found = result.to_dict()["rows"]
        assert sum(Decimal(row["value"]) for row in found) == Decimal(sum(one.value for one in given)) / 100
        assert sum(Decimal(repr(row["conversions"])) for row in found) == sum(one.conversions for one in given)
        assert found[-1]["state"] is None
        assert (found[-1]["conversions"], found[-1]["value"]) == (3, "12345.67")
        # Shares are floats of exact parts.
        assert sum(row["share"] for row in found) == pytest.approx(1, rel=1e-12)


def test_a_file_is_what_its_arrays_are(tmp_path):
    of_file = paths_of_file(written(tmp_path, FILE), NAMES)
    of_arrays = leadline.paths(
        ["A > B", "B", "A > B", None],
        [3, 1, 1, 2],
        value=[10, 5.5, 4, 7],
        nulls=[2, 4, 0, 9],
    )
    assert of_file.to_dict()["rows"] == of_arrays.to_dict()["rows"]
    assert (
        of_file.totals == of_arrays.totals == ({"conversions": 7.0, "nulls": 15.0, "paths": 4, "value_amount": 2650},)
    )


@pytest.mark.parametrize(
    "kind",
    [
        list,
        np.array,
        pa.array,
        lambda texts: pa.array(texts).dictionary_encode(),
        lambda texts: pa.chunked_array([texts[:1], texts[1:]]),
        lambda texts: pa.array([text.split(" > ") for text in texts]),
    ],
    ids=["list", "numpy", "arrow", "dictionary", "chunks", "lists"],
)
def test_paths_may_come_in_many_forms(kind):
    found = rows(leadline.paths(kind(["A > B", "B", "A > B"]), np.array([3, 1, 1]), nulls=pa.array([2, 4, 0])))
    again = rows(leadline.paths(["A > B", "B"], [4, 1], nulls=[2, 4]))
    assert found == again


def test_equal_paths_are_grouped_and_give_the_same(monkeypatch):
    chance = np.random.default_rng(4)
    given = brute.random_journeys(chance, many=300, many_names=3, longest=3)
    texts = [" > ".join(one.path) for one in given]
    counts = [one.conversions for one in given]
    grouped = leadline.paths(texts, counts, nulls=[one.nulls for one in given])
    monkeypatch.setattr("leadline.path_table.reading._repeats", lambda texts: False)
    apart = leadline.paths(texts, counts, nulls=[one.nulls for one in given])
    for name, row in rows(grouped).items():
        for column in ("conversions", "share", "effect"):
            # Sums in another order differ in the last of sixteen digits.
            assert row[column] == pytest.approx(rows(apart)[name][column], rel=1e-12)
    assert grouped.totals == apart.totals


def test_several_models_stand_in_one_table():
    result = asked(tables.FOUR_PATHS, ["first", "markov"])
    assert result.table.column_names[-1] == "model"
    assert result.table.column("model").to_pylist() == ["first"] * 2 + ["markov"] * 2
    with pytest.raises(UsageError, match="several different"):
        asked(tables.FOUR_PATHS, ["first", "first"])


def test_options_change_the_answer_and_are_said():
    given = brute.random_journeys(np.random.default_rng(5), many=40)
    usual = asked(given)
    for options in (Options(order=2), Options(removal="refit"), Options(value="proportional")):
        other = asked(given, options=options)
        assert rows(other) != rows(usual)
        assert len(other.filters) == 1
    assert rows(asked(given, "time_decay", options=Options(half_life=5))) != rows(asked(given, "time_decay"))


def test_intervals_stand_beside_the_shares():
    result = leadline.paths(["A", "B", "C"], [200, 101, 99], model="last", intervals=True)
    found = rows(result)
    for row in found.values():
        assert row["share_low"] < row["share"] < row["share_high"]
    assert any("Cannot be told apart: B and C." in note for note in result.notes)
    again = rows(leadline.paths(["A", "B", "C"], [200, 101, 99], model="last", intervals=True))
    assert found == again
    other = leadline.paths(["A", "B", "C"], [200, 101, 99], model="last", intervals=True, options=Options(seed=9))
    assert rows(other) != found
    nothing = leadline.paths(["A"], [0], nulls=[4], intervals=True)
    assert nothing.table.column("share_low").to_pylist() == [None]
    with pytest.raises(UsageError, match="whole numbers"):
        leadline.paths(["A"], [0.5], intervals=True)


def test_transitions_add_up_to_visits():
    """Search opens six paths of seven; of nine visits of mail three repeat the one before and are no step."""
    asked: dict[str, Any] = {"nulls": [2, 1, 0], "transitions": True}
    found = leadline.paths(["S > M > M > S", "S", "M > S"], [1, 2, 1], **asked)
    told = [tuple(row.values()) for row in found.table.to_pylist()]
    assert told == [
        (None, "S", None, 6.0, 6 / 7),
        (None, "M", None, 1.0, 1 / 7),
        ("S", None, "conversion", 4.0, 4 / 10),
        ("S", "M", None, 3.0, 3 / 10),
        ("S", None, "null", 3.0, 3 / 10),
        ("M", "S", None, 4.0, 1.0),
    ]
    second = leadline.paths(["S > M > M > S", "S", "M > S"], [1, 2, 1], options=Options(order=2), **asked)
    assert ("S > M", "M > S", None, 3.0, 1.0) in [tuple(row.values()) for row in second.table.to_pylist()]
    with pytest.raises(UsageError, match="no chain"):
        leadline.paths([""], [1], transitions=True)


def test_transitions_are_asked_alone(tmp_path, capsys: Captured):
    file = tmp_path / "paths.csv"
    file.write_text("path,won\nA > B,3\nB,1\n", encoding="utf-8")
    chart = tmp_path / "graph.svg"
    asked = ["paths", str(file), "--path", "path", "--conversions", "won", "--transitions"]
    assert run([*asked, "--format", "csv", "--chart", str(chart)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "from_state,to_state,end,count,share"
    assert "A,B,,3.0,1.0" in lines
    assert "conversion" in chart.read_text(encoding="utf-8")
    assert run([*asked, "--model", "first"]) == 2
    assert "leave out --model" in capsys.readouterr().err


def test_intervals_are_of_the_shares_beside_them():
    """Half of all conversions have no state: the shares of the others, and their intervals, are of all of them."""
    found = rows(leadline.paths(["A", "B", ""], [120, 80, 200], model="last", intervals=True))
    for name, share in (("A", 0.3), ("B", 0.2)):
        assert found[name]["share"] == share
        assert found[name]["share_low"] < share < found[name]["share_high"]


def test_many_pairs_are_counted_not_listed():
    names = [f"state {number}" for number in range(12)]
    result = leadline.paths(names, [10] * 12, model="last", intervals=True)
    (note,) = (one for one in result.notes if "told apart" in one)
    assert note.count(" and ") == 6
    assert "more pairs of neighbours" in note


def test_drawn_shapley_values_say_so():
    given = brute.random_journeys(np.random.default_rng(6), many_names=20, many=80)
    result = asked(given, "shapley_rate", options=Options(draws=20, seed=2))
    assert "20 orders drawn" in " ".join(result.notes)
    assert all(row["effect_error"] > 0 for row in rows(result).values() if row["effect"])
    assert "effect_error" not in asked(tables.FOUR_PATHS, "shapley_rate").table.column_names


def test_values_are_rounded_once_and_counted(tmp_path):
    file = written(tmp_path, "p,c,v\nA,1,0.005\nB,1,0.015\nC,1,\nD,1,1e2\n")
    exact = written(tmp_path, "p,c,v\nA,1,0.005\nB,1,0.015\nC,1,\n", "exact.csv")
    assert [row["value"] for row in rows(paths_of_file(exact, Columns("p", "c", "v"), model="last")).values()] == [
        "0.00",
        "0.02",
        "0.00",
    ]
    notes = paths_of_file(exact, Columns("p", "c", "v"), model="last").notes
    assert any("more than 2 decimals: 2" in note for note in notes)
    assert any("empty and count as 0: 1" in note for note in notes)
    assert rows(paths_of_file(file, Columns("p", "c", "v"), model="last"))["D"]["value"] == "100.00"
    yen = leadline.paths(["A"], [1], value=["100"], currency="JPY", model="last")
    assert rows(yen)["A"]["value"] == "100"


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("A,x,1,1", r"line 3: conversions is 'x', which is no number"),
        ("A,-1,1,1", r"line 3: conversions are -1"),
        ("A,,1,1", r"line 3: conversions are empty"),
        ("A,1,1,-2", r"line 3: nulls are -2"),
        ("A,nan,1,1", r"line 3: conversions is 'nan'"),
        ('A,1,"1,000",1', r"line 3: value is '1,000'"),
        ("A,0,5,1", r"line 3 has a value and no conversion"),
        ("A,1e400,1,1", r"line 3: conversions are inf"),
        ("A,1,1e400,1", r"line 3: the value is no finite number"),
    ],
)
def test_a_bad_row_is_named(tmp_path, row, message):
    file = written(tmp_path, f"path,conversions,value,nulls\nB,1,1,1\n{row}\n")
    with pytest.raises(UsageError, match=message):
        paths_of_file(file, NAMES)


def test_a_bad_file_is_said(tmp_path):
    with pytest.raises(UnknownNameError, match="Did you mean 'path'"):
        paths_of_file(written(tmp_path, FILE), Columns("paths", "conversions"))
    with pytest.raises(SourceError, match=r"line 6"):
        paths_of_file(written(tmp_path, FILE + '"A,1\n', "broken.csv"), Columns("path", "conversions"))
    with pytest.raises(SourceError, match=r"line 3"):
        paths_of_file(written(tmp_path, "path,conversions\nA,1\nA,1,2\n", "wide.csv"), Columns("path", "conversions"))
    with pytest.raises(SourceError, match="2 columns named"):
        paths_of_file(written(tmp_path, "p,c,p\nA,1,B\n", "twice.csv"), Columns("p", "c"))
    with pytest.raises(SourceError):
        paths_of_file(tmp_path / "absent.csv", NAMES)
    with pytest.raises(SourceError, match="not one CSV"):
        paths_of_file(tmp_path, NAMES)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"paths": ["A"], "conversions": [1, 2]}, "differ in length"),
        ({"paths": ["A"], "conversions": ["x"]}, "path 0: conversions is 'x'"),
        ({"paths": [1], "conversions": [1]}, "a path is a text"),
        ({"paths": [[1]], "conversions": [1]}, "a state is a text"),
        ({"paths": ["A", 1], "conversions": [1, 1]}, "paths cannot be read"),
        ({"paths": ["A"], "conversions": [[1]]}, "which is no number"),
        ({"paths": ["A"], "conversions": [1], "separator": ""}, "separator is empty"),
        ({"paths": ["A"], "conversions": [1], "model": []}, "Name one model"),
        ({"paths": ["A"], "conversions": [1], "model": "shapley_exact"}, "refused"),
        ({"paths": ["A"], "conversions": [2.0**53]}, "cannot be counted"),
    ],
)
def test_a_bad_call_is_said(arguments, message):
    with pytest.raises(UsageError, match=message):
        leadline.paths(**arguments)


def test_the_command_gives_every_form(tmp_path, capsys: Captured):
    file = str(written(tmp_path, FILE))
    told = ["paths", file, "--path", "path", "--conversions", "conversions", "--value", "value", "--nulls", "nulls"]
    assert run([*told, "--format", "json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert (answer["kind"], answer["as_of"], answer["snapshot"]) == ("paths", None, "")
    assert [row["state"] for row in answer["rows"]] == ["B", "A", None]
    assert answer["totals"][0]["value_amount"] == "26.50"
    assert run([*told, "--format", "csv", "--currency", "EUR"]) == 0
    assert [row["state"] for row in csv.DictReader(io.StringIO(capsys.readouterr().out))] == ["B", "A", ""]
    for form in ("xlsx", "parquet"):
        assert run([*told, "--output", str(tmp_path / f"out.{form}")]) == 0
        assert (tmp_path / f"out.{form}").stat().st_size > 0
    capsys.readouterr()
    assert run([*told, "--model", "position", "--ends", "30,60"]) == 0
    assert "Paths: position" in capsys.readouterr().out


def test_the_command_ends_with_2_on_wrong_usage(tmp_path, capsys: Captured):
    file = str(written(tmp_path, FILE))
    told = ["paths", file, "--path", "path", "--conversions", "conversions"]
    assert run([*told, "--model", "markow"]) == 2
    assert "Did you mean 'markov'" in capsys.readouterr().err
    assert run([*told, "--ends", "a,b"]) == 2
    assert "two percentages" in capsys.readouterr().err
    assert run(["paths", file]) == 2
    assert run(["paths", str(tmp_path / "absent.csv"), *told[2:]]) == 1


def test_what_other_path_packages_call_a_model_is_told():
    for name, here in (("linear_touch", "even"), ("first_touch", "first"), ("shapley", "shapley_coverage")):
        with pytest.raises(UsageError, match=rf"no model '{name}': it is called '{here}' here"):
            leadline.paths(["A"], [1], model=name)


def test_the_columns_there_are_and_the_delimiter_are_told(tmp_path, capsys: Captured):
    file = written(tmp_path, FILE)
    assert run(["paths", str(file)]) == 2
    assert f"{file} has path, conversions" in capsys.readouterr().err
    other = written(tmp_path, "path;n\nA > B;2\n", "semicolons.csv")
    told = ["--path", "path", "--conversions", "n", "--model", "even", "--format", "json"]
    assert run(["paths", str(other), *told]) == 1
    assert "say --delimiter ';'" in capsys.readouterr().err
    assert run(["paths", str(other), *told, "--delimiter", ";"]) == 0
    tabs = written(tmp_path, "path\tn\nA > B\t2\n", "tabs.csv")
    for tab in ("\t", r"\t"):
        capsys.readouterr()
        assert run(["paths", str(tabs), *told, "--delimiter", tab]) == 0
        answer = json.loads(capsys.readouterr().out)
        assert {row["state"]: row["conversions"] for row in answer["rows"]} == {"A": 1.0, "B": 1.0}
    assert run(["paths", str(tabs), *told, "--delimiter", ";;"]) == 2
    assert "not one character" in capsys.readouterr().err
    empty = written(tmp_path, "", "empty.csv")
    assert run(["paths", str(empty)]) == 2
    assert "has no columns" in capsys.readouterr().err
