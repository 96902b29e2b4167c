"""Learning conversion windows and stuck limits from the data, once (see `numbers`)."""

from __future__ import annotations

from itertools import pairwise

import ibis
import ibis.expr.types as ir
import numpy as np

from leadline.maths.survival import Durations, aalen_johansen, learned_window
from leadline.metrics import units
from leadline.metrics.query import Asked, Query, ask
from leadline.metrics.times import numbers, standing
from leadline.model.funnels import waiting_stages
from leadline.model.opened import Opened

OLD_DAYS = 365
QUANTILE = 0.9


def learned(opened: Opened, known: dict[str, int]) -> dict[str, int]:
    """`known` and every number that can be learned now and was not known before.

    Numbers are learned for journeys and opportunities; the other units use those of journeys.
    """
    found = dict(known)
    for name, funnel in opened.settings.funnel.items():
        for unit in ("journeys", "opportunities"):
            if unit == "journeys" and not funnel.of_people:
                continue
            asked = ask(opened, Query(unit=unit, funnel=name), numbered=True)
            found.update({key: days for key, days in _windows(asked).items() if key not in known})
            found.update({key: limit for key, limit in _limits(asked).items() if key not in known})
    return found


def _windows(asked: Asked) -> dict[str, int]:
    pairs = list(pairwise(asked.stages))
    if not pairs:
        return {}
    counted = asked.opened.arrow(_counts(asked, pairs)).to_pylist()
    found = {}
    for start, end in pairs:
        rows = [row for row in counted if (row["from_no"], row["to_no"]) == (start, end)]
        if sum(row["old"] for row in rows) < numbers.NEEDED:
            continue
        durations = Durations.of(
            [row["days"] for row in rows],
            [[row["went_on"], row["left"]] for row in rows],
            [row["waiting"] for row in rows],
        )
        found[numbers.window_key(asked, start, end)] = learned_window(aalen_johansen(durations))
    return found


def _counts(asked: Asked, pairs: list[tuple[int, int]]) -> ir.Table:
    """Units per transition and days: went on, left without going on, still waiting at as-of."""
    reached = units.stages(asked)
    cases = [(reached.stage_no == start, ibis.literal(end, "int64")) for start, end in pairs]
    earlier = reached.filter(reached.entered_s.notnull()).mutate(to_no=ibis.cases(*cases))
    earlier = earlier.filter(earlier.to_no.notnull()).select(
        "unit_id", "to_no", from_no="stage_no", reached_s="entered_s", reached_day="entered_day"
    )
    later = reached.select("unit_id", to_no="stage_no", at_s="later_s", at_day="later_day")
    joined = earlier.left_join(later, ["unit_id", "to_no"]).drop("unit_id_right", "to_no_right")
    joined = joined.filter(joined.at_s.isnull() | (joined.at_s >= joined.reached_s))
    joined = joined.left_join(_ends(asked), "unit_id")
    as_of = asked.opened.as_of.day
    went_on, left = joined.at_day.notnull(), joined.at_day.isnull() & joined.ended_day.notnull()
    last = ibis.coalesce(joined.at_day, joined.ended_day, ibis.literal(as_of, "int64"))
    spans = joined.mutate(days=ibis.greatest(last - joined.reached_day, ibis.literal(0, "int64")))
    return spans.group_by("from_no", "to_no", "days").aggregate(
        went_on=went_on.cast("int64").sum(),
        left=left.cast("int64").sum(),
        waiting=(~went_on & ~left).cast("int64").sum(),
        old=(joined.reached_day + OLD_DAYS < as_of).cast("int64").sum(),
    )


def _ends(asked: Asked) -> ir.Table:
    if asked.unit == "opportunities":
        return asked.opened["deals"].select(unit_id="opportunity_id", ended_day="closed_day")
    return units.of_funnel(asked, "journeys").select("ended_day", unit_id="journey_id")


def _limits(asked: Asked) -> dict[str, int]:
    """Per waiting stage the length that nine in ten of the visits that moved up stayed within, in seconds."""
    stages = [stage for stage in waiting_stages(asked.funnel) if stage in asked.stages]
    moved = standing.advanced_visits(asked, standing.measured(asked))
    counted = moved.group_by("stage_no", "seconds").aggregate(visits=moved.count())
    rows = asked.opened.arrow(counted.order_by("stage_no", "seconds")).to_pylist()
    found = {}
    for stage in stages:
        own = [row for row in rows if row["stage_no"] == stage and row["seconds"] >= 0]
        total = np.cumsum([row["visits"] for row in own])
        if len(own) and total[-1] >= numbers.NEEDED:
            place = int(np.searchsorted(total, QUANTILE * total[-1]))
            found[numbers.stuck_key(asked, stage)] = int(own[place]["seconds"])
    return found
