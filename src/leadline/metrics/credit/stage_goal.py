"""Credit for reaching a stage: each journey that reached it counts one, split over its person's responses.

The engine is that of amounts: a journey is worth a million parts of one, and the parts are split as
minor units are, so that credits and what is unattributed add up to the number of journeys.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import ibis
import ibis.expr.types as ir

from leadline.errors import UsageError
from leadline.metrics import dimensions, periods, units
from leadline.metrics.assemble import Assembly, to_table
from leadline.metrics.credit import costs, journey_ends, rules, share_intervals, touches
from leadline.metrics.credit.allocation import Allocations, Chosen, numbered, united
from leadline.metrics.credit.base import Base
from leadline.metrics.credit.influence_rows import Rows, Shape, of_parts
from leadline.metrics.credit.journey_ends import ONE
from leadline.metrics.query import Asked
from leadline.model import dimensions as declared_dimensions
from leadline.results import Column, Result

KINDS = ("touch", "even", "milestones", "position", "decay", "points", "markov", "shapley")
"""Kinds of models that need nothing but the touches of persons."""

TEXT = (
    "Journeys that reached {stage}, one each, split over the dated responses of their person from {days} days before "
    "that up to that moment, in millionths by largest remainder. Journeys by the day they reached it."
)

COLUMNS = (
    Column("period", "text", help="Period in which the journey reached the stage"),
    Column("bucket", "text", help="campaign or unattributed"),
    Column("reason", "text", help="Why a journey is unattributed"),
    Column("campaign_id", "text", help="Salesforce id of the campaign"),
    Column("campaign", "text", help="Campaign"),
    Column("model", "text", help="Model that gives the points"),
    Column("goal", "text", help="Stage that was reached"),
    Column("responses", "integer", help="Touches with credit"),
    Column("journeys", "integer", help="Journeys with credit; they overlap between campaigns"),
    Column("credited", "number", help="Credit, in journeys"),
    Column("won", "number", help="Of it on journeys that are won"),
    Column("open", "number", help="Of it on journeys that are open"),
    Column("lost", "number", help="Of it on journeys that ended otherwise"),
    Column("share", "rate", help="Of all journeys of the period"),
)

LIST_EXTRA = (
    Column("credit", "number", help="Part of the journey"),
    Column("bucket", "text", help="campaign or unattributed"),
    Column("model", "text", help="Model"),
)


def stage_goal(asked: Asked, models: list[Chosen], stage: str, *, intervals: bool = False) -> Result:
    """Credit of campaigns for journeys that reached a stage; with bootstrap intervals of shares if asked.

    Raises:
        UnknownNameError: no stage of that name in the funnel.
        UsageError: a model that looks at more than the responses of a person, or a stage that is Inquiry itself.
    """
    return _Goal(asked, models, stage).result(intervals=intervals)


class _Goal:
    """One question."""

    def __init__(self, asked: Asked, models: list[Chosen], stage: str) -> None:
        if asked.unit != "journeys":
            raise UsageError(
                f"Credit for reaching a stage is measured on journeys, not {asked.unit}; leave --unit out."
            )
        for one in models:
            if (
                one.model.kind not in KINDS
                or one.model.touches != touches.RESPONSES
                or one.only
                or rules.of_deals(one.model)
            ):
                raise UsageError(
                    f"Model {one.name!r} looks at opportunities; for a stage take a model of rules on responses."
                )
        self.asked = asked
        self.models = models
        self.number = asked.stage_number(stage)
        self.stage = asked.stage_name(self.number)
        self.look_back = asked.opened.settings.influence.look_back_days
        fields = declared_dimensions.declared(asked.opened.settings)
        kinds = {name: declared_dimensions.kind_of(one) for name, one in fields.items()}
        by_campaign = [name for name in asked.by if name in dimensions.CAMPAIGN or kinds.get(name) == "campaign"]
        own = [name for name in asked.by if name not in by_campaign]
        labels = [name for name in by_campaign if name not in ("campaign", "campaign_id")]
        each = not labels or labels != by_campaign
        self.shape = Shape(asked, own, labels, each, False, costs.Campaigns(asked), touches.JOURNEY, "influenced")

    def result(self, *, intervals: bool = False) -> Result:
        """All models in one table, with intervals of shares if asked."""
        journeys = numbered(self.asked, self._journeys())
        allocations = Allocations(
            self.asked, journeys, self.models, Base(touches.JOURNEY, self.look_back, goal="created", stage=self.number)
        )
        summed, rest = of_parts(self.shape, allocations)
        rows: list[dict[str, Any]] = []
        totals = []
        for one in self.models:
            found = Rows(self.shape, one, summed, rest[one.name])
            rows += found.rows()
            totals += [self._total(total) for total in found.totals({})]
        alike = share_intervals.add(self.shape, allocations, rows) if intervals else []
        text = TEXT.format(stage=self.stage, days=self.look_back)
        made = Assembly(self.asked, "influence", f"Campaign credit for reaching {self.stage}", text)
        result = made.result(
            (*COLUMNS, *share_intervals.COLUMNS) if intervals else COLUMNS,
            [self._row(row) for row in rows],
            totals=tuple(totals),
            units=journeys,
            records=lambda: self._list(made, allocations),
            notes=[*allocations.said(), *alike],
            by=(*self.shape.deal_by, *self.shape.campaign_by),
        )
        return replace(result, kind="influence-stage", filters={**result.filters, "goal": self.stage})

    def _journeys(self) -> ir.Table:
        """Journeys with the moment they reached the stage as `created`, and the names the engine knows deals by."""
        asked = self.asked
        moments = journey_ends.reached(asked, self.number)
        own = asked.opened["journeys"].filter(ibis._.funnel == asked.funnel_name)
        ended = own.select(unit_id="journey_id", outcome="outcome")
        known = units.units(asked).drop("opportunity_id", "amount", "amount_state").join(moments, "unit_id")
        linked = known.join(ended, "unit_id")
        placed = periods.with_period(asked, periods.within(asked, linked, "created_day"), "created_day")
        described = dimensions.attach(asked, dimensions.filtered(asked, placed), self.shape.deal_by)
        state = ibis.cases((described.outcome == "won", "won"), (described.outcome == "open", "open"), else_="lost")
        return journey_ends.as_deals(described, state).drop("campaign_id")

    def _row(self, row: dict[str, Any]) -> dict[str, Any]:
        parts = {state: row[f"{state}_amount"] / ONE for state in ("won", "open", "lost")}
        credited = (row["won_amount"] + row["open_amount"] + row["lost_amount"]) / ONE
        return {**row, **parts, "credited": credited, "journeys": row["opportunities"], "goal": self.stage}

    def _total(self, total: dict[str, Any]) -> dict[str, Any]:
        parts = {"journeys": "total", "credited_journeys": "credited", "unattributed_journeys": "unattributed"}
        named = {name: total[f"{part}_amount"] / ONE for name, part in parts.items()}
        reasons = {reason: parts // ONE for reason, parts in total["unattributed"].items()}
        return {"period": total["period"], "model": total["model"], "goal": self.stage, **named, "reasons": reasons}

    def _list(self, made: Assembly, allocations: Allocations) -> Result:
        """One row per touch with credit and model, and one per journey that is unattributed."""
        facts = allocations.deals.select("deal_no", "person_id", "created_s", "period_day", *self.shape.deal_by)
        marks = united([part for one in self.models for part in self._marks(allocations, one, facts)])
        listed = made.credits(marks, LIST_EXTRA, self.shape.deal_by)
        parts = [value / ONE for value in listed.table["credit"].to_pylist()]
        place = listed.table.column_names.index("credit")
        credit = to_table((LIST_EXTRA[0],), [{"credit": part} for part in parts])["credit"]
        return replace(listed, table=listed.table.set_column(place, "credit", credit))

    def _marks(self, allocations: Allocations, one: Chosen, facts: ir.Table) -> list[ir.Table]:
        same = {"model": ibis.literal(one.name), "stage_no": ibis.literal(self.number, "int64")}
        columns = ["deal_no", "unit_id", "campaign_id", "credit", "at_s", "evidence", "bucket", "object"]
        given = allocations.credits(one.name)
        touched = given.select(
            *["deal_no", "campaign_id", "credit"],
            unit_id="response_id",
            at_s="s",
            evidence="opportunity_id",
            bucket=ibis.literal("campaign"),
            object=ibis.literal("CampaignMember"),
        )
        rest = allocations.rest(one.name).join(facts.select("deal_no", "created_s"), "deal_no")
        loose = rest.select(
            "deal_no",
            campaign_id=ibis.null("string"),
            credit=rest.amount,
            unit_id="opportunity_id",
            at_s="created_s",
            evidence=rest.reason,
            bucket=rest.bucket,
            object=ibis.literal("Person"),
        )
        own = facts.drop("created_s")
        return [
            part.select(*columns)
            .join(own, "deal_no")
            .mutate(**same, amount=ibis.null("int64"), opportunity_id=ibis.null("string"))
            for part in (touched, loose)
        ]
