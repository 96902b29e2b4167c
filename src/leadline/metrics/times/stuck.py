"""Stuck: open visits older than nine in ten of those that moved up, or than a fixed number of days."""

from __future__ import annotations

from dataclasses import replace

import ibis
import ibis.expr.types as ir

from leadline.metrics import dimensions, periods, units
from leadline.metrics.assemble import Assembly
from leadline.metrics.grouping import Grouping
from leadline.metrics.query import Asked
from leadline.metrics.times import numbers
from leadline.model.funnels import waiting_stages
from leadline.results import Column, Result

LIST_COLUMNS = (
    Column("unit_id", "text", help="The unit that waits"),
    Column("stage", "text", help="Where it waits"),
    Column("since", "instant", help="When it entered"),
    Column("age_days", "number", "days", "How long it has stood there"),
    Column("campaign", "text", help="Origin campaign"),
    Column("person_id", "text", help="Person"),
    Column("opportunity_id", "text", help="Opportunity; of several the first id"),
    Column("amount", "money", help="Amount of its open opportunities together"),
    Column("owner", "text", help="Owner of the opportunity, else of the person's record"),
)


def durable(asked: Asked) -> list[int]:
    """Numbers of the stages that units stand in: the first one and the waiting stages."""
    return [stage for stage in asked.stages if stage in {0, *waiting_stages(asked.funnel)}]


def between(asked: Asked, start: str | None, end: str | None) -> list[int]:
    """Numbers of the durable stages between two, both included.

    Raises:
        UnknownNameError: no such stage.
    """
    first = 0 if start is None else asked.stage_number(start)
    last = len(asked.funnel.stages) if end is None else asked.stage_number(end)
    return [stage for stage in durable(asked) if first <= stage <= last]


def text(asked: Asked) -> str:
    """What stuck means, in words."""
    return (
        "Open visits older than nine in ten of the visits that moved up from that stage (the limit learned at "
        f"publish), or than the days set in stuck_days. Unit: {asked.unit}."
    )


def limits(asked: Asked) -> dict[int, int]:
    """Stage → seconds after which an open visit is stuck; stages without a limit are left out."""
    found = {stage: numbers.stuck_seconds(asked, stage) for stage in durable(asked)}
    return {stage: limit for stage, limit in found.items() if limit is not None}


def stuck(asked: Asked, visits: ir.Table) -> ir.Table:
    """Visits of `standing.measured`, in calendar days, that are open and older than the limit of their stage."""
    cases = [(visits.stage_no == stage, visits.seconds > limit) for stage, limit in limits(asked).items()]
    over = ibis.cases(*cases, else_=False) if cases else ibis.literal(False)
    return visits.filter(visits.is_open & over)


def counts(asked: Asked, visits: ir.Table, group: Grouping) -> dict[tuple, int]:
    """Stuck units per (dimensions, period of the entry, stage)."""
    kept = periods.within(asked, stuck(asked, visits), "entered_day")
    placed = group.of(periods.with_period(asked, kept, "entered_day"))
    keys = [*asked.by, "period_day", "stage_no"]
    found = placed.group_by(*keys).aggregate(units=placed.count())
    return {tuple(row[key] for key in keys): row["units"] for row in asked.opened.arrow(found).to_pylist()}


def listed(asked: Asked, made: Assembly, visits: ir.Table, group: Grouping) -> Result:
    """The stuck units one by one, the oldest first."""
    kept = periods.within(asked, stuck(asked, visits), "entered_day")
    labelled = dimensions.attach(asked, group.with_links(group.of(kept)), ["campaign"])
    known = _with_owner(asked, _with_deals(asked, labelled))
    own = ("unit_id", "stage", "since", "age_days")
    columns = [column.name for column in LIST_COLUMNS if column.name not in own]
    found = asked.opened.arrow(
        known.select(
            *asked.by,
            "stage_no",
            "entered_s",
            "seconds",
            *[name for name in columns if name not in asked.by],
            unit_id=units.name_of(known),
        ).order_by(ibis.desc("seconds"), "unit_id")
    )
    result = made.stuck(LIST_COLUMNS, found, labelled, notes(asked))
    # The table is its own list.
    return replace(result, list_records=lambda: result)


def _with_deals(asked: Asked, units: ir.Table) -> ir.Table:
    """Journeys with the open opportunities they hold: opportunity_id and amount."""
    if asked.unit == "opportunities":
        return units
    held = open_deals(asked)
    known = held.group_by("unit_id").aggregate(deal_id=held.opportunity_id.min(), deal_amount=held.amount.sum())
    joined = units.left_join(known, "unit_id").drop("unit_id_right")
    return joined.mutate(opportunity_id=joined.deal_id, amount=joined.deal_amount.cast("int64")).drop(
        "deal_id", "deal_amount"
    )


def open_deals(asked: Asked) -> ir.Table:
    """Open opportunities: unit_id, opportunity_id, amount; those that journeys hold, or all by themselves."""
    deals = asked.opened["deals"]
    amounts = deals.filter(deals.state == "open").select("opportunity_id", "amount")
    if asked.unit == "opportunities":
        return amounts.mutate(unit_id=amounts.opportunity_id)
    own = units.of_funnel(asked, "journey_opportunities").select("opportunity_id", unit_id="journey_id")
    return own.join(amounts, "opportunity_id")


def _with_owner(asked: Asked, units: ir.Table) -> ir.Table:
    """Units with the owner of their opportunity, else of the person's record."""
    if "owner" in units.columns:
        return units
    values = asked.opened["dimension_values"]
    owners = values.filter(values.dimension == "owner").select(owned_id="id", deal_owner="value")
    joined = units.left_join(owners, [("opportunity_id", "owned_id")]).drop("owned_id")
    if "person_owners" not in asked.opened:
        return joined.rename(owner="deal_owner")
    people = asked.opened["person_owners"].select("owner", owned_id="person_id")
    joined = joined.left_join(people, [("person_id", "owned_id")]).drop("owned_id")
    return joined.mutate(owner=ibis.coalesce(joined.deal_owner, joined.owner)).drop("deal_owner")


def notes(asked: Asked) -> list[str]:
    """Which stages are not judged, and why."""
    known = limits(asked)
    unknown = [
        asked.stage_name(stage)
        for stage in durable(asked)
        if stage not in known and stage in waiting_stages(asked.funnel)
    ]
    if not unknown:
        return []
    return [
        f"Stuck is not judged for {', '.join(unknown)}: fewer than {numbers.NEEDED} visits have moved up from there. "
        "Set stuck_days in leadline.toml to judge by a fixed number."
    ]
