"""What became of every response: fates that add up to all campaign members that responded."""

from __future__ import annotations

from dataclasses import replace

import ibis
import ibis.expr.types as ir

from leadline.errors import UsageError
from leadline.metrics import periods, trust, units
from leadline.metrics.assemble import Assembly
from leadline.metrics.grouping import grouping
from leadline.metrics.listing import listed
from leadline.metrics.query import NO_PERIOD, Asked, Query, ask
from leadline.model.opened import Opened
from leadline.model.responses import COUNTED_FATES, EXCLUDED, FATES
from leadline.results import Column, Result

TEXT = (
    "Campaign members that responded, by what became of the response (the first fate that applies): after as-of, "
    "excluded by rule, no date, duplicate member, tipped a journey, joined before qualification, joined after, "
    "not qualified (yet). Fates add up to all of them"
)

COLUMNS = (
    Column("period", "text", help="Period of the response; absent where it has no date"),
    Column("fate", "text", help="What became of it"),
    Column("reason", "text", help="Why it is excluded by rule"),
    Column("counted", "boolean", help="Whether it counts as a response (one of the last four fates)"),
    Column("count", "integer", help="Responses"),
    Column("share", "rate", help="Of all responses of the period and the dimensions"),
)

_LINKS = {
    "object": "object",
    "stage": "fate",
    "at": "at_s",
    "evidence": "evidence",
    "person_id": "person_id",
    "campaign_id": "campaign_id",
    "reason": "reason",
}
_REASON = (Column("reason", "text", help="Why it is excluded by rule"),)


def responses_only(query: Query) -> Query:
    """The question asked of responses.

    Raises:
        UsageError: another unit was asked for.
    """
    if query.unit not in (None, "responses"):
        raise UsageError(f"This table counts responses, not {query.unit}; leave --unit away.")
    return replace(query, unit="responses")


def fates(opened: Opened, query: Query) -> Result:
    """Responses by fate; rows of a period and dimension add up to its total.

    Raises:
        UnknownNameError: funnel or dimension that does not exist.
        UsageError: another unit, a funnel without people, or units under every campaign they touched.
    """
    asked = ask(opened, responses_only(query), numbered=True)
    group = grouping(asked, units.every_response(asked))
    question = group.of(_marks(asked))
    # Of millions of rows only what is counted is copied; the list reads the rest when it is asked for.
    marks = opened.keep(question.select("unit_id", "period_day", "fate", "reason", "evidence", *asked.by))
    counted = marks.group_by(*asked.by, "period_day", "fate", "reason").aggregate(count=marks.count())
    rows = _rows(asked, opened.arrow(counted).to_pylist())
    made = Assembly(asked, "volume", "Fates of responses", f"{TEXT}.")
    result = made.result(
        COLUMNS,
        rows,
        totals=_totals(rows),
        query=question,
        units=marks,
        records=lambda: listed(made, group.with_links(question), _LINKS, _REASON, kind="fates"),
        evidence=trust.dated_by(asked, marks),
    )
    return replace(result, kind="fates")


def _marks(asked: Asked) -> ir.Table:
    responses = asked.opened["responses"].filter(ibis._.funnel == asked.funnel_name)
    own = responses.select(
        "person_id",
        "fate",
        unit_id="response_id",
        day="responded_day",
        at_s="responded_s",
        evidence="date_evidence",
        reason=ibis.ifelse(responses.fate == EXCLUDED, responses.excluded_why, ibis.null("string")),
    )
    return periods.with_period(asked, periods.within(asked, own, "day"), "day")


def _rows(asked: Asked, found: list[dict]) -> list[dict]:
    sums: dict[tuple, int] = {}
    for row in found:
        key = _place(asked, row)
        sums[key] = sums.get(key, 0) + row["count"]
    found.sort(key=lambda row: (_sort(_place(asked, row)), FATES.index(row["fate"]), row["reason"] or ""))
    return [
        {
            **{name: row[name] for name in asked.by},
            "period": None if row["period_day"] == NO_PERIOD else asked.period_label(row["period_day"]),
            "fate": row["fate"],
            "reason": row["reason"],
            "counted": row["fate"] in COUNTED_FATES,
            "count": row["count"],
            "share": row["count"] / sums[_place(asked, row)],
        }
        for row in found
    ]


def _place(asked: Asked, row: dict) -> tuple:
    return (*[row[name] for name in asked.by], row["period_day"])


def _sort(place: tuple) -> tuple:
    return tuple((value is None, value if value is not None else "") for value in place)


def _totals(rows: list[dict]) -> tuple[dict, ...]:
    """Per period: all responses, and those that count."""
    sums: dict[str | None, dict] = {}
    for row in rows:
        total = sums.setdefault(row["period"], {"period": row["period"], "count": 0, "counted": 0})
        total["count"] += row["count"]
        total["counted"] += row["count"] if row["counted"] else 0
    return tuple(sums.values())
