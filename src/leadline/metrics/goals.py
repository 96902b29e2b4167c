"""Goals: what was to come, what has come, what it will come to.

The actual figures are those of volume (view entered) on the same path, so the list behind them and
their trust are volume's.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from leadline.dates import Calendar, day_number, day_of
from leadline.errors import UnknownNameError, UsageError
from leadline.metrics.assemble import Assembly
from leadline.metrics.query import Asked
from leadline.metrics.targets import goals_file, pace
from leadline.metrics.targets.goal_counts import Counted, chosen, count, listed, series, unknown_values, within
from leadline.metrics.targets.goals_file import Goal, segment_text
from leadline.metrics.targets.pace import PACES, Elapsed, Expectation, Landing, Position, Series
from leadline.model.opened import Opened
from leadline.results import Column, Result, Trust
from leadline.workdays import Workdays, workdays

TEXT = (
    "Actual is what has entered the stage in the period (volume, view entered), or its amount; attainment is actual "
    "divided by goal, pace actual divided by what should have come by as-of, required what each remaining working "
    "day must bring. landing is the rest at the rate so far, with a 90 % interval from the weeks before"
)
EXPECTED = {
    "workdays": "What should have come by as-of is the goal times the share of working days that has passed",
    "seasonal": "What should have come by as-of is the goal times the share that had come by the same working day "
    f"in up to {pace.COMPARABLE} periods before",
}

COLUMNS = (
    Column("period", "text", help="Period of the goal"),
    Column("metric", "text", help="Stage entered, or the amount of the opportunities that entered it"),
    Column("segment", "text", help="Which units, as DIM=VALUE; absent: all"),
    Column("actual", "integer", help="What has come in the period up to as-of"),
    Column("goal", "number", help="What was to come in the whole period"),
    Column("expected_to_date", "number", help="What should have come by as-of"),
    Column("attainment", "rate", help="Actual divided by goal"),
    Column("pace", "rate", help="Actual divided by expected to date"),
    Column("required", "number", help="What each remaining working day must bring to reach the goal"),
    Column("so_far", "number", help="What each working day has brought"),
    Column("landing", "number", help="What the period comes to if the rest is like what has come"),
    Column("landing_low", "number", help="Lower end of its 90 % interval"),
    Column("landing_high", "number", help="Upper end of its 90 % interval"),
    Column("actual_amount", "money", help="The same of goals that are money"),
    Column("goal_amount", "money", help="The same of goals that are money"),
    Column("expected_to_date_amount", "money", help="The same of goals that are money"),
    Column("required_amount", "money", help="The same of goals that are money"),
    Column("so_far_amount", "money", help="The same of goals that are money"),
    Column("landing_amount", "money", help="The same of goals that are money"),
    Column("landing_low_amount", "money", help="The same of goals that are money"),
    Column("landing_high_amount", "money", help="The same of goals that are money"),
    Column("unit", "text", help="What is counted"),
    Column("state", "text", help="finished, running or future at as-of"),
    Column("workdays", "number", "days", "Working days of the period"),
    Column("workdays_passed", "number", "days", "Working days of it that have passed"),
    Column("reason", "text", help="Why a figure is absent"),
)

_SIZES = ("actual", "goal", "expected_to_date", "required", "so_far", "landing", "landing_low", "landing_high")


def goals(
    opened: Opened,
    path: Path,
    *,
    by: str = "workdays",
    start: dt.date | None = None,
    end: dt.date | None = None,
    funnel: str | None = None,
    unit: str | None = None,
    segment: dict[str, str] | None = None,
) -> Result:
    """Every goal of the file with what has come of it; rows as the public contract lists them.

    Args:
        path: the file of goals.
        by: what is expected to date: workdays or seasonal.
        start, end: only periods that have a day in `[start, end)`.
        funnel: whose goals; None is the first funnel.
        unit: only goals of that unit.
        segment: only goals of that segment.

    Raises:
        GoalsError: the file has faults (all listed).
        UsageError: there is no file, or it has no goal that was asked for.
        UnknownNameError: a funnel, unit or way of pacing that does not exist.
    """
    if by not in PACES:
        raise UnknownNameError("way of pacing", by, PACES)
    name, _ = opened.funnel(funnel)
    every = goals_file.read(path, opened)
    wanted = _wanted(every, name, start, end, unit, segment)
    if not wanted:
        raise UsageError(_nothing(path, every, name))
    parts = [count(opened, name, one, wanted) for one in dict.fromkeys(goal.unit for goal in wanted)]
    work = opened.settings.workspace
    index = workdays(tuple(work.holidays), tuple(work.workdays))
    at = position(opened)
    rows = [_row(line, by, part.asked) for part in parts for line in _lines(part, index, at)]
    rows.sort(key=lambda row: row.pop("order"))
    others = len({goal.line for goal in every if goal.funnel != name})
    notes = [
        *unknown_values(parts),
        *([f"{others} goals belong to other funnels: ask with --funnel."] if others else []),
    ]
    return _result(parts, rows, by, notes)


def position(opened: Opened) -> Position:
    """As-of on the calendar of the reporting zone."""
    days = opened["days"]
    day = opened.arrow(days.filter(days.day == opened.as_of.day).select("starts", "ends")).to_pylist()[0]
    second = opened.as_of.second
    share = 1.0 if second >= day["ends"] else (second - day["starts"]) / (day["ends"] - day["starts"] + 1)
    return Position(opened.as_of.day, share)


def _wanted(
    every: Sequence[Goal],
    funnel: str,
    start: dt.date | None,
    end: dt.date | None,
    unit: str | None,
    segment: dict[str, str] | None,
) -> list[Goal]:
    pairs = None if segment is None else tuple(sorted(segment.items()))
    return [
        goal
        for goal in every
        if goal.funnel == funnel
        and (start is None or goal.period.end > start)
        and (end is None or goal.period.start < end)
        and (unit is None or goal.unit == unit)
        and (not pairs or goal.segment == pairs)
    ]


def _nothing(path: Path, every: Sequence[Goal], funnel: str) -> str:
    if not every:
        return f"{path} sets no goal: no row has a number in the column goal. {goals_file.HOW}"
    others = sorted({goal.funnel for goal in every} - {funnel})
    more = f" It has goals of funnel {', '.join(others)}: ask with --funnel." if others else ""
    return f"{path} has no goal of funnel {funnel!r} that was asked for; widen the question.{more}"


@dataclass(frozen=True, slots=True)
class _Line:
    """One goal with what came for it and where its period stands.

    Attributes:
        came: what counts for it: entries, or minor units; `events` the entries in either case.
        since: first day on which the data show any entry into the stage.
    """

    goal: Goal
    came: Series
    events: Series
    since: int | None
    elapsed: Elapsed
    index: Workdays
    at: Position

    @property
    def actual(self) -> int:
        """What has come in the period."""
        return self.came.between(*self.goal.period.span)


def _lines(part: Counted, index: Workdays, at: Position) -> Iterator[_Line]:
    for goal in part.goals:
        cells = chosen(part, goal.stage_no, goal.segment)
        # How far back the data reach is a matter of the stage, not of a small segment of it.
        since = series(chosen(part, goal.stage_no, ()), "count").first_day
        events = series(cells, "count")
        came = series(cells, "amount") if goal.of_money else events
        yield _Line(goal, came, events, since, Elapsed.of(index, goal.period.span, at), index, at)


def _row(line: _Line, by: str, asked: Asked) -> dict:
    goal, elapsed, actual = line.goal, line.elapsed, line.actual
    expected = _expectation(line, by, asked.calendar)
    target = _target(goal, asked.opened.currency.digits)
    should = None if expected.share is None else target * expected.share
    landed = _landing(line, expected)
    sizes = {
        "actual": actual,
        "goal": target,
        "expected_to_date": should,
        "required": _required(elapsed, actual, target),
        "so_far": actual / elapsed.passed if elapsed.passed else None,
        "landing": landed.value,
        "landing_low": landed.low,
        "landing_high": landed.high,
    }
    reasons = [expected.reason, landed.reason if elapsed.state == "running" else ""]
    return {
        "order": (goal.period.start, -goal.period.span[1], goal.stage_no, goal.of_money, goal.segment, goal.unit),
        "period": goal.period.label,
        "metric": goal.metric,
        "segment": segment_text(goal.segment) or None,
        **_sized(sizes, of_money=goal.of_money),
        "attainment": actual / target if target else None,
        "pace": actual / should if should else None,
        "unit": goal.unit,
        "state": elapsed.state,
        "workdays": float(elapsed.workdays),
        "workdays_passed": elapsed.passed,
        "reason": "; ".join(filter(None, reasons)) or None,
    }


def _target(goal: Goal, digits: int) -> float:
    """The goal in the unit it is counted in: entries, or minor units."""
    return float(goal.value.scaleb(digits) if goal.of_money else goal.value)


def _sized(sizes: dict[str, float | None], *, of_money: bool) -> dict[str, float | int | None]:
    """Both kinds of columns: counts in the one, money in the other."""
    made: dict[str, float | int | None] = {}
    for name in _SIZES:
        value = sizes[name]
        made[name] = None if of_money else value
        made[f"{name}_amount"] = round(value) if of_money and value is not None else None
    return made


def _expectation(line: _Line, by: str, calendar: Calendar) -> Expectation:
    """The share of the goal that should have come by as-of."""
    if line.elapsed.state == "finished":
        return Expectation(1.0)
    if line.elapsed.state == "future":
        return Expectation(None, "the period has not begun")
    if by == "workdays":
        return pace.by_workdays(line.elapsed)
    known = [span for span in _before(line.goal, calendar) if line.since is not None and span[0] >= line.since]
    return pace.by_season(line.came, line.index, line.goal.period.span, line.at, known)


def _before(goal: Goal, calendar: Calendar) -> list[tuple[int, int]]:
    """The periods of the same grain before the goal's own, the nearest first."""
    spans: list[tuple[int, int]] = []
    end = goal.period.span[0]
    for _ in range(pace.COMPARABLE):
        start = day_number(calendar.start(day_of(end - 1), goal.period.grain))
        spans.append((start, end))
        end = start
    return spans


def _landing(line: _Line, expected: Expectation) -> Landing:
    if line.elapsed.state == "finished":
        return Landing(float(line.actual))
    if expected.share is None:
        return Landing(None)
    spread = pace.weekly_spread(line.came, line.index, line.at, line.since)
    events = line.events.between(*line.goal.period.span) if line.goal.of_money else None
    return pace.landing(line.actual, expected.share, spread, events=events)


def _required(elapsed: Elapsed, actual: int, target: float) -> float | None:
    """What each working day that is left must bring; None once the period or its working days are over."""
    if elapsed.state == "finished" or elapsed.left <= 0:
        return None
    return max(target - actual, 0.0) / elapsed.left


def _result(parts: Sequence[Counted], rows: list[dict], by: str, notes: list[str]) -> Result:
    results = []
    for part in parts:
        made = Assembly(part.asked, "volume", "Goals", f"{EXPECTED[by]}. {TEXT}.")
        results.append(made.result(COLUMNS, rows, query=part.marks, units=within(part), by=()))
    names = [part.asked.unit for part in parts]
    return replace(
        results[0],
        kind="goals",
        unit=" and ".join(names),
        trust=together([one.trust for one in results]),
        filters={"funnel": parts[0].asked.funnel_name, "pace": by},
        notes=tuple(notes),
        list_records=lambda: listed(parts),
    )


def together(trusts: Sequence[Trust]) -> Trust:
    """Trust of a result that rests on several: the lowest grade, everything else from all."""
    graded = [one for one in trusts if one.grade is not None]
    evidence: dict[str, int] = {}
    for one in trusts:
        for name, shown in one.evidence.items():
            evidence[name] = evidence.get(name, 0) + shown
    shares = [one.clean_share for one in graded if one.clean_share is not None]
    return Trust(
        grade=max((one.grade for one in graded if one.grade), default=None),
        clean_share=min(shares, default=None),
        evidence=evidence,
        findings=tuple(dict.fromkeys(code for one in trusts for code in one.findings)),
    )
