"""Checks of volume and freshness: objects nobody touched for long, days that break with the weeks before."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import ibis
import ibis.expr.types as ir
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from leadline.audit.check import Audited, Hits, Whole
from leadline.audit.limits import limit
from leadline.model.calendar import DAY_SECONDS

_LIVING = ("Lead", "Contact", "CampaignMember", "Opportunity")
WEEKS = 8
"""Weeks before a day that it is compared with."""

LEAST = 20
"""Records by which a day must differ; below, nothing is called sudden."""

_TO_SIGMA = 1.4826
"""Median absolute deviation → standard deviation of a normal distribution."""


def stale(at: Audited) -> Iterator[Whole]:
    """Objects whose newest change lies long before the load."""
    longest = limit(at.settings, "object-stale")
    for name in _LIVING:
        column = next((one for one in ("SystemModstamp", "LastModifiedDate") if at.source.has(name, one)), None)
        if column is None:
            continue
        newest = at.source.with_deleted(name).aggregate(newest=ibis._[column].epoch_seconds().max())
        (found,) = at.store.rows(newest)
        if found["newest"] is None:
            continue
        days = (at.built.as_of.second - int(found["newest"])) // DAY_SECONDS
        if days > longest:
            says = f"No record of {name} was changed for {days:,} days before the load: is its export still running?"
            yield Whole(name, says)


def jumps(at: Audited) -> Iterator[Hits]:
    """Days on which a source brought far more or fewer records than on the same weekdays before."""
    records = at["person_records"]
    leads = records.filter((records.object == "Lead") & ~records.deleted)
    sources = leads.select("record_id", day="created_day", series=leads.lead_source.fill_null("(none)"))
    yield from _series(at, "Lead", sources, leads, "lead source")
    members = at["members"]
    writers = at["users"].select("written_by", writer="user_id")
    joined = members.left_join(writers, [("created_by_id", "writer")])
    written = joined.select(
        record_id="response_id",
        day="created_day",
        series=ibis.coalesce(joined.written_by, joined.created_by_id, "(none)"),
    )
    yield from _series(at, "CampaignMember", written, members, "writer")


def _series(at: Audited, name: str, dated: ir.Table, among: ir.Table, what: str) -> Iterator[Hits]:
    dated = dated.filter(dated.day.notnull() & (dated.day < at.built.as_of.day))
    counted = at.store.rows(dated.group_by("series", "day").aggregate(count=dated.count()))
    flagged = _flagged(counted, limit(at.settings, "volume-jump"))
    if not flagged:
        return
    columns = {"series": [one["series"] for one in flagged], "day": [one["day"] for one in flagged]}
    table = ibis.memtable(pa.table(columns, schema=pa.schema([("series", pa.string()), ("day", pa.int64())])))
    found = dated.semi_join(table, ["series", "day"]).select("record_id")
    most = sorted(flagged, key=lambda one: (-abs(one["score"]), one["series"], one["day"]))[:5]
    shown = ", ".join(f"{one['series']} on {np.datetime64(one['day'], 'D')}: {one['count']:,}" for one in most)
    says = (
        f"{{rows}} of {{among}} records of {name} came on days on which a {what} brought far more or fewer than on the "
        f"same weekdays before ({len(flagged):,} days; {shown})."
    )
    yield Hits(name, found, among, says)


def _flagged(counted: list[dict[str, Any]], most: float) -> list[dict[str, Any]]:
    """Series, day, count and score of the days beyond `most`; days without any record count 0."""
    series: dict[str, dict[int, int]] = {}
    for row in counted:
        series.setdefault(row["series"], {})[row["day"]] = row["count"]
    found: list[dict[str, Any]] = []
    ends = max((row["day"] for row in counted), default=0)
    for name in sorted(series):
        first = min(series[name])
        values = np.zeros(ends - first + 1)
        for day, count in series[name].items():
            values[day - first] = count
        scores = _scores(values)
        for at in np.flatnonzero(np.abs(scores) > most):
            found.append({"series": name, "day": first + int(at), "count": int(values[at]), "score": float(scores[at])})
    return found


def _scores(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Robust z-score of each day against the same weekday of the `WEEKS` weeks before; 0 without those weeks.

    The spread is at least that of counts that come by chance (the square root of the median).
    """
    scores = np.zeros(len(values))
    if len(values) <= 7 * WEEKS:
        return scores
    before = np.stack([values[7 * (WEEKS - week) : len(values) - 7 * week] for week in range(1, WEEKS + 1)])
    now = values[7 * WEEKS :]
    usual = np.median(before, axis=0)
    spread = _TO_SIGMA * np.median(np.abs(before - usual), axis=0)
    away = now - usual
    score = away / np.maximum(spread, np.sqrt(np.maximum(usual, 1)))
    scores[7 * WEEKS :] = np.where(np.abs(away) >= LEAST, score, 0)
    return scores
