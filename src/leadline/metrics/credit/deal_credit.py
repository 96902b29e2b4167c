"""One opportunity explained: every touch with its points by rule and its credit by model, and what got nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import ibis
import ibis.expr.types as ir

from leadline import credit_models
from leadline.errors import UsageError
from leadline.metrics.assemble import Assembly, instant
from leadline.metrics.credit import deal_milestones, rules, touches
from leadline.metrics.credit.allocation import Allocations, Chosen, chosen, numbered
from leadline.metrics.credit.base import Base, Touched
from leadline.metrics.query import Query, ask
from leadline.metrics.records import visible
from leadline.model import responses
from leadline.model.opened import Opened
from leadline.results import Column, Result

TEXT = (
    "The amount of one opportunity split over the dated responses of its people, from {days} days before its creation "
    "up to the {goal}; then what is pending or unattributed, and responses that earn nothing."
)
NO_POINTS = "no points"
TOO_EARLY, TOO_LATE = "before the look-back", "after the {goal}"
FATES = {
    responses.AFTER_AS_OF: "after as-of",
    responses.EXCLUDED: "excluded by rule",
    responses.NO_DATE: "no date",
    responses.DUPLICATE: "duplicate member",
}

COLUMNS = (
    Column("model", "text", help="Model; empty for what no model looks at"),
    Column("bucket", "text", help="campaign, pending or unattributed"),
    Column("reason", "text", help="Why an amount is unattributed"),
    Column("at", "instant", help="When the response came"),
    Column("campaign_id", "text", help="Salesforce id of the campaign"),
    Column("campaign", "text", help="Campaign"),
    Column("person_id", "text", help="Person"),
    Column("response_id", "text", help="Salesforce id of the campaign member"),
    Column("part", "text", help="sourced or accelerated: before or after the creation"),
    Column("holds", "text", help="Milestones whose touch it is"),
    Column("rules", "text", help="Points by rule, for models of points"),
    Column("points", "integer", help="Points, all rules together"),
    Column("credit", "money", help="Part of the amount; it adds up to the amount for each model"),
    Column("why", "text", help="Why a response got nothing"),
)


def deal_credit(
    opened: Opened,
    opportunity_id: str,
    *,
    models: Sequence[str] | None = None,
    scope: str | None = None,
    goal: str = "closed",
    known: Mapping[str, credit_models.Model] | None = None,
) -> Result:
    """What each touch of one opportunity got from each model, and why the others got nothing.

    Args:
        opened: a snapshot.
        opportunity_id: Salesforce id, of 15 or 18 characters.
        models: names of models; default: those of leadline.toml.
        scope: role, primary role or account.
        goal: closed or created.
        known: models by name; default: those that Leadline ships.

    Raises:
        UsageError: there is no such opportunity, or it has no amount to split.
        UnknownNameError: a model, scope or goal that does not exist.
    """
    asked = ask(opened, Query(unit="opportunities"))
    settings = opened.settings.influence
    wanted = chosen(models or list(settings.models), credit_models.load() if known is None else known)
    deals = opened["deals"]
    own = deals.filter(deals.opportunity_id.substr(0, 15) == opportunity_id[:15])
    facts = opened.arrow(own.select("opportunity_id", "opportunity", "amount", "amount_state")).to_pylist()
    seen = visible(opened, "opportunities", [one["opportunity_id"] for one in facts])
    facts = [one for one in facts if one["opportunity_id"] in seen]
    _require(opportunity_id, facts)
    placed = own.mutate(unit_id=own.opportunity_id, period_day=ibis.literal(0, "int64"))
    valued = numbered(asked, placed)
    allocations = Allocations(asked, valued, wanted, Base(scope or settings.scope, settings.look_back_days, goal=goal))
    explained = _Deal(opened, allocations, goal)
    told = {"closed": "close (or as-of)", "created": "creation"}[goal]
    text = TEXT.format(days=settings.look_back_days, goal=told)
    made = Assembly(asked, "influence", f"Credit of {facts[0]['opportunity']}", text)
    rows = explained.rows()
    totals = tuple(explained.totals(rows))
    notes = [*deal_milestones.said(totals[0]["milestones"], opened.zone), *allocations.said()]
    result = made.result(COLUMNS, rows, totals=totals, units=valued, notes=notes, by=())
    filters = {**result.filters, "opportunity": facts[0]["opportunity_id"]}
    return replace(result, kind="influence-opportunity", filters=filters)


def _require(opportunity_id: str, facts: list[dict[str, Any]]) -> None:
    if not facts:
        raise UsageError(
            f"There is no opportunity {opportunity_id!r} in the snapshot (or it was created after as-of); "
            "give its Salesforce id of 15 or 18 characters."
        )
    if facts[0]["amount_state"] != "known":
        raise UsageError(
            f"Opportunity {facts[0]['opportunity_id']} has no amount to split ({facts[0]['amount_state']}); "
            "it stands outside of influence."
        )


class _Deal:
    """Rows of one opportunity."""

    def __init__(self, opened: Opened, allocations: Allocations, goal: str) -> None:
        self.opened = opened
        self.allocations = allocations
        self.goal = goal
        campaigns = opened.arrow(opened["campaigns"].select("campaign_id", "campaign")).to_pylist()
        self.campaigns = {row["campaign_id"]: row["campaign"] for row in campaigns}

    def rows(self) -> list[dict[str, Any]]:
        """Touches of each model in order, what is left of its amount, and at last what no model looks at."""
        found = []
        for one in self.allocations.models:
            found += [self._touch(one, row) for row in self._touches(one)]
            found += [self._rest(one, row) for row in self._run(self.allocations.rest(one.name))]
        return found + self._outside()

    def totals(self, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Per model: total = credited + pending + unattributed, and when the milestones were."""
        when = deal_milestones.milestones(self.allocations.groups[0].touched)
        found = []
        for one in self.allocations.models:
            own = [row for row in rows if row["model"] == one.name]
            parts = {
                f"{name}_amount": sum(row["credit"] for row in own if row["bucket"] == bucket)
                for name, bucket in (
                    ("credited", "campaign"),
                    ("pending", "pending"),
                    ("unattributed", "unattributed"),
                )
            }
            found.append({"model": one.name, "total_amount": sum(parts.values()), **parts, "milestones": when})
        return found

    def _run(self, table: ir.Table) -> list[dict[str, Any]]:
        return list(self.opened.arrow(table).to_pylist())

    def _touches(self, one: Chosen) -> list[dict[str, Any]]:
        group = self.allocations.group(one.name)
        touched, model = group.touched, one.model
        table, names = touched.table, list[str]()
        if isinstance(model, credit_models.Points):
            table, names = rules.ruled(touched, table, model, one.key)
        split = group.of(one.name).select("nth", "points", "credit")
        joined = table.left_join(split, "nth").order_by("nth")
        rows = [{**row, "points": row["points"] or 0, "credit": row["credit"] or 0} for row in self._run(joined)]
        said = [rule.on for rule in model.rules] if isinstance(model, credit_models.Points) else []
        for row in rows:
            own = [f"{subject} {row[name]:+d}" for subject, name in zip(said, names, strict=True) if row[name]]
            base = [f"base {model.base:+d}"] if isinstance(model, credit_models.Points) and model.base else []
            row["rules"] = ", ".join([*base, *own]) or None
        return rows

    def _touch(self, one: Chosen, row: dict[str, Any]) -> dict[str, Any]:
        held = {
            "first": row["nth"] == 1,
            "lead creation": row["nth"] == row["lead_n"],
            "opportunity creation": row["nth"] == row["created_n"],
            "closed": row["nth"] == row["touch_count"] and not row["is_open"] and self.goal == "closed",
            "last": row["nth"] == row["touch_count"],
        }
        return {
            "model": one.name,
            "bucket": "campaign",
            "reason": None,
            "at": instant(row["s"]),
            **self._whose(row),
            "part": "sourced" if row["is_sourced"] else "accelerated",
            "holds": ", ".join(name for name, holds in held.items() if holds) or None,
            "rules": row["rules"],
            "points": row["points"],
            "credit": row["credit"],
            "why": None if row["points"] else NO_POINTS,
        }

    def _whose(self, row: dict[str, Any]) -> dict[str, Any]:
        """Campaign, person and response of a row."""
        campaign = row["campaign_id"]
        own = {name: row[name] for name in ("campaign_id", "person_id", "response_id")}
        return {**own, "campaign": self.campaigns.get(campaign, campaign)}

    def _rest(self, one: Chosen, row: dict[str, Any]) -> dict[str, Any]:
        return {
            **dict.fromkeys(column.name for column in COLUMNS),
            "model": one.name,
            "bucket": row["bucket"],
            "reason": row["reason"],
            "credit": row["amount"],
        }

    def _outside(self) -> list[dict[str, Any]]:
        """Responses of people in scope that are no touch of any model, with the reason."""
        bases = [group.touched for group in self.allocations.groups if group.touched.base.source == touches.RESPONSES]
        if not bases:
            return []
        touched = bases[0]
        asked, base = touched.asked, touched.base
        answers = asked.opened["responses"]
        own = answers.filter(answers.funnel == touches.people_funnel(asked))
        pairs = touches.people(asked, touched.deals, base.scope)
        seen = bases[0].table if len(bases) == 1 else ibis.union(*[one.table for one in bases])
        kept = pairs.join(own, "person_id").anti_join(seen, "response_id")
        timed = kept.join(touched.ends, "opportunity_id")
        rows = self._run(timed.order_by("responded_s", "response_id"))
        return [self._passed_over(touched, row) for row in rows]

    def _passed_over(self, touched: Touched, row: dict[str, Any]) -> dict[str, Any]:
        reason = FATES.get(row["fate"])
        if reason is None:
            late = row["end_s"] is not None and row["responded_s"] > row["end_s"]
            told = {"closed": "close", "created": "creation"}[touched.base.goal]
            reason = TOO_LATE.format(goal=told) if late else TOO_EARLY
        return {
            **dict.fromkeys(column.name for column in COLUMNS),
            "bucket": "campaign",
            "why": reason,
            "at": instant(row["responded_s"]),
            **self._whose(row),
        }
