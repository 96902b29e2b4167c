"""Rows and reconciliation of one influence model."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import Any

import ibis
import ibis.expr.types as ir

from leadline.metrics import dimensions
from leadline.metrics.credit.allocation import Allocations, Chosen, Group
from leadline.metrics.credit.costs import Campaigns
from leadline.metrics.credit.placing import ancestors, under_all
from leadline.metrics.credit.touches import RESPONSES
from leadline.metrics.query import Asked

STATES = ("won", "open", "lost")
PARTS = ("sourced", "accelerated")
OWN_PARTS = tuple(f"own_{part}" for part in PARTS)


@dataclass(frozen=True, slots=True)
class Shape:
    """What rows of one question share.

    Attributes:
        deal_by, campaign_by: dimensions of the opportunity, and of the credited campaign.
        each_campaign: one row per campaign, inside those dimensions.
        whole: a campaign's row holds all its credit of the period, so that its cost belongs beside it.
        rolled: each campaign stands with all below it, its own credit beside.
    """

    asked: Asked
    deal_by: list[str]
    campaign_by: list[str]
    each_campaign: bool
    whole: bool
    campaigns: Campaigns
    scope: str
    window: str
    rolled: bool = False

    @property
    def deal_keys(self) -> list[str]:
        """What places a deal in a row: its dimensions and its period."""
        return [*self.deal_by, "period_day"]

    @property
    def parts(self) -> tuple[str, ...]:
        """Sums of credit a row is made of; of rolled-up rows also those of the campaign itself."""
        return (*PARTS, *OWN_PARTS) if self.rolled else PARTS


def of_parts(shape: Shape, allocations: Allocations) -> tuple[list[dict[str, Any]], dict[str, list[dict[str, Any]]]]:
    """What campaigns have of all models, and by model what no campaign has; a row may come once for each part."""
    summed: list[dict[str, Any]] = []
    rest: dict[str, list[dict[str, Any]]] = {one.name: [] for one in allocations.models}
    for part in allocations.in_parts():
        summed += [row for group in part.groups for row in sums(shape, group)]
        for name, rows in _left_of(shape, part).items():
            rest[name] += rows
    return summed, rest


def _left_of(shape: Shape, part: Allocations) -> dict[str, list[dict[str, Any]]]:
    """What no campaign has, by model."""
    untouched: dict[int, list[dict[str, Any]]] = {}
    found = {}
    for one in part.models:
        group = part.group(one.name)
        share = group.share(one.name)
        if share.pending or share.alone:
            found[one.name] = left(shape, part.deals, part.rest(one.name))
            continue
        # Whatever else models of a group do, the same opportunities have no touch.
        if id(group) not in untouched:
            untouched[id(group)] = left(shape, part.deals, part.rest(one.name))
        found[one.name] = untouched[id(group)]
    return found


def sums(shape: Shape, group: Group) -> list[dict[str, Any]]:
    """Credit of all models of a group per campaign (or dimension of it) and state of the deal.

    Keys of the deal and the campaign, state, model (its name), touches, deals, and the shape's parts.
    Summed per deal and campaign first: deals are counted there, also where a campaign stands with all below it.
    """
    asked, split = shape.asked, group.credits
    none = ibis.literal(0, "int64")
    per_deal = split.group_by("model_no", "deal_no", "campaign_id").aggregate(
        touches=split.count(),
        sourced=ibis.ifelse(split.is_sourced, split.credit, none).sum(),
        accelerated=ibis.ifelse(split.is_sourced, none, split.credit).sum(),
    )
    if shape.rolled:
        per_deal = _with_all_below(asked, per_deal)
    joined = per_deal.join(group.touched.deals.select("deal_no", "state", *shape.deal_keys), "deal_no")
    by = [*shape.campaign_by, *(["campaign_id"] if shape.each_campaign else [])]
    if shape.campaign_by:
        joined = dimensions.attach(asked, joined, shape.campaign_by)
        joined = _added(joined, ["model_no", "deal_no", "state", *shape.deal_keys, *by], "touches", *shape.parts)
    by = ["model_no", *shape.deal_keys, *by, "state"]
    added = _added(joined, by, "touches", *shape.parts, deals=joined.count())
    rows = asked.opened.arrow(added).to_pylist()
    return [{**row, "model": group.models[row["model_no"]].name} for row in rows]


def _with_all_below(asked: Asked, per_deal: ir.Table) -> ir.Table:
    """The same with each campaign's row for all below it too, once per deal, and the campaign's own part."""
    under = under_all(per_deal, ancestors(asked))
    none = ibis.literal(0, "int64")
    own = {name: ibis.ifelse(under.is_own, under[part], none) for name, part in zip(OWN_PARTS, PARTS, strict=True)}
    keys = ["model_no", "deal_no", "campaign_id"]
    return _added(under.mutate(**own), keys, "touches", *PARTS, *OWN_PARTS)


def _added(table: ir.Table, by: list[str], *names: str, **counts: ir.Value) -> ir.Table:
    return table.group_by(*by).aggregate(**{name: table[name].sum() for name in names}, **counts)


def left(shape: Shape, deals: ir.Table, rest: ir.Table) -> list[dict[str, Any]]:
    """What no campaign has, per period and dimension of the deal, bucket, reason and state."""
    facts = deals.select("deal_no", "state", *shape.deal_keys)
    joined = rest.join(facts, "deal_no")
    grouped = joined.group_by(*shape.deal_keys, "bucket", "reason", "state")
    found = grouped.aggregate(amount=joined.amount.sum(), opportunities=joined.count())
    return shape.asked.opened.arrow(found).to_pylist()


class Rows:
    """Rows and totals of one model.

    Args:
        shape: what all models share.
        one: the model.
        summed: what `sums` found for its group.
        rest: what `left` found for it.
    """

    def __init__(self, shape: Shape, one: Chosen, summed: list[dict[str, Any]], rest: list[dict[str, Any]]) -> None:
        self.shape = shape
        self.model = one.name
        self.only = one.only
        self.window = one.only or shape.window
        self.scope = shape.scope if one.model.touches == RESPONSES else "role"
        self.deal_keys = shape.deal_keys
        self.rest = rest
        # Totals are of what each campaign has itself: with all below it a deal would count once per level.
        self._own = "own_" if shape.rolled else ""
        self._own_states = STATES if shape.rolled else ()
        self.credited = self._by_campaign([row for row in summed if row["model"] == one.name])

    def _by_campaign(self, summed: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """One row per campaign, its states side by side."""
        keys = [*self.deal_keys, *self.shape.campaign_by, *(["campaign_id"] if self.shape.each_campaign else [])]
        found: dict[tuple, dict[str, Any]] = {}
        for row in summed:
            blank = {f"{state}_{part}": 0 for state in STATES for part in self.shape.parts}
            place = tuple(row[name] for name in keys)
            one = found.setdefault(
                place, {**dict(zip(keys, place, strict=True)), **blank, "touch_count": 0, "deal_count": 0}
            )
            one["touch_count"] += row["touches"]
            one["deal_count"] += row["deals"]
            for part in self.shape.parts:
                one[f"{row['state']}_{part}"] += row[part]
        return list(found.values())

    def rows(self) -> list[dict[str, Any]]:
        """Campaign rows by credit, then what remains."""
        totals = self._period_totals()
        rows = [self._campaign_row(row, totals) for row in self.credited]
        names = [*self.shape.campaign_by, "campaign_id"]
        rows.sort(
            key=lambda row: (
                *[str(row[name]) for name in self.deal_keys],
                -_credit(row),
                *[str(row[name]) for name in names],
            )
        )
        rows += self._rest(totals)
        rows.sort(key=lambda row: tuple(str(row[name]) for name in self.deal_keys))
        return [self._finished(row) for row in rows]

    def _campaign_row(self, row: dict[str, Any], totals: dict[tuple, int]) -> dict[str, Any]:
        parts = PARTS if self.window == "influenced" else (self.window,)
        amounts = {f"{state}_amount": sum(row[f"{state}_{part}"] for part in parts) for state in STATES}
        by_part = {
            f"{part}_amount": sum(row[f"{state}_{part}"] for state in STATES) if part in parts else 0 for part in PARTS
        }
        found = {name: row[name] for name in (*self.deal_keys, *self.shape.campaign_by)}
        own = {f"own_{state}_amount": sum(row[f"{state}_own_{part}"] for part in parts) for state in self._own_states}
        return {
            **found,
            **own,
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
        for row in self.rest:
            key = (*self._place(row), row["bucket"], row["reason"])
            self._add(rest, key, row["state"], row["amount"], row["opportunities"])
        if self.window != "influenced" and not self.only:
            other = "accelerated" if self.window == "sourced" else "sourced"
            for row in self.credited:
                key = (*self._place(row), "other_window", None)
                for state in STATES:
                    self._add(rest, key, state, row[f"{state}_{self._own}{other}"], None)
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
            **{f"own_{one}_amount": None for one in self._own_states},
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
        roi = (row["won_amount"] - cost) / cost if cost and cost > 0 else None
        return {
            **row,
            "period": asked.period_label(row["period_day"]),
            "campaign": facts.label,
            "model": self.model,
            "scope": self.scope,
            "window": self.window,
            "cost": cost,
            "roi": roi,
        }

    def _place(self, row: dict[str, Any]) -> tuple:
        return tuple(row[name] for name in self.deal_keys)

    def _period_totals(self) -> dict[tuple, int]:
        sums: dict[tuple, int] = defaultdict(int)
        for row in self.credited:
            sums[self._place(row)] += sum(row[f"{state}_{self._own}{part}"] for state in STATES for part in PARTS)
        for row in self.rest:
            sums[self._place(row)] += row["amount"]
        return sums

    def totals(self, outside: dict[str, int]) -> list[dict[str, Any]]:
        """The reconciliation: total, credited, pending, unattributed, other window, in three states."""
        sums: dict[str | None, dict[str, Any]] = {}
        for row in self.rows():
            total = sums.setdefault(row["period"], self._blank_total(row["period"], outside))
            name = "credited" if row["bucket"] == "campaign" else row["bucket"]
            for state in STATES:
                amount = row[f"{self._own if name == 'credited' else ''}{state}_amount"]
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
            "scope": self.scope,
            "window": self.window,
            **amounts,
            **by_state,
            "unattributed": {},
            "outside": outside,
        }


def _credit(row: dict[str, Any]) -> int:
    return int(row["won_amount"] + row["open_amount"] + row["lost_amount"])


def _share(amount: int, total: int) -> float | None:
    return amount / total if total else None
