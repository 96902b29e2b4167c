"""Net new people and known people: whether a response made its person, and whether it was the first."""

from __future__ import annotations

from dataclasses import replace

import ibis
import ibis.expr.types as ir

from leadline.metrics import periods, trust, units
from leadline.metrics.assemble import Assembly
from leadline.metrics.counts.fates import responses_only
from leadline.metrics.grouping import grouping
from leadline.metrics.listing import listed
from leadline.metrics.query import NO_PERIOD, Asked, Query, ask
from leadline.model.opened import Opened
from leadline.model.responses import COUNTED_FATES
from leadline.results import Column, Result

NEW, KNOWN, UNKNOWN = "new", "known", "unknown"
PEOPLE = (NEW, KNOWN, UNKNOWN)
FIRST, REPEAT = "first", "repeat"

TEXT = (
    "Responses that count, by whether their person was new (the earliest Lead or Contact record was created on the "
    "response's day or later) or known (created before), and by whether it was the person's first response or a "
    "repeat. Net new people are the first responses of new people: each person at most once"
)

COLUMNS = (
    Column("period", "text", help="Period of the response"),
    Column("person", "text", help="new, known, or unknown (no creation date)"),
    Column("response", "text", help="first response of the person, or repeat"),
    Column("count", "integer", help="Responses"),
    Column("share", "rate", help="Of all responses of the period and the dimensions"),
)

_LINKS = {
    "object": "object",
    "stage": "response",
    "at": "at_s",
    "evidence": "evidence",
    "person_id": "person_id",
    "campaign_id": "campaign_id",
    "person": "person",
    "created_on": "created_day",
}
_EXTRA = (
    Column("person", "text", help="new, known, or unknown (no creation date)"),
    Column("created_on", "date", help="Day of the person's earliest Lead or Contact record"),
)


def newness(opened: Opened, query: Query) -> Result:
    """Responses of new and of known people, first ones and repeats.

    Raises:
        UnknownNameError: funnel or dimension that does not exist.
        UsageError: another unit, a funnel without people, or units under every campaign they touched.
    """
    asked = ask(opened, responses_only(query), numbered=True)
    group = grouping(asked)
    question = group.of(_marks(asked))
    # Of millions of rows only what is counted is copied; the list reads the rest when it is asked for.
    marks = opened.keep(question.select("unit_id", "period_day", "person", "response", "evidence", *asked.by))
    counted = marks.group_by(*asked.by, "period_day", "person", "response").aggregate(count=marks.count())
    rows = _rows(asked, opened.arrow(counted).to_pylist())
    made = Assembly(asked, "volume", "New and known people among responses", f"{TEXT}.")
    result = made.result(
        COLUMNS,
        rows,
        totals=_totals(rows),
        query=question,
        units=marks,
        records=lambda: listed(made, group.with_links(question), _LINKS, _EXTRA, kind="newness"),
        evidence=trust.dated_by(asked, marks),
    )
    return replace(result, kind="newness")


def _marks(asked: Asked) -> ir.Table:
    """Counted responses with person and response; what a range leaves out still decides which was the first."""
    own = units.of_funnel(asked, "responses").filter(ibis._.fate.isin(COUNTED_FATES))
    own = own.select(
        "person_id",
        "person_key",
        unit_id="response_id",
        day="responded_day",
        at_s="responded_s",
        evidence="date_evidence",
    )
    firsts = _firsts(own)
    within = periods.within(asked, own, "day").left_join(firsts, "person_key")
    created = asked.opened["people"].select("person_id", created_day="first_created_day")
    joined = within.left_join(created, "person_id")
    person = ibis.cases((joined.created_day.isnull(), UNKNOWN), (joined.created_day >= joined.day, NEW), else_=KNOWN)
    response = ibis.ifelse(joined.unit_id == joined.first_id, ibis.literal(FIRST), ibis.literal(REPEAT))
    marks = joined.select(
        "person_id", "unit_id", "day", "at_s", "evidence", "created_day", person=person, response=response
    )
    return periods.with_period(asked, marks, "day")


def _firsts(own: ir.Table) -> ir.Table:
    """The first response of each person, of several at one second the lowest id: person_key, first_id.

    Two minima: to sort millions of responses takes five times as long.
    """
    earliest = own.group_by("person_key").aggregate(first_s=own.at_s.min())
    there = own.join(earliest, [("person_key", "person_key"), ("at_s", "first_s")])
    return there.group_by("person_key").aggregate(first_id=there.unit_id.min())


def _rows(asked: Asked, found: list[dict]) -> list[dict]:
    sums: dict[tuple, int] = {}
    for row in found:
        key = (*[row[name] for name in asked.by], row["period_day"])
        sums[key] = sums.get(key, 0) + row["count"]

    def place(row: dict) -> tuple:
        dims = [(row[name] is None, row[name] or "") for name in asked.by]
        return (*dims, row["period_day"], PEOPLE.index(row["person"]), row["response"])

    return [
        {
            **{name: row[name] for name in asked.by},
            "period": None if row["period_day"] == NO_PERIOD else asked.period_label(row["period_day"]),
            **{name: row[name] for name in ("person", "response", "count")},
            "share": row["count"] / sums[(*[row[name] for name in asked.by], row["period_day"])],
        }
        for row in sorted(found, key=place)
    ]


def _totals(rows: list[dict]) -> tuple[dict, ...]:
    """Per period: all responses, and the net new people."""
    sums: dict[str | None, dict] = {}
    for row in rows:
        total = sums.setdefault(row["period"], {"period": row["period"], "count": 0, "net_new_people": 0})
        total["count"] += row["count"]
        if (row["person"], row["response"]) == (NEW, FIRST):
            total["net_new_people"] += row["count"]
    return tuple(sums.values())
