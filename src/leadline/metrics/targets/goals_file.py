"""`goals.csv`: targets per metric, period and segment; every fault of the file at once.

    metric,period,segment,goal
    MQL,2026-Q1,,400
    MQL,2026-Q1,campaign_type=Webinar,120
    won_amount,2026,,2500000

A metric is a stage (its entries) or the amount of the opportunities that enter one. A period is
written as results label it; a date is the first day of a week. Columns `funnel` and `unit` may be
added. Empty lines, lines that begin with `#` and rows without a goal say nothing.
"""

from __future__ import annotations

import csv
import datetime as dt
import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from leadline import money
from leadline.config import Funnel
from leadline.dates import Calendar, Grain, day_number
from leadline.errors import GoalsError, UsageError, did_you_mean
from leadline.metrics import dimensions
from leadline.metrics.query import UNITS, Asked, Query, ask
from leadline.model import funnels
from leadline.model.opened import Opened

COLUMNS = ("metric", "period", "segment", "goal", "funnel", "unit")
REQUIRED = ("metric", "period", "goal")
HOW = (
    "Write one with a line per goal under the heading metric,period,segment,goal; "
    "`leadline goals --template` prints one for the funnel."
)

_NUMBER = re.compile(r"\d+(\.\d+)?")
_NEXT_PAIR = re.compile(r",(?=\s*[\w.]+\s*=)")
_LABEL = re.compile(r"(?P<fiscal>FY)?(?P<year>\d{4})(-Q(?P<quarter>[1-4])|-(?P<month>\d{2})(-(?P<day>\d{2}))?)?")

Segment = tuple[tuple[str, str], ...]
"""Pairs of dimension and value, by name; no pair is everything, an empty value is "has none"."""


@dataclass(frozen=True, slots=True)
class Period:
    """A period with its label: days `[start, end)`."""

    label: str
    grain: Grain
    start: dt.date
    end: dt.date

    @property
    def span(self) -> tuple[int, int]:
        """First day number and the first one after."""
        return day_number(self.start), day_number(self.end)


@dataclass(frozen=True, slots=True)
class Goal:
    """One row of the file.

    Attributes:
        line: where it stands.
        metric: the stage, or the stage in lower case with `_amount`.
        stage_no: number of that stage.
        of_money: whether the amount is counted and not the entries.
        value: the target: entries, or major units of the reporting currency.
    """

    line: int
    metric: str
    stage_no: int
    of_money: bool
    period: Period
    segment: Segment
    value: Decimal
    funnel: str
    unit: str


def read(path: Path, opened: Opened) -> tuple[Goal, ...]:
    """The goals of a file, as they stand there.

    Raises:
        UsageError: there is no such file.
        GoalsError: it has faults (all listed).
    """
    if not path.is_file():
        raise UsageError(f"There is no {path.name} in {path.parent}. {HOW}")
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as fault:
        raise GoalsError(str(path), [f"byte {fault.start} is not UTF-8; save the file as UTF-8"]) from fault
    reader = _Reader(opened)
    goals = reader.goals(text)
    if reader.faults:
        raise GoalsError(str(path), reader.faults)
    return goals


def period_of(label: str, calendar: Calendar) -> Period:
    """The period that results give this label; a date is the first day of a week.

    Raises:
        UsageError: no label of this calendar.
    """
    first = f"FY{2026}" if calendar.fiscal_year_start > 1 else "2026"
    known = f"write {first}, {first}-Q1, 2026-03, or the first day of a week such as {_a_week(calendar)}"
    match = _LABEL.fullmatch(label)
    if match is None:
        raise UsageError(f"{label!r} is no period; {known}")
    grain: Grain = "week" if match["day"] else "month" if match["month"] else "quarter" if match["quarter"] else "year"
    try:
        start = _start(match, calendar)
    except ValueError as fault:
        raise UsageError(f"{label!r} is no period of the calendar ({fault}); {known}") from fault
    if bool(match["fiscal"]) != (calendar.fiscal_year_start > 1) and grain in ("quarter", "year"):
        right = label.removeprefix("FY") if match["fiscal"] else f"FY{label}"
        raise UsageError(f"{label!r} is no {grain} of this workspace, whose {_years(calendar)}: write {right}")
    first_day = calendar.start(start, grain)
    if first_day != start:
        raise UsageError(f"{label!r} is no first day of a week; the week that holds it begins on {first_day}")
    return Period(label, grain, start, calendar.following(start, grain))


def _years(calendar: Calendar) -> str:
    return (
        "fiscal years are named after the year in which they end"
        if calendar.fiscal_year_start > 1
        else ("years are those of the calendar")
    )


def _start(match: re.Match[str], calendar: Calendar) -> dt.date:
    """First day of a label."""
    year = int(match["year"])
    if match["day"]:
        return dt.date(year, int(match["month"]), int(match["day"]))
    if match["month"]:
        return dt.date(year, int(match["month"]), 1)
    first = dt.date(year - (1 if match["fiscal"] else 0), calendar.fiscal_year_start, 1)
    for _ in range(int(match["quarter"] or 1) - 1):
        first = calendar.following(first, "quarter")
    return first


def _a_week(calendar: Calendar) -> str:
    return calendar.start(dt.date(2026, 3, 31), "week").isoformat()


def segment_text(segment: Segment) -> str:
    """A segment as the file writes it."""
    return ",".join(f"{name}={value}" for name, value in segment)


def amount_metrics(funnel: Funnel) -> dict[str, int]:
    """Names of the metrics that are money → number of the stage that opportunities enter.

    The stage of won deals can also be written `won_amount`.
    """
    stages = funnels.opportunity_stages(funnel)
    named = {_slug(funnel.stages[number].name): number for number in stages}
    won = [stage.number for stage in funnels.closed_stages(funnel) if "won" in stage.outcomes]
    return named | ({"won_amount": won[0]} if len(won) == 1 else {})


def _slug(stage: str) -> str:
    return re.sub(r"\W+", "_", stage.casefold()).strip("_") + "_amount"


class _Reader:
    """Reads one file and keeps its faults."""

    def __init__(self, opened: Opened) -> None:
        self.faults: list[str] = []
        self._opened = opened
        work = opened.settings.workspace
        self._calendar = Calendar(work.fiscal_year_start, work.week_start)
        self._default, _ = opened.funnel(None)
        self._lines: dict[tuple, int] = {}
        self._asked: dict[tuple[str, str], Asked] = {}

    def goals(self, text: str) -> tuple[Goal, ...]:
        """The goals of a text."""
        rows = self._rows(text)
        heading = next(rows, None)
        if heading is None:
            self.faults.append(f"it is empty. {HOW}")
            return ()
        names = [name.strip().casefold() for name in heading[1]]
        self._check_heading(heading[0], names)
        if self.faults:
            return ()
        found = [
            self._goal(line, dict(zip(names, cells, strict=False)), len(cells) - len(names)) for line, cells in rows
        ]
        return tuple(goal for goal in found if goal is not None)

    def _rows(self, text: str) -> Iterator[tuple[int, list[str]]]:
        """Lines that say something, each with its number."""
        lines = text.splitlines(keepends=True)
        heading = next((line for line in lines if line.strip() and not line.startswith("#")), "")
        delimiter = max(",;\t", key=heading.count) if "," not in heading else ","
        reader = csv.reader(lines, delimiter=delimiter, strict=True)
        try:
            for cells in reader:
                if any(cell.strip() for cell in cells) and not cells[0].startswith("#"):
                    yield reader.line_num, [cell.strip() for cell in cells]
        except csv.Error as fault:
            self.faults.append(f"line {reader.line_num} is no CSV ({fault}); close the quotes")

    def _check_heading(self, line: int, names: list[str]) -> None:
        for name in names:
            if name not in COLUMNS:
                self._fault(
                    line, name, f"is no column of this file; write {', '.join(COLUMNS)}.{did_you_mean(name, COLUMNS)}"
                )
            elif names.count(name) > 1 and f"line {line}, column {name}: stands twice" not in self.faults:
                self.faults.append(f"line {line}, column {name}: stands twice")
        missing = [name for name in REQUIRED if name not in names]
        if missing:
            self.faults.append(f"line {line} has no column {' and no column '.join(missing)}. {HOW}")

    def _fault(self, line: int, column: str, sentence: str) -> None:
        self.faults.append(f"line {line}, column {column}: {sentence}")

    def _goal(self, line: int, row: dict[str, str], more: int) -> Goal | None:
        """The goal of one row, or None after its faults have been noted, or if it sets none."""
        if more > 0:
            self.faults.append(
                f"line {line}: has {more} more cells than the heading; put a segment with a comma in quotes"
            )
            return None
        if not row.get("goal"):
            return None
        funnel = self._funnel(line, row.get("funnel", ""))
        metric = None if funnel is None else self._metric(line, row.get("metric", ""), *funnel)
        unit = None if funnel is None or metric is None else self._unit(line, row.get("unit", ""), funnel, metric)
        period = self._period(line, row.get("period", ""))
        segment = (
            None if funnel is None or unit is None else self._segment(line, row.get("segment", ""), funnel[0], unit)
        )
        value = self._value(line, row["goal"], of_money=metric is not None and metric[2])
        if funnel is None or metric is None or unit is None or period is None or segment is None or value is None:
            return None
        goal = Goal(line, metric[0], metric[1], metric[2], period, segment, value, funnel[0], unit)
        first = self._lines.setdefault((goal.funnel, unit, goal.stage_no, goal.of_money, period.label, segment), line)
        if first != line:
            self._fault(line, "goal", f"sets the goal of line {first} again; keep one of the two")
        return goal

    def _funnel(self, line: int, name: str) -> tuple[str, Funnel] | None:
        known = self._opened.settings.funnel
        name = name or self._default
        if name in known:
            return name, known[name]
        self._fault(
            line, "funnel", f"{name!r} is no funnel of leadline.toml: {', '.join(known)}.{did_you_mean(name, known)}"
        )
        return None

    def _metric(self, line: int, text: str, name: str, funnel: Funnel) -> tuple[str, int, bool] | None:
        """Its name, the stage, whether it is money."""
        stages = {stage.casefold(): number for number, stage in enumerate(funnel.stage_names)}
        if text.casefold() in stages:
            number = stages[text.casefold()]
            return funnel.stage_names[number], number, False
        amounts = amount_metrics(funnel)
        if text.casefold() in amounts:
            return text.casefold(), amounts[text.casefold()], True
        known = [*funnel.stage_names, *amounts]
        self._fault(
            line,
            "metric",
            f"{text!r} is neither a stage of funnel {name!r} nor an amount: {', '.join(known)}.{did_you_mean(text, known)}",
        )
        return None

    def _unit(self, line: int, text: str, funnel: tuple[str, Funnel], metric: tuple[str, int, bool]) -> str | None:
        of_people = funnel[1].of_people
        usual = "opportunities" if metric[2] or not of_people else "journeys"
        unit = text.casefold() or usual
        if unit not in UNITS:
            self._fault(line, "unit", f"{text!r} is no unit: {', '.join(UNITS)}.{did_you_mean(text, UNITS)}")
        elif unit != "opportunities" and (metric[2] or not of_people):
            why = f"{metric[0]} is money, which opportunities have" if metric[2] else "the funnel has no people"
            self._fault(line, "unit", f"{text!r} does not go: {why}; write opportunities or leave it empty")
        elif unit == "opportunities" and metric[1] not in funnels.opportunity_stages(funnel[1]):
            self._fault(
                line, "unit", f"stage {metric[0]!r} cannot be seen on opportunities by themselves; write journeys"
            )
        else:
            return unit
        return None

    def _period(self, line: int, text: str) -> Period | None:
        try:
            return period_of(text, self._calendar)
        except UsageError as fault:
            self._fault(line, "period", str(fault))
            return None

    def _segment(self, line: int, text: str, funnel: str, unit: str) -> Segment | None:
        asked = self._asked.setdefault((funnel, unit), ask(self._opened, Query(unit=unit, funnel=funnel)))
        known, pairs = dimensions.names(asked), {}
        before = len(self.faults)
        for part in _NEXT_PAIR.split(text) if text else ():
            name, sign, value = (piece.strip() for piece in part.partition("="))
            if not sign or not name:
                self._fault(line, "segment", f"{part!r} is no segment; write DIM=VALUE, e.g. campaign_type=Webinar")
            elif name not in known:
                self._fault(
                    line,
                    "segment",
                    f"{name!r} is no dimension of {unit}: {', '.join(known)}.{did_you_mean(name, known)}",
                )
            elif name in pairs:
                self._fault(line, "segment", f"names {name!r} twice; give each dimension one value")
            pairs[name] = value
        return tuple(sorted(pairs.items())) if len(self.faults) == before else None

    def _value(self, line: int, text: str, *, of_money: bool) -> Decimal | None:
        if not _NUMBER.fullmatch(text):
            self._fault(line, "goal", f"{text!r} {_number_fault(text)}")
            return None
        value = Decimal(text)
        digits = self._opened.currency.digits
        if of_money and money.to_minor(value, digits)[1]:
            self._fault(line, "goal", f"{text!r} has more decimals than {self._opened.currency.code} has ({digits})")
            return None
        return value


def _number_fault(text: str) -> str:
    """What is wrong with a number, and what to write."""
    if re.fullmatch(r"-\d+([.,]\d+)?", text):
        return "is below 0; a goal is a number of 0 or more"
    if re.fullmatch(r"\d{1,3}([., ]\d{3})+", text):
        return f"has marks between the thousands, or a comma before decimals; write {re.sub('[., ]', '', text)}, with a point before decimals"
    if re.fullmatch(r"\d+,\d+", text):
        return f"has a comma before its decimals; write {text.replace(',', '.')}"
    return "is no number; write digits, with a point before decimals"
