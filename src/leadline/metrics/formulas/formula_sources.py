"""Where the operands of a formula get their values: the metrics themselves, one question per view.

A count in a formula is the count of `volume`, a step that of `conversion`, a time that of
`velocity`: the same rows, the same records behind them, the same trust.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import ibis
import pyarrow as pa
import pyarrow.compute as pc

from leadline.errors import UsageError
from leadline.formulas import tree
from leadline.formulas.tree import Operand
from leadline.metrics import periods, rollup
from leadline.metrics.assemble import Assembly
from leadline.metrics.conversion import conversion
from leadline.metrics.formulas import outcome_counts
from leadline.metrics.grouping import Grouping, grouping
from leadline.metrics.query import NO_PERIOD, Asked
from leadline.metrics.rates import flags
from leadline.metrics.volume import volume
from leadline.results import Result, Trust

Cell = tuple[Any, ...]
"""Values of the dimensions, then the label of the period."""


@dataclass(slots=True)
class Source:
    """Values of some operands.

    Attributes:
        cells: operand → cell → value; money in minor units. A count without a cell is 0.
        about: operand → what it counts, in words.
        trust: how far to believe them.
        notes: what is to be said beside them.
        sql: the question.
        listed: operand → the records behind it, made when asked for.
    """

    cells: dict[Operand, dict[Cell, Fraction]]
    about: dict[Operand, str]
    trust: Trust
    notes: tuple[str, ...]
    sql: str
    listed: dict[Operand, Callable[[], pa.Table]] = field(default_factory=dict)


def sources(asked: Asked, operands: list[Operand]) -> list[Source]:
    """Every operand measured, in as few questions as there are views among them.

    Raises:
        UsageError: an operand that the unit does not have.
    """
    for one in operands:
        _check(asked, one)
    found = [
        _volume(asked, view, own)
        for view in ("entered", "cohort", "standing")
        if (own := [one for one in operands if one.what == view])
    ]
    steps = [one for one in operands if one.what in tree.STEPS]
    for pair in dict.fromkeys(one.stages for one in steps):
        found.append(_step(asked, pair, [one for one in steps if one.stages == pair]))
    ended = [one for one in operands if one.what in tree.OUTCOMES]
    summed = [one for one in operands if one.what == "sum"]
    group = grouping(asked) if ended or summed else None
    if ended and group is not None:
        found.append(_outcomes(asked, group, ended))
    if summed and group is not None:
        found.append(_sums(asked, group, summed))
    found += [_duration(asked, one) for one in operands if one.what in tree.DURATIONS]
    return found


def _check(asked: Asked, one: Operand) -> None:
    for stage in one.stages:
        asked.stage_number(stage)
    if one.money and asked.unit != "opportunities":
        raise UsageError(
            f"{tree.text(one)} is money of opportunities, not of {asked.unit}; ask with --unit opportunities."
        )
    if one.what in tree.OUTCOMES:
        outcome_counts.check(asked, one.what)


def _volume(asked: Asked, view: str, operands: list[Operand]) -> Source:
    result = volume(asked.opened, asked.query, view=view)
    rows = result.table.to_pylist()
    cells = {}
    for one in operands:
        column = "amount" if one.money else "count"
        own = [row for row in rows if row["stage"] == one.stages[0] and not _is_rolled_up(asked, row)]
        cells[one] = {_cell(asked, row): Fraction(row[column] or 0) for row in own}
    texts = {
        "entered": "{unit} by the day of their first visit of {stage}",
        "cohort": "of the {unit} that opened in the period, those that have reached {stage} by as-of",
        "standing": "{unit} that stand in {stage} at the end of the period",
    }
    about = {
        one: ("amount of " if one.money else "") + texts[view].format(unit=asked.unit, stage=one.stages[0])
        for one in operands
    }
    return _from(result, cells, about, {one: _stage_rows(result, one.stages[0]) for one in operands})


def _step(asked: Asked, pair: tuple[str, ...], operands: list[Operand]) -> Source:
    start, end = pair
    result = conversion(asked.opened, asked.query, from_stage=start, to_stage=end)
    rows = [row for row in result.table.to_pylist() if not _is_rolled_up(asked, row)]
    cells = {one: {_cell(asked, row): Fraction(row[one.what]) for row in rows} for one in operands}
    days = rows[0]["window_days"] if rows else None
    within = f" within {days} days" if days is not None else ""
    texts = {
        "started": f"{asked.unit} that reached {start} at a known time, long enough ago for {end}{within}",
        "converted": f"of these, those that entered {end} or beyond{within}",
    }
    listed = {one: _step_rows(result, one.what) for one in operands}
    return _from(result, cells, {one: texts[one.what] for one in operands}, listed)


def _duration(asked: Asked, one: Operand) -> Source:
    # Survival curves take a while to load, and most formulas hold no time.
    from leadline.metrics.velocity import velocity

    start, end = one.stages[0], one.stages[-1]
    measure = "sum" if start == end else "elapsed"
    result = velocity(asked.opened, asked.query, measure=measure, from_stage=start, to_stage=end)
    rows = [row for row in result.table.to_pylist() if row["stage"] == start and row["median_days"] is not None]
    cells = {one: {_cell(asked, row): Fraction(row["median_days"]) for row in rows}}
    spent = f"in {start}" if start == end else f"from {start} to {end} or out of the funnel"
    about = {one: f"median days of {asked.unit} {spent} (Kaplan–Meier, open ones censored); absent: not reached"}
    return _from(result, cells, about, {one: _stage_rows(result, start)})


def _from(
    result: Result,
    cells: dict[Operand, dict[Cell, Fraction]],
    about: dict[Operand, str],
    listed: dict[Operand, Callable[[], pa.Table]],
) -> Source:
    return Source(cells, about, result.trust, result.notes, result.query, listed)


def _is_rolled_up(asked: Asked, row: dict[str, Any]) -> bool:
    """Whether a row holds others of the table: the grid adds those up itself."""
    return rollup.is_rolled_up(asked.by, tuple(row[name] for name in asked.by))


def _cell(asked: Asked, row: dict[str, Any]) -> Cell:
    return (*[row[name] for name in asked.by], row["period"])


def _stage_rows(result: Result, stage: str) -> Callable[[], pa.Table]:
    return lambda: _kept(result.records().table, "stage", stage)


def _step_rows(result: Result, what: str) -> Callable[[], pa.Table]:
    def rows() -> pa.Table:
        table = result.records().table
        return table if what == "started" else _kept(table, "in_numerator", value=True)

    return rows


def _kept(table: pa.Table, column: str, value: Any) -> pa.Table:
    return table.filter(pc.equal(table[column], value))


def _outcomes(asked: Asked, group: Grouping, operands: list[Operand]) -> Source:
    found = outcome_counts.outcomes(asked, group, [one.what for one in operands])
    cells = {one: _labelled(asked, found.cells[one.what]) for one in operands}
    unit = asked.unit
    texts = {
        "won": f"{unit} that closed as won in the period",
        "lost": f"{unit} that closed as lost in the period",
        "open": f"{unit} that are open at the end of the period",
    }
    about = {
        one: ("amount of " if one.what in tree.OUTCOME_AMOUNTS else "") + texts[one.what.partition("_")[0]]
        for one in operands
    }
    made = Assembly(asked, "volume", "Outcomes", "; ".join(about.values()))
    result = made.result((), [], query=found.marks, units=found.marks, by=())
    notes = []
    if found.without_amount and any(one.what in tree.OUTCOME_AMOUNTS for one in operands):
        notes.append(f"{found.without_amount:,} of the {unit} counted have no known amount and add nothing to amounts.")

    def rows(state: str) -> Callable[[], pa.Table]:
        own = found.marks.filter(found.marks.state == state).mutate(stage_no=ibis.null("int64"))
        return lambda: made.list_of(group, own, state).table

    listed = {one: rows(one.what.partition("_")[0]) for one in operands}
    return Source(cells, about, result.trust, (*notes, *result.notes), result.query, listed)


def _sums(asked: Asked, group: Grouping, operands: list[Operand]) -> Source:
    days = flags.dates(asked, flags.OPENED)
    dated = periods.with_period(asked, periods.within(asked, days, "day"), "day").select("unit_id", "period_day")
    wanted = [asked.stage_number(one.stages[0]) for one in operands]
    set_flags = flags.flags(asked).filter(ibis._.stage_no.isin(wanted))
    marks = asked.opened.keep(group.of(set_flags.join(dated, "unit_id")))
    sums = {"count": marks.count()} | ({"amount": marks.amount.sum()} if asked.unit == "opportunities" else {})
    counted = marks.group_by(*asked.by, "period_day", "stage_no").aggregate(**sums)
    rows = asked.opened.arrow(counted).to_pylist()
    cells = {}
    for one, number in zip(operands, wanted, strict=True):
        column = "amount" if one.money else "count"
        own = {
            (*[row[name] for name in asked.by], row["period_day"]): Fraction(row[column] or 0)
            for row in rows
            if row["stage_no"] == number
        }
        cells[one] = _labelled(asked, own)
    about = {
        one: ("amount of " if one.money else "")
        + f"{asked.unit} that opened in the period and have {one.stages[0]} on record as of now, whenever it came"
        for one in operands
    }
    made = Assembly(asked, "volume", "Flags", "; ".join(about.values()))
    result = made.result((), [], query=marks, units=marks, by=())

    def listed(number: int) -> Callable[[], pa.Table]:
        own = marks.filter(marks.stage_no == number).mutate(at_s=ibis.null("int64"))
        return lambda: made.list_of(group, own, "flag").table

    tables = {one: listed(number) for one, number in zip(operands, wanted, strict=True)}
    return Source(cells, about, result.trust, result.notes, result.query, tables)


def _labelled(asked: Asked, cells: dict[tuple, Fraction]) -> dict[Cell, Fraction]:
    """Cells by first day of the period → by its label."""
    return {
        (*dims, asked.period_label(None if day == NO_PERIOD else day)): value for (*dims, day), value in cells.items()
    }


_GRADES = (None, "D", "C", "B", "A")


def combined(trusts: Iterable[Trust]) -> Trust:
    """Trust of a number that rests on several: the lowest grade and share, the evidence of that one."""
    known = [one for one in trusts if one.grade is not None]
    if not known:
        return Trust()
    worst = min(known, key=lambda one: (_GRADES.index(one.grade), one.clean_share or 0.0))
    findings = dict.fromkeys(code for one in [worst, *known] for code in one.findings)
    return Trust(worst.grade, min(one.clean_share or 0.0 for one in known), worst.evidence, tuple(findings))
