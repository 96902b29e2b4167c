"""The headline numbers, as parts that add up over people and opportunities.

A rate is two counts, a median is a count per length, so that numbers of everybody are those of the
touched plus those of the others, exactly.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import ibis
import ibis.expr.types as ir
import numpy as np

from leadline.effects.worlds import KEY, Touched
from leadline.metrics.conversion import cohort
from leadline.metrics.credit import touches
from leadline.metrics.query import Asked, Query, ask
from leadline.metrics.rates.steps import Transition, transitions
from leadline.metrics.times.figures import is_thin, percentiles
from leadline.metrics.times.lengths import Lengths
from leadline.metrics.times.measures import measure_times
from leadline.metrics.times.spans import day_count
from leadline.metrics.units import stages, units
from leadline.model.opened import Opened

WHOLE = ""
"""The world of everybody."""

CAUSES = ("advanced", "exit", "censored")


@dataclass(frozen=True, slots=True)
class Number:
    """One headline number.

    Attributes:
        metric: volume, conversion, velocity or influence.
        name: what it is, in words.
        kind: count, rate, days or money (minor units).
        value: None where it cannot be said.
    """

    metric: str
    name: str
    kind: str
    value: float | None


@dataclass
class Parts:
    """What adds up, of everybody or of one world.

    Attributes:
        reached: stage → units.
        rates: (from, to) → units started and converted.
        lengths: stage → (seconds, cause) → units.
        won, credited: amount of won opportunities, and of those somebody has touched (minor units).
    """

    reached: Counter[int] = field(default_factory=Counter)
    started: Counter[tuple[int, int]] = field(default_factory=Counter)
    converted: Counter[tuple[int, int]] = field(default_factory=Counter)
    lengths: dict[int, Counter[tuple[int, str]]] = field(default_factory=lambda: defaultdict(Counter))
    won: int = 0
    credited: int = 0

    def plus(self, other: Parts, sign: int = 1) -> Parts:
        """These parts and `sign` times others."""
        made = Parts(won=self.won + sign * other.won, credited=self.credited + sign * other.credited)
        for name in ("reached", "started", "converted"):
            getattr(made, name).update(_added(getattr(self, name), getattr(other, name), sign))
        for stage in {*self.lengths, *other.lengths}:
            made.lengths[stage] = Counter(_added(self.lengths[stage], other.lengths[stage], sign))
        return made


def _added(one: Mapping[Any, int], two: Mapping[Any, int], sign: int) -> dict[Any, int]:
    return {key: one.get(key, 0) + sign * two.get(key, 0) for key in {*one, *two}}


class Headline:
    """The headline numbers of one snapshot: its first funnel, in its usual unit."""

    def __init__(self, opened: Opened) -> None:
        self.opened = opened
        self.asked = ask(opened, Query())
        self.steps = transitions(self.asked, None, None, None)
        self.people = next((name for name, funnel in opened.settings.funnel.items() if funnel.of_people), None)

    def parts(self, who: Touched | None = None) -> dict[str, Parts]:
        """Parts by world; without `who` those of everybody, under `WHOLE`."""
        found: dict[str, Parts] = defaultdict(Parts)
        chosen = self._chosen(who)
        self._reached(found, chosen)
        self._rates(found, chosen)
        self._lengths(found, chosen)
        if self.people is not None:
            self._amounts(found, None if who is None else who.deals)
        return found

    def _chosen(self, who: Touched | None) -> ir.Table | None:
        """The units measured: world, unit_id; None for all."""
        if who is None:
            return None
        if self.asked.unit == "opportunities":
            return who.deals.select(KEY, unit_id="opportunity_id")
        own = units(self.asked).select("unit_id", "person_id").join(who.persons, "person_id")
        return self.opened.keep(own.select(KEY, "unit_id"))

    def _of(self, table: ir.Table, chosen: ir.Table | None) -> ir.Table:
        if chosen is None:
            return table.mutate(**{KEY: ibis.literal(WHOLE)})
        return table.join(chosen, "unit_id")

    def _rows(self, table: ir.Table) -> list[dict[str, Any]]:
        return list(self.opened.arrow(table).to_pylist())

    def _reached(self, found: dict[str, Parts], chosen: ir.Table | None) -> None:
        rows = self._of(stages(self.asked).select("unit_id", "stage_no"), chosen)
        for row in self._rows(rows.group_by(KEY, "stage_no").aggregate(count=rows.count())):
            found[row[KEY]].reached[row["stage_no"]] += row["count"]

    def _rates(self, found: dict[str, Parts], chosen: ir.Table | None) -> None:
        marks = cohort(self.asked, self.steps)
        rows = self._of(
            marks.filter(marks["class"] == "started").select("unit_id", "from_no", "to_no", "converted"), chosen
        )
        counted = rows.group_by(KEY, "from_no", "to_no").aggregate(
            started=rows.count(), converted=rows.converted.cast("int64").sum()
        )
        for row in self._rows(counted):
            place = row["from_no"], row["to_no"]
            found[row[KEY]].started[place] += row["started"]
            found[row[KEY]].converted[place] += row["converted"]

    def _lengths(self, found: dict[str, Parts], chosen: ir.Table | None) -> None:
        times = measure_times(self.asked, "sum", day_count(self.asked, "calendar"), None, None)
        rows = self._of(times.question.select("unit_id", "stage_no", "seconds", "cause"), chosen)
        counted = rows.group_by(KEY, "stage_no", "seconds", "cause").aggregate(count=rows.count())
        for row in self._rows(counted.filter(counted.seconds >= 0)):
            found[row[KEY]].lengths[row["stage_no"]][row["seconds"], row["cause"]] += row["count"]

    def _amounts(self, found: dict[str, Parts], deals: ir.Table | None) -> None:
        influence = self.opened.settings.influence
        known = self.opened["deals"]
        won = known.filter((known.state == "won") & (known.amount_state == "known") & known.created_day.notnull())
        won = self.opened.keep(won if deals is None else won.semi_join(deals, "opportunity_id"))
        touched = touches.touches(self._of_deals(), won, influence.scope, influence.look_back_days)
        marked = won.left_join(
            touched.select(touched_id="opportunity_id").distinct(), [("opportunity_id", "touched_id")]
        )
        sums = marked.select(
            unit_id="opportunity_id",
            amount="amount",
            credited=ibis.ifelse(marked.touched_id.notnull(), marked.amount, ibis.literal(0, "int64")),
        )
        rows = self._of(sums, None if deals is None else deals.select(KEY, unit_id="opportunity_id"))
        for row in self._rows(rows.group_by(KEY).aggregate(won=rows.amount.sum(), credited=rows.credited.sum())):
            found[row[KEY]].won += int(row["won"] or 0)
            found[row[KEY]].credited += int(row["credited"] or 0)

    def _of_deals(self) -> Asked:
        return ask(self.opened, Query(unit="opportunities", funnel=self.people))

    def numbers(self, parts: Parts) -> list[Number]:
        """The headline numbers that parts come to, in the order of the funnel."""
        asked = self.asked
        found = [
            Number("volume", f"{asked.unit} that reached {asked.stage_name(stage)}", "count", parts.reached[stage])
            for stage in asked.stages
        ]
        found += [self._rate(parts, one) for one in self.steps]
        found += [self._median(parts, stage) for stage in asked.stages]
        if self.people is not None:
            share = parts.credited / parts.won if parts.won else None
            found.append(Number("influence", "won amount with a touch", "money", parts.credited))
            found.append(Number("influence", "share of the won amount with a touch", "rate", share))
        return found

    def _rate(self, parts: Parts, one: Transition) -> Number:
        place = one.start, one.end
        started = parts.started[place]
        name = f"rate {self.asked.stage_name(one.start)} > {self.asked.stage_name(one.end)}"
        return Number("conversion", name, "rate", parts.converted[place] / started if started else None)

    def _median(self, parts: Parts, stage: int) -> Number:
        counts: dict[int, list[int]] = defaultdict(lambda: [0] * len(CAUSES))
        for (seconds, cause), count in parts.lengths[stage].items():
            counts[seconds][CAUSES.index(cause)] += count
        ordered = sorted(counts)
        made = Lengths(
            np.array(ordered, np.int64), np.array([counts[one] for one in ordered], np.int64).reshape(-1, 3), 0
        )
        value = math.nan if is_thin(made) else float(percentiles(made, [0.5])[0, 0])
        name = f"median days in {self.asked.stage_name(stage)}"
        return Number("velocity", name, "days", None if math.isnan(value) else value)
