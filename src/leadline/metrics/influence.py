"""Influence: which campaigns an opportunity's amount is credited to, and what remains.

For every model, scope, window, period and opportunity dimension: total = credited + pending +
unattributed (+ other window), to the minor unit.
"""

from __future__ import annotations

import ibis
import ibis.expr.types as ir

from leadline.errors import UnknownNameError, UsageError
from leadline.metrics import dimensions, periods
from leadline.metrics.assemble import Assembly
from leadline.metrics.credit import costs, credit_list, points, touches
from leadline.metrics.credit.influence_rows import Rows, Shape
from leadline.metrics.query import Asked, Query, ask
from leadline.model import dimensions as declared_dimensions
from leadline.model.opened import Opened
from leadline.results import Column, Result

WINDOWS, SCOPES, DATES = touches.WINDOWS, touches.SCOPES, touches.DATES

TEXT = (
    "Amounts of opportunities split over the dated responses of their people, from {days} days before the creation "
    "up to the close (or as-of), in minor units by largest remainder. Opportunities by the day they were {date}."
)

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


PER_CAMPAIGN = frozenset({"campaign", "campaign_id"})
"""Dimensions that ask for one row per campaign, which the table has anyway."""


def influence(
    opened: Opened,
    query: Query,
    *,
    models: list[str] | None = None,
    scope: str | None = None,
    window: str = "influenced",
    date: str = "created",
) -> Result:
    """Credit per campaign and what remains; rows as the public contract lists them.

    Args:
        models: names of models; default: those of leadline.toml.
        scope: role, primary role or account.
        window: influenced, or only the sourced or accelerated part of the same allocation.
        date: which day places an opportunity in a period: created or closed.

    Raises:
        UnknownNameError: model, scope, window, date or dimension that does not exist.
        UsageError: a unit other than opportunities.
    """
    for what, value, known in (("window", window, WINDOWS), ("date", date, DATES)):
        if value not in known:
            raise UnknownNameError(what, value, known)
    asked = ask(opened, query if query.unit else _of_opportunities(query))
    if asked.unit != "opportunities":
        raise UsageError(f"Influence is measured on opportunities, not {asked.unit}; leave --unit out.")
    return Question(asked, models or list(opened.settings.influence.models), scope, window, date).result()


def _of_opportunities(query: Query) -> Query:
    return Query(**{**{name: getattr(query, name) for name in query.__slots__}, "unit": "opportunities"})


class Question:
    """One question about influence."""

    def __init__(self, asked: Asked, models: list[str], scope: str | None, window: str, date: str) -> None:
        settings = asked.opened.settings.influence
        self.asked = asked
        self.models = models
        self.scope = scope or settings.scope
        self.window = window
        self.look_back = settings.look_back_days
        self.dated = bool(self._known_creations())
        self.date = date if self.dated else "closed"
        self.campaign_by, self.deal_by = self._split_dimensions()
        self.campaign_by = [name for name in self.campaign_by if name not in PER_CAMPAIGN]
        each = not self.campaign_by or bool(PER_CAMPAIGN & set(asked.by))
        self.whole = not self.deal_by and not asked.query.where
        self.shape = Shape(
            asked, self.deal_by, self.campaign_by, each, self.whole, costs.Campaigns(asked), self.scope, window
        )

    def result(self) -> Result:
        """All models in one table."""
        asked = self.asked
        deals = self._deals()
        valued = deals.filter(deals.amount_state == "known")
        question = touches.touches(asked, valued, self.scope, self.look_back)
        first = points.credited(points.pointed(question, self.models[0]), valued)
        valued = asked.opened.keep(valued)
        touched = asked.opened.keep(question)
        reasons = asked.opened.keep(touches.reasons(asked, valued, self.scope, touched))
        outside = self._outside(deals)
        rows, totals = [], []
        for model in self.models:
            credits = points.credited(points.pointed(touched, model), valued)
            found = Rows(self.shape, model, credits, valued, reasons)
            rows += found.rows()
            totals += found.totals(outside)
        text = TEXT.format(days=self.look_back, date=self.date)
        made = Assembly(asked, "influence", "Campaign influence", text)
        return made.result(
            COLUMNS,
            rows,
            totals=tuple(totals),
            query=first,
            units=valued,
            records=lambda: self._list(made, touched, valued, reasons),
            notes=self._said(),
            by=(*self.deal_by, *self.campaign_by),
        )

    def _known_creations(self) -> int:
        deals = self.asked.opened["deals"]
        return int(self.asked.opened.backend.to_pyarrow(deals.created_s.count()).as_py())

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

    def _deals(self) -> ir.Table:
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
        return dimensions.attach(asked, dimensions.filtered(asked, linked), self.deal_by)

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

    def _outside(self, deals: ir.Table) -> dict[str, int]:
        counted = deals.group_by("amount_state").aggregate(count=deals.count())
        found = {row["amount_state"]: row["count"] for row in self.asked.opened.arrow(counted).to_pylist()}
        return {
            "no_amount": found.get("no amount", 0),
            "no_rate": found.get("no rate", 0),
            **({"too_large": found["too large"]} if "too large" in found else {}),
        }

    def _said(self) -> list[str]:
        opened = self.asked.opened
        said = []
        if not self.dated:
            said.append(
                "No opportunity has a CreatedDate: windows are anchored on the close and opportunities are taken by "
                "their close; open ones stand outside, and sourced and accelerated cannot be told apart."
            )
        counted = int(opened.backend.to_pyarrow(opened["responses"].count()).as_py())
        if not counted:
            said.append("There are no responses: no campaign member has responded, so nothing can be credited.")
        if not self.whole:
            said.append(
                "Cost and ROI are left out: a campaign's cost is not split by what opportunities are filtered by."
            )
        return said

    def _list(self, made: Assembly, touched: ir.Table, valued: ir.Table, reasons: ir.Table) -> Result:
        """One row per credit of each model, and one per opportunity that is unattributed."""
        return credit_list.of(made, self.models, self.window, touched, valued, reasons)
