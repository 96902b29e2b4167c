"""Cohort triangle: what share of each start period had gone on at each age.

Every cell is a cohort rate with the age as its window, so that a cell says the same as the table
asked with that window. An age that nobody has reached yet has no cell.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import ibis
import ibis.expr.types as ir
import numpy as np
from numpy.typing import NDArray

from leadline.errors import UnknownNameError
from leadline.metrics import rollup
from leadline.metrics.assemble import Assembly
from leadline.metrics.conversion import cohort, denominators
from leadline.metrics.grouping import grouping
from leadline.metrics.periods import NO_PERIOD
from leadline.metrics.query import Asked, Query, ask
from leadline.metrics.rates import cells, steps
from leadline.metrics.rates.cells import SMALL, Key
from leadline.metrics.rates.steps import Transition
from leadline.model.opened import Opened
from leadline.results import Column, Result

KIND = "conversion-triangle"

AGES = {"days": 1, "weeks": 7}
"""Length of one step of age in days."""

TEXT = (
    "Cumulative share that entered the later stage or one beyond it within each age, of the units that reached the "
    "earlier one at least that long ago; ages that no unit has reached are absent"
)

COLUMNS = (
    Column("period", "text", help="Period of the first entry into the earlier stage"),
    Column("from_stage", "text", help="The earlier stage"),
    Column("to_stage", "text", help="The later stage"),
    Column("age", "integer", help="Age in steps of days or weeks since the earlier stage was reached"),
    Column("age_days", "integer", "days", "The same in days: units had this many days to go on"),
    Column("started", "integer", help="Denominator: units at least that old, with a known time"),
    Column("converted", "integer", help="Numerator: of these, went on within the age"),
    Column("too_young", "integer", help="Units of the cohort that are not that old yet; not in this cell"),
    Column("rate", "rate", help="Converted divided by started"),
    Column("rate_low", "rate", help="Lower end of the 95 % Wilson interval"),
    Column("rate_high", "rate", help="Upper end of the 95 % Wilson interval"),
    Column("small", "boolean", help=f"Fewer than {SMALL} units started"),
    Column("complete", "boolean", help="The whole cohort has reached this age, and its period is over"),
    Column("last_complete_age", "integer", help="The oldest complete age of the cohort; absent if none is"),
)


def triangle(
    opened: Opened,
    query: Query,
    *,
    age: str = "weeks",
    window_days: int | None = None,
    from_stage: str | None = None,
    to_stage: str | None = None,
) -> Result:
    """Cumulative conversion by age and start period, up to the window of each transition.

    Args:
        query: without a grain the start periods are months.
        age: days or weeks.
        window_days: the oldest age; default: the window of the transition.
        from_stage, to_stage: one transition; default: each stage to the next.

    Raises:
        UnknownNameError: age, stage, unit, funnel or dimension that does not exist.
        UsageError: a transition backwards or a window below 0.
    """
    if age not in AGES:
        raise UnknownNameError("age", age, list(AGES))
    asked = ask(opened, query if query.grain else replace(query, grain="month"), numbered=True)
    wanted = steps.transitions(asked, window_days, from_stage, to_stage)
    group = grouping(asked)
    question = group.of(cohort(asked, wanted))
    marks = opened.keep(question)
    made = Assembly(asked, "conversion", f"Conversion of {asked.unit} by age", f"{TEXT}. Unit: {asked.unit}.")
    rows = list(_rows(asked, wanted, marks, AGES[age]))
    result = made.result(
        COLUMNS,
        rows,
        query=question,
        units=marks,
        records=lambda: denominators(made, group, marks),
        notes=[f"Age in {age}. Cells that are not complete still change: part of the cohort is younger."],
    )
    return replace(result, kind=KIND)


def _rows(asked: Asked, wanted: list[Transition], marks: ir.Table, step: int) -> Iterator[dict[str, Any]]:
    old, went_on, late = _histograms(asked, marks)
    windows = {(one.start, one.end): one.window for one in wanted}
    for key in cells.ordered([key for key in old if key[-3] != NO_PERIOD]):
        window = windows[(key[-2], key[-1])]
        ages = np.minimum(np.arange(-(-window // step) + 1) * step, window)
        columns = _columns(ages, old[key], went_on.get(key, Histogram()), late.get(key, Histogram()))
        over = not _is_running(asked, key[-3])
        complete = [cell["age"] for cell in columns if over and not cell["too_young"]]
        for cell in columns:
            yield {
                **cells.named(asked, key),
                **cell,
                **cells.rated(cell["converted"], cell["started"]),
                "small": cell["started"] < SMALL,
                "complete": cell["age"] in complete,
                "last_complete_age": max(complete, default=None),
            }


def _is_running(asked: Asked, period_day: int) -> bool:
    end = cells.period_end(asked, period_day)
    return end is not None and end >= asked.opened.as_of.day


@dataclass
class Histogram:
    """Units by a number of days.

    Attributes:
        days: distinct numbers of days.
        units: how many units have each.
    """

    days: list[int] = field(default_factory=list)
    units: list[int] = field(default_factory=list)

    def up_to(self, ages: NDArray[np.int64]) -> NDArray[np.int64]:
        """Units whose days are at most each age."""
        order = np.argsort(self.days, kind="stable")
        running = np.append(0, np.cumsum(np.asarray(self.units, np.int64)[order]))
        found: NDArray[np.int64] = running[np.searchsorted(np.asarray(self.days, np.int64)[order], ages, side="right")]
        return found


def _columns(ages: NDArray[np.int64], old: Histogram, went_on: Histogram, late: Histogram) -> list[dict[str, int]]:
    """The cells of one cohort, youngest age first; none for ages that no unit has reached.

    Args:
        ages: in days, ascending.
        old: units by the full days they have had.
        went_on: of these, those that have gone on.
        late: the same by the days it took them.

    Who went on but has not reached an age yet was fast enough for it, so a numerator is those that were
    fast enough less those that are younger.
    """
    everyone = sum(old.units)
    started = everyone - old.up_to(ages - 1)
    converted = late.up_to(ages) - went_on.up_to(ages - 1)
    return [
        {
            "age": at,
            "age_days": int(ages[at]),
            "started": int(started[at]),
            "converted": int(converted[at]),
            "too_young": int(everyone - started[at]),
        }
        for at in range(len(ages))
        if started[at]
    ]


def _histograms(
    asked: Asked, marks: ir.Table
) -> tuple[dict[Key, Histogram], dict[Key, Histogram], dict[Key, Histogram]]:
    """Units of each cohort by the full days they have had, those that went on among them, and by the days it took."""
    dated = marks.filter(marks["class"].isin(["started", "too_young"]))
    aged = dated.mutate(
        had=asked.opened.as_of.day - 1 - dated.reached_day,
        took=dated.at_day - dated.reached_day,
        went_on=dated.at_day.notnull().cast("int64"),
    )
    keys = [*asked.by, "period_day", "from_no", "to_no"]
    by_age = aged.group_by(*keys, "had").aggregate(units=aged.count(), went_on=aged.went_on.sum())
    by_time = aged.filter(aged.took.notnull()).group_by(*keys, "took").aggregate(units=ibis._.count())
    ages, times = (asked.opened.arrow(one).to_pylist() for one in (by_age, by_time))
    return (
        _gathered(asked, keys, ages, "had", "units"),
        _gathered(asked, keys, ages, "had", "went_on"),
        _gathered(asked, keys, times, "took", "units"),
    )


def _gathered(asked: Asked, keys: list[str], rows: list[dict[str, Any]], days: str, units: str) -> dict[Key, Histogram]:
    found: dict[Key, Histogram] = {}
    for row in rows:
        one = found.setdefault(tuple(row[key] for key in keys), Histogram())
        one.days.append(row[days])
        one.units.append(row[units])
    for key, tops in rollup.holders(asked.by, list(found)).items():
        for top in tops:
            one = found.setdefault(top, Histogram())
            one.days += found[key].days
            one.units += found[key].units
    return found
