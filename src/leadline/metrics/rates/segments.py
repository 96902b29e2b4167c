"""Segments of the units of a rate: every value of many dimensions, with what a clustered test needs of each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import ibis
import ibis.expr.types as ir

from leadline.metrics import dimensions, units
from leadline.metrics.dimensions import CAMPAIGN, NO_RESPONSE
from leadline.metrics.grouping import Grouping
from leadline.metrics.query import Asked
from leadline.model import dimensions as declared_dimensions

LINKS = ("campaign_id", "person_id", "account_id")
"""What decides the values of most dimensions."""
FEW = ("campaign_id", "account_id")
"""Links of which there are far fewer than units."""

Key = tuple[Any, ...]
Counts = dict[str, int]
Moments = list[list[int]]


@dataclass(frozen=True, slots=True)
class Segment:
    """One value of one dimension at one transition, and all units there.

    Attributes:
        moments: sum over clusters of the products of (converted, started, all_converted, all_started).
    """

    dimension: str
    value: str
    start: int
    end: int
    started: int
    converted: int
    all_started: int
    all_converted: int
    moments: Moments

    @property
    def rate(self) -> float:
        """Converted ÷ started."""
        return self.converted / self.started

    @property
    def rest_rate(self) -> float:
        """The same of all other units."""
        return (self.all_converted - self.converted) / (self.all_started - self.started)


class Segments:
    """The units that started a transition, split in many ways.

    Args:
        asked: the question, without dimensions.
        group: its units.
        marks: `conversion.cohort` marks of its transitions, kept.
        names: the dimensions to split by.
    """

    def __init__(self, asked: Asked, group: Grouping, marks: ir.Table, names: Sequence[str]) -> None:
        self.asked, self.group, self.marks, self.names = asked, group, marks, names
        started = marks.filter(marks["class"] == "started")
        narrow = started.select("unit_id", "from_no", "to_no", hit=started.converted.cast("int64"))
        self.values = dimensions.stored(asked, names)
        links = None if self.values is not None else group.linked.select("unit_id", *LINKS)
        self.base = asked.opened.keep(narrow if links is None else narrow.join(links, "unit_id"))
        self.shared = self._shared()

    def split(self) -> list[Segment]:
        """Every value of the dimensions at every transition, single ones (all units) left out.

        Units without a value of a dimension are no segment of it and in no rest: a field that is filled
        as records move on is empty because they did not.

        Raises:
            UnknownNameError: a dimension that does not exist.
            UsageError: one of which the unit has no single value.
        """
        rows = self.asked.opened.arrow(self._counts()).to_pylist()
        totals = _totals(rows)
        hanging, whole = ({}, {}) if self.shared is None else self._hanging(self.shared)
        found = []
        for row in rows:
            place = (row["dimension"], row["from_no"], row["to_no"])
            if 0 < row["started"] < totals[place]["started"]:
                found.append(
                    _segment(row, totals[place], hanging.get((*place, row["value"]), {}), whole.get(place, {}))
                )
        return found

    def _shared(self) -> ir.Table | None:
        """Units of `base` that share a deal with others: its columns and cluster; None where no unit can.

        A unit with several deals is in the cluster of the first of them.
        """
        asked = self.asked
        if asked.unit == "opportunities" or "journey_opportunities" not in asked.opened:
            return None
        held = units.of_funnel(asked, "journey_opportunities").select("journey_id", "opportunity_id")
        pairs = units.linked_to(asked, held).select("unit_id", "opportunity_id").distinct()
        firsts = pairs.group_by("opportunity_id").aggregate(first_unit=pairs.unit_id.min())
        joined = pairs.join(firsts, "opportunity_id")
        clusters = joined.group_by("unit_id").aggregate(cluster=joined.first_unit.min())
        sizes = clusters.group_by("cluster").aggregate(size=clusters.count())
        several = clusters.join(sizes.filter(sizes.size > 1), "cluster").select("unit_id", "cluster")
        return asked.opened.keep(self.base.join(several, "unit_id"))

    def _counts(self) -> ir.Table:
        """dimension, value, from_no, to_no, started, converted of every segment."""
        narrowed: dict[str, ir.Table] = {}
        parts = []
        for name in self.names:
            link = None if self.values is not None else self._link(name)
            if link in FEW and link not in narrowed:
                counted = self.base.group_by(link, "from_no", "to_no").aggregate(
                    started=self.base.count(), converted=self.base.hit.sum()
                )
                # What few campaigns or accounts share is counted once for all their dimensions.
                narrowed[link] = self.asked.opened.keep(counted)
            single = self.base.mutate(started=ibis.literal(1, "int64"), converted=self.base.hit)
            own = self._valued(narrowed.get(link or "", single), name)
            summed = own.group_by("value", "from_no", "to_no").aggregate(
                started=own.started.sum().cast("int64"), converted=own.converted.sum().cast("int64")
            )
            parts.append(summed.mutate(dimension=ibis.literal(name)))
        return ibis.union(*parts)

    def _valued(self, rows: ir.Table, name: str) -> ir.Table:
        """Rows that have a value of a dimension, with it as `value`."""
        link = self._link(name)
        if self.values is not None:
            valued = rows.join(self.values.select("unit_id", value=self.values[name]), "unit_id")
        elif link is not None:
            attached = dimensions.attach(self.asked, rows, [name])
            valued = attached.mutate(value=attached[name])
        else:
            described = dimensions.attach(self.asked, self.group.linked, [name])
            valued = rows.join(described.select("unit_id", value=described[name]), "unit_id")
        kept = [column for column in rows.columns if column not in LINKS and column != name]
        known = valued.select(*kept, "value")
        return known.filter(known.value.notnull() & (known.value != NO_RESPONSE))

    def _link(self, name: str) -> str | None:
        """The column of `base` that alone decides the value of a dimension; None if it takes more."""
        fields = declared_dimensions.declared(self.asked.opened.settings)
        kind = declared_dimensions.kind_of(fields[name]) if name in fields else ""
        if name in CAMPAIGN:
            return "campaign_id"
        return {"campaign": "campaign_id", "account": "account_id", "person": "person_id"}.get(kind)

    def _hanging(self, shared: ir.Table) -> tuple[dict[Key, Counts], dict[Key, Counts]]:
        """What units that share deals add to moments beyond what single units make: per segment, and of all."""
        parts = [
            self._valued(shared, name)
            .select("from_no", "to_no", "cluster", "hit", "value")
            .mutate(dimension=ibis.literal(name))
            for name in self.names
        ]
        own = self.asked.opened.keep(ibis.union(*parts))
        clusters = own.group_by(*CLUSTER).aggregate(all_n=own.count(), all_y=own.hit.sum())
        segments, wholes = (
            self.asked.opened.arrow(one).to_pylist() for one in (_within(own, clusters), _overall(clusters))
        )
        return (
            {(row["dimension"], row["from_no"], row["to_no"], row["value"]): row for row in segments},
            {(row["dimension"], row["from_no"], row["to_no"]): row for row in wholes},
        )


CLUSTER = ("dimension", "from_no", "to_no", "cluster")


def _within(own: ir.Table, clusters: ir.Table) -> ir.Table:
    """Sums over clusters of the products of pairs of different units, at least one of them in the segment."""
    inside = own.group_by("value", *CLUSTER).aggregate(n=own.count(), y=own.hit.sum()).join(clusters, CLUSTER)
    sums = {
        "yy": inside.y * (inside.y - 1),
        "yn": inside.y * (inside.n - 1),
        "nn": inside.n * (inside.n - 1),
        "y_all_y": inside.y * (inside.all_y - 1),
        "y_all_n": inside.y * (inside.all_n - 1),
        "n_all_y": inside.n * inside.all_y - inside.y,
        "n_all_n": inside.n * (inside.all_n - 1),
    }
    return inside.group_by("dimension", "value", "from_no", "to_no").aggregate(
        **{name: one.sum().cast("int64") for name, one in sums.items()}
    )


def _overall(clusters: ir.Table) -> ir.Table:
    """The same of all units."""
    sums = {
        "yy": clusters.all_y * (clusters.all_y - 1),
        "ny": clusters.all_y * (clusters.all_n - 1),
        "nn": clusters.all_n * (clusters.all_n - 1),
    }
    return clusters.group_by("dimension", "from_no", "to_no").aggregate(
        **{name: one.sum().cast("int64") for name, one in sums.items()}
    )


def _totals(rows: list[dict[str, Any]]) -> dict[Key, Counts]:
    """started and converted per dimension and transition, over all its values."""
    found: dict[Key, Counts] = {}
    for row in rows:
        total = found.setdefault((row["dimension"], row["from_no"], row["to_no"]), {"started": 0, "converted": 0})
        for name in total:
            total[name] += row[name]
    return found


def _segment(row: dict[str, Any], total: Counts, extra: Counts, whole: Counts) -> Segment:
    y, n = row["converted"], row["started"]
    all_y, all_n = total["converted"], total["started"]
    more = {name: extra.get(name, 0) for name in ("yy", "yn", "nn", "y_all_y", "y_all_n", "n_all_y", "n_all_n")}
    yy, yn, nn = y + more["yy"], y + more["yn"], n + more["nn"]
    y_all_y, y_all_n = y + more["y_all_y"], y + more["y_all_n"]
    n_all_y, n_all_n = y + more["n_all_y"], n + more["n_all_n"]
    whole_yy, whole_ny, whole_nn = all_y + whole.get("yy", 0), all_y + whole.get("ny", 0), all_n + whole.get("nn", 0)
    return Segment(
        dimension=row["dimension"],
        value=row["value"],
        start=row["from_no"],
        end=row["to_no"],
        started=n,
        converted=y,
        all_started=all_n,
        all_converted=all_y,
        moments=[
            [yy, yn, y_all_y, y_all_n],
            [yn, nn, n_all_y, n_all_n],
            [y_all_y, n_all_y, whole_yy, whole_ny],
            [y_all_n, n_all_n, whole_ny, whole_nn],
        ],
    )
