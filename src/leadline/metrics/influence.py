"""Influence: which campaigns an opportunity's amount is credited to, and what remains.

For every model, scope, window, period and opportunity dimension: total = credited + pending +
unattributed (+ other window), to the minor unit.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TypedDict, Unpack

import ibis
import ibis.expr.types as ir

from leadline import credit_models
from leadline.errors import UnknownNameError, UsageError
from leadline.metrics import dimensions, periods
from leadline.metrics.assemble import Assembly
from leadline.metrics.credit import costs, credit_list, products, roi_columns, share_intervals, stage_goal, touches
from leadline.metrics.credit.allocation import Allocations, Chosen, chosen, numbered
from leadline.metrics.credit.base import Base
from leadline.metrics.credit.influence_rows import STATES, Rows, Shape, of_parts
from leadline.metrics.credit.placing import PER_CAMPAIGN
from leadline.metrics.query import Asked, Query, ask
from leadline.model import dimensions as declared_dimensions
from leadline.model.opened import Opened
from leadline.results import Column, Result

WINDOWS, SCOPES, DATES, GOALS = touches.WINDOWS, touches.SCOPES, touches.DATES, touches.GOALS

TEXT = (
    "Amounts of opportunities split over the dated responses of their people, from {days} days before the creation "
    "up to the {goal}, in minor units by largest remainder. Opportunities by the day they were {date}."
)
GOAL_TEXT = {"closed": "close (or as-of)", "created": "creation"}

COLUMNS = (
    Column("period", "text", help="Period of the opportunity"),
    Column("bucket", "text", help="campaign, other_window, pending or unattributed"),
    Column("reason", "text", help="Why an amount is unattributed"),
    Column("campaign_id", "text", help="Salesforce id of the campaign"),
    Column("campaign", "text", help="Campaign"),
    Column("model", "text", help="Model that gives the points"),
    Column("scope", "text", help="Whose responses count"),
    Column("window", "text", help="influenced, sourced or accelerated"),
    Column("responses", "integer", help="Touches with credit"),
    Column("opportunities", "integer", help="Opportunities with credit; they overlap between campaigns"),
    Column("won_amount", "money", help="Credit on won opportunities"),
    Column("open_amount", "money", help="Credit on open opportunities"),
    Column("lost_amount", "money", help="Credit on lost opportunities"),
    Column("sourced_amount", "money", help="Part earned by responses before the creation"),
    Column("accelerated_amount", "money", help="Part earned by responses after it"),
    Column("share", "rate", help="Of the total of its period"),
    Column("cost", "money", help="Actual cost of the campaign in the period"),
    Column("roi", "rate", help="(won credit − cost) ÷ cost"),
)


OWN_COLUMNS = tuple(
    Column(f"own_{state}_amount", "money", help=f"Credit of the campaign itself on {state} opportunities")
    for state in STATES
)


class Split(TypedDict, total=False):
    """How amounts are split.

    Attributes:
        scope: role, primary role, account or account + matched leads; default: that of leadline.toml.
        window: influenced, or only the sourced or accelerated part of the same allocation.
        date: which day places an opportunity in a period: created or closed.
        goal: up to when touches count: closed, or created for what led to the creation.
        known: models by name; default: those that Leadline ships.
    """

    scope: str | None
    window: str
    date: str
    goal: str
    known: Mapping[str, credit_models.Model] | None


def influence(
    opened: Opened,
    query: Query,
    *,
    models: list[str] | None = None,
    intervals: bool = False,
    hierarchy: str = "own",
    **split: Unpack[Split],
) -> Result:
    """Credit per campaign and what remains; rows as the public contract lists them.

    Args:
        models: names of models; default: those of leadline.toml. `even@sourced` is run on that window alone.
        split: how amounts are split; as goal also the name of a stage, which credits the journeys that
            reached it, one each (see `stage_goal`).
        intervals: also bootstrap intervals of shares and places, opportunities drawn anew 200 times.
        hierarchy: own, or total: each campaign with all below it, and its own credit beside.

    Raises:
        UnknownNameError: model, scope, window, date or dimension that does not exist.
        UsageError: a unit other than opportunities, or a hierarchy that does not go with the rest.
    """
    if hierarchy not in roi_columns.HIERARCHIES:
        raise UnknownNameError("hierarchy", hierarchy, roi_columns.HIERARCHIES)
    names = models or list(opened.settings.influence.models)
    goal = split.get("goal", "closed")
    if goal not in GOALS:
        usual = hierarchy == "own" and all(split.get(key) in told for key, told in _USUAL)
        _require_a_stage(opened, query, goal, plain=usual)
        return stage_goal.stage_goal(ask(opened, query), _chosen(names, split), goal, intervals=intervals)
    rolled = hierarchy == "total"
    asked = question(opened, query, names, split, rolled=rolled)
    if rolled and (intervals or asked.campaign_by):
        raise UsageError(
            "--hierarchy total has a row per campaign with all below it; leave out --intervals and dimensions of campaigns."
        )
    return asked.result(intervals=intervals)


_USUAL = (("scope", (None,)), ("window", (None, "influenced")), ("date", (None, "created")))
"""What a stage as goal leaves unheard, with what it may be."""


def question(opened: Opened, query: Query, names: list[str], split: Split, *, rolled: bool = False) -> Question:
    """A question about the credit of opportunities by these models.

    Raises:
        UnknownNameError: model, scope, window, date or dimension that does not exist.
        UsageError: a unit other than opportunities.
    """
    window, date = split.get("window", "influenced"), split.get("date", "created")
    asked = _asked_of_opportunities(opened, query, window, date)
    models = _chosen(names, split)
    return Question(asked, models, split.get("scope"), window, date, split.get("goal", "closed"), rolled=rolled)


def _chosen(names: list[str], split: Split) -> list[Chosen]:
    known = split.get("known")
    return chosen(names, credit_models.load() if known is None else known)


def _asked_of_opportunities(opened: Opened, query: Query, window: str, date: str) -> Asked:
    """A question about the credit of opportunities.

    Raises:
        UnknownNameError: window or date that does not exist.
        UsageError: a unit other than opportunities.
    """
    for what, value, allowed in (("window", window, WINDOWS), ("date", date, DATES)):
        if value not in allowed:
            raise UnknownNameError(what, value, allowed)
    asked = ask(opened, query if query.unit else replace(query, unit="opportunities"))
    if asked.unit != "opportunities":
        raise UsageError(f"Influence is measured on opportunities, not {asked.unit}; leave --unit out.")
    return asked


def _require_a_stage(opened: Opened, query: Query, goal: str, *, plain: bool) -> None:
    """A goal that is no moment of an opportunity is a stage of the funnel, and asked by itself."""
    _, funnel = opened.funnel(query.funnel)
    if goal.casefold() not in (name.casefold() for name in funnel.stage_names):
        raise UnknownNameError("goal", goal, [*GOALS, *funnel.stage_names])
    if not plain:
        raise UsageError(
            f"Credit for reaching {goal} is that of a person's journey; leave scope, window, date and hierarchy out."
        )


class Question:
    """One question about influence.

    Args:
        asked: its filters, periods and dimensions.
        models: what splits the amounts.
        scope, window, date, goal: as `influence` takes them.
        look_back: days before the creation; None for those of the settings.
        undated: whether responses without a date count from the creation of their member on.
        rolled: whether each campaign stands with all below it.
    """

    def __init__(
        self,
        asked: Asked,
        models: list[Chosen],
        scope: str | None,
        window: str,
        date: str,
        goal: str = "closed",
        *,
        look_back: int | None = None,
        undated: bool = False,
        rolled: bool = False,
    ) -> None:
        settings = asked.opened.settings.influence
        self.asked = asked
        self.models = models
        self.scope = scope or settings.scope
        self.window = window
        self.goal = goal
        self.look_back = settings.look_back_days if look_back is None else look_back
        self.undated = undated
        self.dated = bool(self._known_creations())
        self.date = date if self.dated else "closed"
        self.campaign_by, self.deal_by = self._split_dimensions()
        self.campaign_by = [name for name in self.campaign_by if name not in PER_CAMPAIGN]
        self.product_by = [name for name in self.deal_by if name in products.PRODUCT]
        each = not self.campaign_by or bool(PER_CAMPAIGN & set(asked.by))
        self.whole = not self.deal_by and not asked.query.where
        # The cost of a campaign is its own: beside the credit of all below it there is none.
        costed = self.whole and not rolled
        self.shape = Shape(
            asked, self.deal_by, self.campaign_by, each, costed, costs.Campaigns(asked), self.scope, window, rolled
        )

    def result(self, *, intervals: bool = False) -> Result:
        """All models in one table, with intervals of shares if asked."""
        deals = self.deals()
        outside = self.outside(deals)
        allocations = self.allocations(deals)
        rows, totals = [], []
        for found in self.rows(allocations):
            rows += found.rows()
            totals += found.totals(outside)
        made = self.assembly("Campaign influence")
        columns = (*COLUMNS, *OWN_COLUMNS) if self.shape.rolled else COLUMNS
        alike = share_intervals.add(self.shape, allocations, rows) if intervals else []
        result = made.result(
            (*columns, *share_intervals.COLUMNS) if intervals else columns,
            rows,
            totals=tuple(totals),
            query=self._shown(allocations),
            units=allocations.deals,
            records=lambda: credit_list.of(made, allocations, self.window, self.scope, rolled=self.shape.rolled),
            notes=[*self.said(), *allocations.said(), *alike],
            by=(*self.deal_by, *self.campaign_by),
        )
        return self.told(result)

    def assembly(self, title: str, text: str = "") -> Assembly:
        """What the results of this question share; `text` says more than its definition."""
        own = TEXT.format(days=self.look_back, date=self.date, goal=GOAL_TEXT[self.goal])
        return Assembly(self.asked, "influence", title, f"{own} {text}".rstrip())

    def told(self, result: Result) -> Result:
        """A result whose filters say the goal and the hierarchy, where they are not the usual ones."""
        more = ({"goal": self.goal} if self.goal != "closed" else {}) | (
            {"hierarchy": "total"} if self.shape.rolled else {}
        )
        return replace(result, filters={**result.filters, **more}) if more else result

    def allocations(self, deals: ir.Table | None = None) -> Allocations:
        """What became of the amounts, by model."""
        found = self.deals() if deals is None else deals
        valued = found.filter(found.amount_state == "known")
        if self.product_by:
            valued = products.split(self.asked, valued, self.product_by)
        valued = numbered(self.asked, valued)
        base = Base(self.scope, self.look_back, goal=self.goal, undated=self.undated)
        return Allocations(self.asked, valued, self.models, base)

    def rows(self, allocations: Allocations) -> list[Rows]:
        """Rows and reconciliation of each model."""
        summed, rest = of_parts(self.shape, allocations)
        return [Rows(self.shape, one, summed, rest[one.name]) for one in self.models]

    def _shown(self, allocations: Allocations) -> ir.Table:
        """The first model's question as one expression, for reading."""
        first = self.models[0]
        group = allocations.group(first.name)
        return group.split(group.touched.expression, [first], lambda table: table)

    def _known_creations(self) -> int:
        deals = self.asked.opened["deals"]
        return int(self.asked.opened.arrow(deals.created_s.count()).as_py())

    def _split_dimensions(self) -> tuple[list[str], list[str]]:
        """Dimensions of the credited campaign, and those of the opportunity."""
        fields = declared_dimensions.declared(self.asked.opened.settings)
        campaign: list[str] = []
        deal: list[str] = []
        for name in self.asked.by:
            on_campaign = name in dimensions.CAMPAIGN or (
                name in fields and declared_dimensions.kind_of(fields[name]) == "campaign"
            )
            (campaign if on_campaign else deal).append(name)
        return campaign, deal

    def deals(self) -> ir.Table:
        """Opportunities in the filter with period_day and the dimensions of `--by`."""
        asked = self.asked
        deals = asked.opened["deals"]
        day = "created_day" if self.date == "created" else "closed_day"
        chosen = deals.filter(deals[day].notnull())
        if self.date == "closed":
            chosen = chosen.filter(chosen.state != "open")
        placed = periods.with_period(asked, periods.within(asked, chosen, day), day)
        keyed = placed.mutate(unit_id=placed.opportunity_id)
        if self.whole:
            return keyed
        linked = self._linked(keyed)
        own = [name for name in self.deal_by if name not in self.product_by]
        return dimensions.attach(asked, dimensions.filtered(asked, linked), own)

    def _linked(self, deals: ir.Table) -> ir.Table:
        """Deals with the person and campaign of their origin journey, for dimensions of the opportunity."""
        opened = self.asked.opened
        if "opportunity_origins" not in opened:
            return deals.mutate(person_id=ibis.null("string"), campaign_id=ibis.null("string"))
        name = touches.people_funnel(self.asked)
        origins = opened["opportunity_origins"].filter(ibis._.funnel == name)
        journeys = opened["journeys"].filter(ibis._.funnel == name)
        known = origins.join(journeys.select("journey_id", campaign_id="origin_campaign_id"), "journey_id")
        known = known.select("opportunity_id", "person_id", "campaign_id")
        return deals.left_join(known, "opportunity_id").drop("opportunity_id_right")

    def outside(self, deals: ir.Table) -> dict[str, int]:
        """How many of the opportunities have no amount, no rate, or one too large."""
        counted = deals.group_by("amount_state").aggregate(count=deals.count())
        found = {row["amount_state"]: row["count"] for row in self.asked.opened.arrow(counted).to_pylist()}
        return {
            "no_amount": found.get("no amount", 0),
            "no_rate": found.get("no rate", 0),
            **({"too_large": found["too large"]} if "too large" in found else {}),
        }

    def _without_responses(self) -> list[str]:
        """What an org without a response asks to be said, of the models that rest on one."""
        names = [one.name for one in self.models if one.model.touches == touches.RESPONSES]
        if not names:
            return []
        which = (
            "nothing can be credited" if len(names) == len(self.models) else f"{', '.join(names)} can credit nothing"
        )
        return [f"There are no responses: no campaign member has responded, so {which}."]

    def said(self) -> list[str]:
        """What the question itself asks to be said."""
        opened = self.asked.opened
        said = []
        if not self.dated and not opened.arrow(opened["deals"].count()).as_py():
            said.append("There are no opportunities up to as-of, so there is no amount to credit.")
        elif not self.dated:
            said.append(
                "No opportunity has a CreatedDate: windows are anchored on the close and opportunities are taken by "
                "their close; open ones stand outside, and sourced and accelerated cannot be told apart."
            )
        counted = int(opened.arrow(opened["responses"].count()).as_py())
        if not counted:
            said += self._without_responses()
        if self.product_by:
            said.append(products.NOTE)
        if self.shape.rolled:
            said.append("Rows hold each campaign with all below it; totals are of what campaigns have themselves.")
        elif not self.whole:
            said.append(
                "Cost and ROI are left out: a campaign's cost is not split by what opportunities are filtered by."
            )
        return said
