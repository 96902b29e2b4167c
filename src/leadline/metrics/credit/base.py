"""The touches of one question, kept once, with what every model asks of them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import ibis
import ibis.expr.types as ir

from leadline.metrics.credit import touches
from leadline.metrics.query import Asked

FACTS = (
    "opportunity_id",
    "account_id",
    "state",
    *[f"{name}_{part}" for name in ("created", "closed") for part in ("s", "day", "is_date")],
)
"""What touches ask of an opportunity."""


@dataclass(frozen=True, slots=True)
class Base:
    """What touches are looked at; models with the same base share one table of them.

    Attributes:
        scope: whose responses count.
        look_back: days before the creation.
        source: responses, members or modified_members.
        goal: closed or created: up to which moment touches count.
        only: sourced or accelerated: that part of the window alone; None for all of it.
        undated: whether responses without a date count from the creation of their member on.
        stage: number of the stage that is the goal of journeys; None where the goal is one of opportunities.
    """

    scope: str
    look_back: int
    source: str = touches.RESPONSES
    goal: str = "closed"
    only: str | None = None
    undated: bool = False
    stage: int | None = None


@dataclass(frozen=True, slots=True)
class Share:
    """What a kind of model says of its column.

    Attributes:
        key: prefix of the columns of its model.
        real: it gives real weights (`{key}_weight`), to be put on the integer grid; otherwise points (`{key}_points`).
        pending: it gives points to milestones not yet reached (`{key}_pending`).
        bound: the most that the points of one opportunity can sum to, if they may exceed the grid.
        left: what is pending waits for nothing: it is unattributed for this reason.
        alone: where nobody has points the amount is unattributed for this reason; otherwise all share evenly.
        said: what a model that learns asks to be said of what it has learned.
    """

    key: str
    real: bool = False
    pending: bool = False
    bound: int = 0
    left: str | None = None
    alone: str | None = None
    said: str = ""


class Touched:
    """Touches of the deals of a question.

    Args:
        asked: the question.
        deals: kept opportunities with a known amount: the columns of `deals`, deal_no, period_day and
            the dimensions asked for.
        base: what is looked at.
        leads: whether some model asks when the first lead was created.

    `table` has the columns deal_no, opportunity_id, response_id, person_id, campaign_id, status, s (sort key),
    day, is_date, is_sourced, nth (1 is the earliest touch of its deal; ties by id), touch_count, lead_n
    and created_n (how many touches lie at or before the milestone; 0: there is no such milestone or no
    touch before it), is_open (the close is still to come), amount.
    """

    def __init__(self, asked: Asked, deals: ir.Table, base: Base, *, leads: bool = True) -> None:
        self.asked = asked
        self.leads = leads
        self.deals = deals
        # An opportunity that is split by products has several rows, and its touches once.
        self.once = deals.select(*FACTS).distinct()
        self.base = base
        self.expression = self._placed()

    @cached_property
    def table(self) -> ir.Table:
        """The touches, run once."""
        return self.asked.opened.keep(self.expression)

    @cached_property
    def most(self) -> int:
        """The most touches that one deal has."""
        # Where the touches themselves are not needed they are not kept either.
        table = self.table if "table" in self.__dict__ else self.expression
        found = self.asked.opened.arrow(table.aggregate(most=table.touch_count.max()))
        return int(found["most"][0].as_py() or 0)

    @cached_property
    def reasons(self) -> ir.Table:
        """Why deals without a touch have none: opportunity_id, reason; run once."""
        base = self.base
        found = touches.reasons(self.asked, self.once, base.scope, self.table, base.source, undated=base.undated)
        return self.asked.opened.keep(found)

    @cached_property
    def ends(self) -> ir.Table:
        """The goal's moment of each deal: opportunity_id, end_s, end_day, end_is_date."""
        return touches.ends(self.asked, self.once, self.base.goal)

    def _placed(self) -> ir.Table:
        base = self.base
        found = touches.touches(
            self.asked,
            self.once,
            base.scope,
            base.look_back,
            source=base.source,
            goal=base.goal,
            only=base.only,
            undated=base.undated,
        )
        # What a journey has at its goal is no creation of an opportunity.
        has_creation = self.deals.created_s.notnull() & ibis.literal(base.scope != touches.JOURNEY)
        facts = self.deals.select("deal_no", "opportunity_id", "amount", "state", has_creation=has_creation)
        known = found.join(facts, "opportunity_id")
        by_lead: ir.IntegerValue = ibis.literal(0, "int64")
        if self.leads:
            known = known.left_join(self._lead_creations(), "opportunity_id")
            by_lead = (known.s <= known.lead_key).fill_null(False).cast("int64")
        own = ibis.window(group_by="deal_no", order_by=["s", "response_id"])
        whole = ibis.window(group_by="deal_no", order_by=["s", "response_id"], preceding=None, following=None)
        by_creation = (known.is_sourced & known.has_creation).cast("int64")
        return known.select(
            "deal_no",
            "opportunity_id",
            "response_id",
            "person_id",
            "campaign_id",
            "status",
            "s",
            "day",
            "is_date",
            "is_sourced",
            "amount",
            nth=ibis.row_number().over(own) + 1,
            touch_count=known.response_id.count().over(whole),
            lead_n=by_lead.sum().over(whole) if self.leads else by_lead,
            created_n=by_creation.sum().over(whole),
            is_open=(known.state == "open") & ibis.literal(base.goal == "closed"),
        )

    def _lead_creations(self) -> ir.Table:
        """When the first lead of the people in scope was created: opportunity_id, lead_key."""
        pairs = self.leads_of_people()
        return pairs.group_by("opportunity_id").aggregate(lead_key=pairs.key.min())

    def leads_of_people(self) -> ir.Table:
        """Leads of the people in scope: opportunity_id, key, created_day, created_is_date.

        The key is the moment of creation; one known by its date counts as the end of its day, so that
        responses of that day precede it.
        """
        opened = self.asked.opened
        records = opened["person_records"]
        leads = records.filter((records.object == "Lead") & opened.as_of.happened(records, "created"))
        days = opened["days"].select(created_day="day", day_ends="ends")
        dated = leads.join(days, "created_day")
        keyed = dated.select(
            *["person_id", "created_day", "created_is_date"],
            key=ibis.ifelse(dated.created_is_date, dated.day_ends, dated.created_s),
        )
        return touches.people(self.asked, self.deals, self.base.scope).join(keyed, "person_id").drop("person_id")
