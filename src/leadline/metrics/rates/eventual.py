"""Eventual conversion: how probable it is to reach a stage at all, leaving the funnel competing with it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import ibis
import ibis.expr.types as ir
import numpy as np

from leadline.maths.survival import aalen_johansen
from leadline.metrics import rollup, units
from leadline.metrics.query import Asked
from leadline.metrics.rates import firsts, steps
from leadline.metrics.rates.steps import Transition
from leadline.metrics.times.lengths import NOTHING, Lengths, counted, number
from leadline.metrics.times.standing import ADVANCED, CENSORED, EXIT
from leadline.model.calendar import DAY_SECONDS

Key = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Estimate:
    """Probability of reaching the later stage by as-of, its standard error and 95 % limits (log-log)."""

    units: int
    went_on: int
    waiting: int
    share: float
    se: float | None
    low: float | None
    high: float | None


def marked(asked: Asked, wanted: Sequence[Transition]) -> ir.Table:
    """Units with the time from the earlier stage to what came of them.

    Columns of `steps.placed` with seconds (whole days of 86,400), cause (advanced: came to the later
    stage or beyond; exit: the journey ended before; censored: neither by as-of) and ended_day. Started
    are all whose first entry has a time and came in order, however young.
    """
    pairs = steps.paired(asked, wanted)
    known = ibis.cases(
        (pairs.reached_s.isnull() & pairs.beyond_day.isnull(), "undated"),
        (pairs.reached_s.isnull(), "implied"),
        (steps.backwards(pairs), "out_of_order"),
        else_="started",
    )
    classed = pairs.mutate(**{"class": known})
    classed = classed.mutate(converted=(classed["class"] == "started") & classed.at_s.notnull())
    joined = classed.left_join(ends(asked), "unit_id").drop("unit_id_right")
    as_of = ibis.literal(asked.opened.as_of.day, "int64")
    last = ibis.coalesce(joined.at_day, joined.ended_day, as_of)
    cause = ibis.cases((joined.at_day.notnull(), ADVANCED), (joined.ended_day.notnull(), EXIT), else_=CENSORED)
    known = joined.mutate(seconds=_seconds(joined, last), cause=cause)
    return steps.placed(asked, known, extra=["seconds", "cause", "ended_day"])


def _seconds(rows: ir.Table, last: ir.IntegerValue) -> ir.IntegerValue:
    """Whole days from the earlier stage to the last day, never below 0."""
    days: ir.IntegerValue = ibis.greatest(last - rows.reached_day, ibis.literal(0, "int64"))
    return days * DAY_SECONDS


def ends(asked: Asked) -> ir.Table:
    """unit_id, ended_day: the day from which a unit moves no more, null while any of its journeys is open."""
    if asked.unit == "opportunities":
        return asked.opened["deals"].select(unit_id="opportunity_id", ended_day="closed_day")
    journeys = units.of_funnel(asked, "journeys").select("journey_id", "ended_day")
    if asked.unit == "journeys":
        return journeys.select("ended_day", unit_id="journey_id")
    if asked.unit == "responses":
        own = units.of_funnel(asked, "responses").select("journey_id", unit_id="response_id")
    else:
        own = units.links(asked)
    joined = own.join(journeys, "journey_id")
    whole = joined.group_by("unit_id").aggregate(
        is_open=joined.ended_day.isnull().cast("int64").max(), last_day=joined.ended_day.max()
    )
    return whole.select("unit_id", ended_day=ibis.ifelse(whole.is_open == 1, ibis.null("int64"), whole.last_day))


def estimates(asked: Asked, marks: ir.Table) -> dict[Key, Estimate]:
    """The estimate of each group and transition: keys are the dimensions, period_day, from_no, to_no."""
    started = marks.filter(marks["class"] == "started")
    return _estimated(asked, counted(asked, started, [*asked.by, "period_day", "from_no", "to_no"]))


def shares_of_first(asked: Asked, wanted: Sequence[Transition], marks: ir.Table) -> dict[Key, float]:
    """The probability of coming from the first stage to each one beyond the second: keys end with its number.

    Units that did not come so far end as they end whatever the stage, so they are those that would have ended
    so if nobody came further, less those that did.
    """
    further = firsts.beyond(wanted)
    if not further:
        return {}
    own = firsts.of_first(marks, wanted)
    timed = own.filter(own.reached_s.notnull())
    ended = ibis.coalesce(timed.ended_day, ibis.literal(asked.opened.as_of.day, "int64"))
    stayed = timed.mutate(
        seconds=_seconds(timed, ended), cause=ibis.ifelse(timed.ended_day.notnull(), EXIT, ibis.literal(CENSORED))
    )
    came = firsts.came(asked, further, stayed)
    gone = came.filter(came.end_s >= came.reached_s)
    gone = gone.mutate(seconds=_seconds(gone, gone.end_day), cause=ibis.literal(ADVANCED))
    keys = [*asked.by, "period_day"]
    everyone = counted(asked, stayed, keys)
    not_so, went_on = counted(asked, came, [*keys, "end_no"]), counted(asked, gone, [*keys, "end_no"])
    groups = {}
    for place, whole in everyone.items():
        for one in further:
            key = (*place, one.end)
            groups[key] = _without(whole, not_so.get(key, NOTHING), went_on.get(key, NOTHING))
    return {key: one.share for key, one in _estimated(asked, groups).items() if one.units}


def _without(whole: Lengths, less: Lengths, more: Lengths) -> Lengths:
    """Counts less some of them, and others in their place."""
    seconds = np.concatenate([whole.seconds, less.seconds, more.seconds])
    counts = np.concatenate([whole.counts, -less.counts, more.counts])
    distinct, place = np.unique(seconds, return_inverse=True)
    merged = np.zeros((len(distinct), counts.shape[1]), np.int64)
    np.add.at(merged, place.reshape(-1), counts)
    return Lengths(distinct, merged, 0)


def _estimated(asked: Asked, found: dict[Key, Lengths]) -> dict[Key, Estimate]:
    """Estimates of groups, campaigns above others rolled up."""
    groups = {key: [one] for key, one in found.items()}
    for key, tops in rollup.holders(asked.by, groups).items():
        for top in tops:
            groups.setdefault(top, []).extend(groups[key])
    return {key: estimate(parts) for key, parts in groups.items()}


def estimate(parts: Sequence[Lengths]) -> Estimate:
    """Aalen–Johansen on counts per number of days."""
    seconds = np.concatenate([one.seconds for one in parts])
    counts = np.concatenate([one.counts for one in parts])
    durations = Lengths(seconds, counts, 0).durations()
    curve = aalen_johansen(durations)
    return Estimate(
        units=durations.units,
        went_on=int(durations.events[:, 0].sum()),
        waiting=int(durations.censored.sum()),
        share=curve.final,
        se=number(curve.se[-1]) if len(curve.se) else None,
        low=number(curve.low[-1]) if len(curve.low) else None,
        high=number(curve.high[-1]) if len(curve.high) else None,
    )
