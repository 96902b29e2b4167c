"""Questions with hand-written answers: each `.sql` file beside this one is a question and its SQL.

The SQL reads the tables that a snapshot publishes, or the source files themselves, by plain DuckDB.
Its rows must be the rows of the metric, all of them, in the columns that the SQL names. The head of
a file tells:

    -- the question in words
    -- ask: volume(view="entered", grain="month")     the same in Python
    -- of: table | totals | list                       which part of the result (default: table)
    -- only: stage = "Won", count > 0                  which of its rows (default: all)
    -- in: agreed                                      under which of `SETTINGS` (default: plain)

`prelude.sql` gives names to what they share.
"""

from __future__ import annotations

import ast
import datetime as dt
import operator
import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pytest

from leadline import credit_models
from leadline.demo.org import CONFIG_TOML
from leadline.metrics import pipeline, velocity, volume
from leadline.metrics.query import UNITS
from leadline.metrics.rates.conventions import CONVENTIONS
from leadline.metrics.targets.pace import PACES
from leadline.metrics.times.measures import MEASURES
from leadline.metrics.times.spans import DAYS
from leadline.results import Result
from leadline.workspace import Workspace
from leadline.workspace.funnel import FunnelMetrics
from leadline.workspace.targets import TargetMetrics
from tests.demo_workspace import Demo, imported

HERE = Path(__file__).parent
FILES = sorted(path for path in HERE.glob("*.sql") if path.name != "prelude.sql")
PEOPLE = 2_000
# Both sides divide the same whole numbers, or add the same doubles in another order.
ROUNDING = 1e-12
SETTINGS = {
    "plain": CONFIG_TOML,
    "agreed": CONFIG_TOML.replace('name = "SAL"\n', 'name = "SAL"\noptional = true\n')
    + "[funnel.main.sla_days]\nMQL = 5\nSQL = 30\nfirst-response = 2\n",
}
"""What the org of the cases is read by: as it comes, or with an optional stage and agreed times."""
GOALS = """metric,period,segment,goal,unit
MQL,2026-Q1,,180,journeys
MQL,2026-Q2,,200,journeys
MQL,2026-Q2,campaign_type=Webinar,40,journeys
SQL,2026,,120,journeys
MQL,2026-Q3,,210,journeys
won_amount,2026,,2500000,opportunities
won_amount,2026-Q1,,300000,opportunities
"""
NO_QUESTIONS = {"formulas", "goals_template"}
"""What the metrics tell without counting anything."""
OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq,
    ">": lambda value, bound: value is not None and value > bound,
}

Row = tuple[Any, ...]


@dataclass(frozen=True)
class Question:
    """What the head of a case says."""

    metric: str
    options: dict[str, Any]
    part: str
    only: tuple[tuple[str, str, Any], ...]
    settings: str
    sql: str

    def option(self, name: str, default: str) -> str:
        """An option as it is in force."""
        return str(self.options.get(name, default))


def question(path: Path) -> Question:
    """Read a case; anything that is not understood is an error."""
    text = path.read_text(encoding="utf-8")
    head = dict(re.findall(r"^-- (ask|of|only|in): (.+)$", text, re.MULTILINE))
    call = ast.parse(head["ask"], mode="eval").body
    assert isinstance(call, ast.Call)
    assert isinstance(call.func, ast.Name)
    assert not call.args
    options = {word.arg: ast.literal_eval(word.value) for word in call.keywords if word.arg}
    for name in {"start", "end"} & options.keys():
        options[name] = dt.date.fromisoformat(options[name])
    only = tuple(conditions(head.get("only", "")))
    return Question(call.func.id, options, head.get("of", "table"), only, head.get("in", "plain"), text)


def conditions(text: str) -> Iterator[tuple[str, str, Any]]:
    """`stage = "Won", count > 0` as (column, operator, value)."""
    for part in filter(None, text.split(", ")):
        column, sign, value = part.split(" ", 2)
        yield column, sign, ast.literal_eval(value)


def answer(workspace: Workspace, asked: Question) -> Result:
    """The engine's answer."""
    if asked.metric == "findings":
        return workspace.audit.table()
    if asked.metric == "records":
        return workspace.audit.records(**asked.options)
    metric = getattr(workspace.metrics, asked.metric)
    assert callable(metric)
    result = metric(**asked.options)
    assert isinstance(result, Result)
    if asked.part != "list":
        return result
    assert result.list_records is not None
    return result.list_records()


def engine_rows(workspace: Workspace, asked: Question, columns: list[str]) -> list[Row]:
    """The rows of the engine that are asked for."""
    result = answer(workspace, asked)
    rows = list(result.totals) if asked.part == "totals" else result.table.to_pylist()
    kept = [row for row in rows if all(OPERATORS[sign](row[name], value) for name, sign, value in asked.only)]
    return [tuple(row[name] for name in columns) for row in kept]


Made = Callable[[str], tuple[Demo, duckdb.DuckDBPyConnection]]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Made]:
    """The org under given settings, and DuckDB on its snapshot with nothing of the engine; each made once."""
    found: dict[str, tuple[Demo, duckdb.DuckDBPyConnection]] = {}

    def of(name: str) -> tuple[Demo, duckdb.DuckDBPyConnection]:
        if name not in found:
            demo = imported(tmp_path_factory.mktemp(name), people=PEOPLE, seed=3, settings=SETTINGS[name])
            (demo.workspace.folder / "goals.csv").write_text(GOALS, encoding="utf-8")
            found[name] = demo, plain(demo)
        return found[name]

    yield of
    for _, con in found.values():
        con.close()


def plain(demo: Demo) -> duckdb.DuckDBPyConnection:
    """DuckDB on the snapshot, with nothing of the engine."""
    con = duckdb.connect()
    con.execute(f"ATTACH '{demo.snapshot}' AS snapshot (READ_ONLY)")
    con.execute("USE snapshot")
    con.execute("SET VARIABLE files = $folder", {"folder": f"{demo.org.folder}/"})
    con.execute((HERE / "prelude.sql").read_text(encoding="utf-8"))
    return con


def keyed(row: Row) -> Row:
    """A row without its numbers that are not whole: what it is found by."""
    return tuple(None if isinstance(value, float) else value for value in row)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_case(path: Path, made: Made) -> None:
    asked = question(path)
    demo, con = made(asked.settings)
    found = con.execute(asked.sql)
    columns = [str(column[0]) for column in found.description or ()]
    expected = sorted(found.fetchall(), key=repr)
    rows = engine_rows(demo.workspace, asked, columns)
    assert expected, "a case must have rows"
    mine, theirs = Counter(map(keyed, expected)), Counter(map(keyed, rows))
    assert mine == theirs, f"{columns}\nonly the SQL: {sample(mine - theirs)}\nonly the engine: {sample(theirs - mine)}"
    check_fractions(columns, expected, rows)


def sample(rows: Counter[Row]) -> list[Row]:
    """A few of the rows."""
    return sorted(rows, key=repr)[:5]


def check_fractions(columns: list[str], expected: list[Row], rows: list[Row]) -> None:
    """Numbers that are not whole agree to rounding, row by row."""

    def fractions(row: Row) -> list[float]:
        return [value for value in row if isinstance(value, float)]

    def order(row: Row) -> tuple[str, list[float]]:
        return repr(keyed(row)), fractions(row)

    for mine, theirs in zip(sorted(expected, key=order), sorted(rows, key=order), strict=True):
        assert fractions(theirs) == pytest.approx(fractions(mine), rel=ROUNDING, abs=ROUNDING), (columns, mine, theirs)


def test_each_metric_view_and_unit_has_its_cases() -> None:
    asked = [question(path) for path in FILES]
    assert {"findings", "records", "influence"} <= {one.metric for one in asked}
    views: dict[str, set[str]] = {view: set() for view in volume.VIEWS}
    for one in asked:
        if one.metric == "volume":
            views[one.options["view"]].add(one.options.get("unit", "journeys"))
    assert all(units == set(UNITS) for units in views.values())
    models = {name for one in asked if one.metric == "influence" for name in one.options["models"]}
    kinds = {model.kind for name, model in credit_models.load().items() if name in models}
    assert {"touch", "even", "milestones", "position", "decay", "points"} <= kinds


def test_each_question_of_the_funnel_has_its_cases() -> None:
    """Every convention, measure and way of showing that the program knows; a new one fails until it has its SQL."""
    asked = [question(path) for path in FILES]
    methods = {name for metrics in (FunnelMetrics, TargetMetrics) for name in vars(metrics) if not name.startswith("_")}
    assert methods - NO_QUESTIONS <= {one.metric for one in asked}

    def options(metric: str, name: str, default: str) -> set[str]:
        return {one.option(name, default) for one in asked if one.metric == metric}

    assert options("conversion", "convention", "cohort") == set(CONVENTIONS)
    assert options("conversion", "unit", "journeys") == set(UNITS)
    assert options("velocity", "measure", "sum") == set(MEASURES)
    assert options("velocity", "show", "times") == set(velocity.SHOWN)
    assert options("velocity", "days", "calendar") == set(DAYS)
    assert options("velocity", "stuck", "False") == {"False", "True"}
    assert options("pipeline", "view", "standing") == set(pipeline.VIEWS)
    assert options("goals", "pace", "workdays") == set(PACES)
