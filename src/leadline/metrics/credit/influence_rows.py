"""Rows and reconciliation of one influence model."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import Any

import ibis
import ibis.expr.types as ir

from leadline.metrics import dimensions
from leadline.metrics.credit.costs import Campaigns
from leadline.metrics.query import Asked

STATES = ("won", "open", "lost")


@dataclass(frozen=True, slots=True)
class Shape:
    """What rows of one question share.

    Attributes:
        deal_by, campaign_by: dimensions of the opportunity, and of the credited campaign.
        each_campaign: one row per campaign, inside those dimensions.
        whole: a campaign's row holds all its credit of the period, so that its cost belongs beside it.
    """

    asked: Asked
    deal_by: list[str]
    campaign_by: list[str]
    each_campaign: bool
    whole: bool
    campaigns: Campaigns
    scope: str
    window: str


class Rows:
    """Rows and totals of one model."""

    def __init__(self, shape: Shape, model: str, credits: ir.Table, valued: ir.Table, reasons: ir.Table) -> None:
        self.shape = shape
        self.model = model
        self.deal_keys = [*shape.deal_by, "period_day"]
        asked = shape.asked
        facts = valued.select("opportunity_id", "state", *self.deal_keys)
        self.credited = asked.opened.arrow(self._sums(asked, credits.join(facts, "opportunity_id"))).to_pylist()
        remaining = valued.join(reasons, "opportunity_id")
        self.unattributed = asked.opened.arrow(
            remaining.group_by(*self.deal_keys, "reason", "state").aggregate(
                amount=remaining.amount.sum(), opportunities=remaining.count()
            )
        ).to_pylist()

    def _sums(self, asked: Asked, credits: ir.Table) -> ir.Table:
        """Credit per campaign (or dimension of it), state and part."""
        keys = [*self.shape.campaign_by, *(["campaign_id"] if self.shape.each_campaign else [])]
        labelled = credits.select(
            "campaign_id", "opportunity_id", "state", "credit", "points", "is_sourced", *self.deal_keys
        )
        if self.shape.campaign_by:
            labelled = dimensions.attach(asked, labelled, self.shape.campaign_by)
        by = [*self.deal_keys, *keys]
        counts = labelled.filter(labelled.points > 0)
        return counts.group_by(*by).aggregate(
            touch_count=counts.count(),
            deal_count=counts.opportunity_id.nunique(),
            **{
                f"{state}_{part}": _where(counts, state, part)
                for state in STATES
                for part in ("sourced", "accelerated")
            },
        )

    def rows(self) -> list[dict[str, Any]]:
        """Campaign rows by credit, then what remains."""
        totals = self._period_totals()
        rows = [self._campaign_row(row, totals) for row in self.credited]
        rows.sort(
            key=lambda row: (*[str(row[name]) for name in self.deal_keys], -_credit(row), str(row["campaign_id"]))
        )
        rows += self._rest(totals)
        rows.sort(key=lambda row: tuple(str(row[name]) for name in self.deal_keys))
        return [self._finished(row) for row in rows]

    def _campaign_row(self, row: dict[str, Any], totals: dict[tuple, int]) -> dict[str, Any]:
        window = self.shape.window
        parts = ("sourced", "accelerated") if window == "influenced" else (window,)
        amounts = {f"{state}_amount": sum(row[f"{state}_{part}"] for part in parts) for state in STATES}
        by_part = {
            f"{part}_amount": sum(row[f"{state}_{part}"] for state in STATES) if part in parts else 0
            for part in ("sourced", "accelerated")
        }
        found = {name: row[name] for name in (*self.deal_keys, *self.shape.campaign_by)}
        return {
            **found,
            "bucket": "campaign",
            "reason": None,
            "campaign_id": row.get("campaign_id"),
            "responses": row["touch_count"],
            "opportunities": row["deal_count"],
            **amounts,
            **by_part,
            "share": _share(sum(amounts.values()), totals[self._place(row)]),
        }

    def _rest(self, totals: dict[tuple, int]) -> list[dict[str, Any]]:
        rest: dict[tuple, dict[str, Any]] = {}
        for row in self.unattributed:
            key = (*self._place(row), "unattributed", row["reason"])
            self._add(rest, key, row["state"], row["amount"], row["opportunities"])
        if self.shape.window != "influenced":
            other = "accelerated" if self.shape.window == "sourced" else "sourced"
            for row in self.credited:
                key = (*self._place(row), "other_window", None)
                for state in STATES:
                    self._add(rest, key, state, row[f"{state}_{other}"], None)
        for found in rest.values():
            place = tuple(found[name] for name in self.deal_keys)
            found["share"] = _share(_credit(found), totals[place])
        return [rest[key] for key in sorted(rest, key=lambda key: [str(part) for part in key])]

    def _add(self, rest: dict, key: tuple, state: str, amount: int, deals: int | None) -> None:
        *place, bucket, reason = key
        blank = {
            **dict(zip(self.deal_keys, place, strict=True)),
            **dict.fromkeys(self.shape.campaign_by),
            "bucket": bucket,
            "reason": reason,
            "campaign_id": None,
            "responses": 0,
            "opportunities": None,
            **{f"{one}_amount": 0 for one in STATES},
            "sourced_amount": None,
            "accelerated_amount": None,
        }
        found = rest.setdefault(key, blank)
        found[f"{state}_amount"] += amount
        if deals is not None:
            found["opportunities"] = (found["opportunities"] or 0) + deals

    def _finished(self, row: dict[str, Any]) -> dict[str, Any]:
        asked = self.shape.asked
        campaign_id = row["campaign_id"]
        facts = self.shape.campaigns.facts(campaign_id, row["period_day"])
        cost = facts.cost if row["bucket"] == "campaign" and self.shape.whole else None
        roi = (row["won_amount"] - cost) / cost if cost else None
        return {
            **row,
            "period": asked.period_label(row["period_day"]),
            "campaign": facts.label,
            "model": self.model,
            "scope": self.shape.scope,
            "window": self.shape.window,
            "cost": cost,
            "roi": roi,
        }

    def _place(self, row: dict[str, Any]) -> tuple:
        return tuple(row[name] for name in self.deal_keys)

    def _period_totals(self) -> dict[tuple, int]:
        sums: dict[tuple, int] = defaultdict(int)
        for row in self.credited:
            sums[self._place(row)] += sum(
                row[f"{state}_{part}"] for state in STATES for part in ("sourced", "accelerated")
            )
        for row in self.unattributed:
            sums[self._place(row)] += row["amount"]
        return sums

    def totals(self, outside: dict[str, int]) -> list[dict[str, Any]]:
        """The reconciliation: total, credited, pending, unattributed, other window, in three states."""
        sums: dict[str | None, dict[str, Any]] = {}
        for row in self.rows():
            total = sums.setdefault(row["period"], self._blank_total(row["period"], outside))
            name = {"campaign": "credited", "unattributed": "unattributed", "other_window": "other_window"}[
                row["bucket"]
            ]
            for state in STATES:
                amount = row[f"{state}_amount"]
                for part in (f"{name}_amount", f"{state}_{name}_amount", "total_amount", f"{state}_total_amount"):
                    total[part] += amount
            if row["bucket"] == "unattributed":
                total["unattributed"][row["reason"]] = total["unattributed"].get(row["reason"], 0) + _credit(row)
        if not sums:
            sums[None] = self._blank_total(None if self.shape.asked.query.grain else "all", outside)
        return list(sums.values())

    def _blank_total(self, period: str | None, outside: dict[str, int]) -> dict[str, Any]:
        names = ("total", "credited", "pending", "unattributed", "other_window")
        amounts = {f"{name}_amount": 0 for name in names}
        by_state = {f"{state}_{name}_amount": 0 for state in STATES for name in names}
        return {
            "period": period,
            "model": self.model,
            "scope": self.shape.scope,
            "window": self.shape.window,
            **amounts,
            **by_state,
            "unattributed": {},
            "outside": outside,
        }


def _where(credits: ir.Table, state: str, part: str) -> ir.IntegerScalar:
    chosen = (credits.state == state) & (credits.is_sourced == (part == "sourced"))
    return ibis.ifelse(chosen, credits.credit, ibis.literal(0, "int64")).sum()


def _credit(row: dict[str, Any]) -> int:
    return int(row["won_amount"] + row["open_amount"] + row["lost_amount"])


def _share(amount: int, total: int) -> float | None:
    return amount / total if total else None
