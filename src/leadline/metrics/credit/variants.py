"""Variants of one split side by side: the credit and place of each campaign, and what moved from one to the next.

A variant is a model, or one model with another look-back, scope or treatment of undated responses. Each
is the answer of the same code to its own question, and each reconciles to the same total.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import ibis
import ibis.expr.types as ir
import numpy as np

from leadline.maths import ranks
from leadline.metrics.credit.allocation import Allocations, Chosen, united
from leadline.metrics.credit.influence_rows import Rows, Shape
from leadline.metrics.query import Asked
from leadline.results import Column

Row = dict[str, Any]
Place = tuple[Any, ...]
"""Values of what parts a table into rankings: dimensions of the opportunity and the period."""

CREDIT = (
    Column("credit", "money", help="Credit of the row on opportunities of any state"),
    Column("share", "rate", help="Of the total of its period"),
    Column("rank", "integer", help="Place by credit within its period, 1 for the most; equal credit shares a place"),
    Column("rank_change", "integer", help="Places won (above 0) or lost against the one compared with"),
    Column("moved_amount", "money", help="Credit beyond that of the one compared with; adds up to 0"),
)

LIST_EXTRA = (
    Column("model", "text", help="Model"),
    Column("variation", "text", help="What is compared"),
    Column("against", "text", help="What it is compared with"),
    Column("moved_amount", "money", help="Part of the amount that has changed hands"),
    Column("moved_from", "text", help="Who has lost most of it: a campaign, or what no campaign has"),
    Column("moved_to", "text", help="Who has gained most of it"),
)


@dataclass(frozen=True)
class Variant:
    """One split of the amounts.

    Attributes:
        label: what it is called beside the others.
        chosen: its model.
        allocations: what became of the amounts.
        found: its rows.
        outside: opportunities outside the identity, by why.
    """

    label: str
    chosen: Chosen
    allocations: Allocations
    found: Rows
    outside: dict[str, int]


@dataclass(frozen=True)
class Family:
    """Variants that are compared with the first of them."""

    shape: Shape
    variants: Sequence[Variant]
    kept: dict[str, ir.Table] = field(default_factory=dict)
    """Opportunities of which something changed hands, by the label of the other variant; run once."""

    @property
    def base(self) -> Variant:
        """What the others are compared with."""
        return self.variants[0]

    @property
    def others(self) -> Sequence[Variant]:
        """The others."""
        return self.variants[1:]


def rows(family: Family) -> list[Row]:
    """A row per campaign, or remainder, and variant: the campaigns by their place in the first variant.

    Every row of one variant stands in all of them, with 0 where it has nothing.
    """
    tables = [_keyed(family, one) for one in family.variants]
    keys = list(dict.fromkeys(key for table in tables for key in table))
    totals = [_totals(family, table) for table in tables]
    placed = [_ranks(family, table, keys) for table in tables]
    made = []
    for variant, table, total, rank in zip(family.variants, tables, totals, placed, strict=True):
        for key in keys:
            credit, before = table.get(key, 0), tables[0].get(key, 0)
            own = rank.get(key)
            made.append(
                {
                    **dict(zip(_names(family), key, strict=True)),
                    **_told(family, variant, key),
                    "credit": credit,
                    "share": credit / total[_place(family, key)] if total.get(_place(family, key)) else None,
                    "rank": own,
                    "rank_change": None if own is None else placed[0][key] - own,
                    "moved_amount": credit - before,
                    "_order": (
                        *[str(part) for part in _place(family, key)],
                        own is None,
                        placed[0].get(key, 0),
                        -before,
                        *[str(part) for part in key],
                    ),
                }
            )
    made.sort(key=lambda row: row["_order"])
    return [{name: value for name, value in row.items() if name != "_order"} for row in made]


def _names(family: Family) -> list[str]:
    shape = family.shape
    each = ["campaign_id"] if shape.each_campaign else []
    return [*shape.deal_keys, "bucket", "reason", *shape.campaign_by, *each]


def _keyed(family: Family, variant: Variant) -> dict[Place, int]:
    names = _names(family)
    return {
        tuple(row[name] for name in names): sum(row[f"{state}_amount"] for state in ("won", "open", "lost"))
        for row in variant.found.rows()
    }


def _place(family: Family, key: Place) -> Place:
    return key[: len(family.shape.deal_keys)]


def _is_campaign(family: Family, key: Place) -> bool:
    return key[len(family.shape.deal_keys)] == "campaign"


def _totals(family: Family, table: Mapping[Place, int]) -> dict[Place, int]:
    sums: dict[Place, int] = {}
    for key, credit in table.items():
        sums[_place(family, key)] = sums.get(_place(family, key), 0) + credit
    return sums


def _ranked(family: Family, keys: Sequence[Place]) -> dict[Place, list[Place]]:
    """The campaigns of each ranking."""
    found: dict[Place, list[Place]] = {}
    for key in keys:
        if _is_campaign(family, key):
            found.setdefault(_place(family, key), []).append(key)
    return found


def _ranks(family: Family, table: Mapping[Place, int], keys: Sequence[Place]) -> dict[Place, int]:
    found: dict[Place, int] = {}
    for group in _ranked(family, keys).values():
        own = ranks.places(np.array([table.get(key, 0) for key in group], np.int64))
        found |= dict(zip(group, own.tolist(), strict=True))
    return found


def _told(family: Family, variant: Variant, key: Place) -> Row:
    named = dict(zip(_names(family), key, strict=True))
    campaign_id = named.get("campaign_id")
    asked = family.shape.asked
    return {
        "period": asked.period_label(named["period_day"]),
        "campaign_id": campaign_id,
        "campaign": family.shape.campaigns.facts(campaign_id, named["period_day"]).label,
        "model": variant.chosen.name,
        "variation": variant.label,
        "scope": variant.found.scope,
        "window": variant.found.window,
    }


def totals(family: Family) -> list[Row]:
    """The reconciliation of each variant, and how alike each ranking is to that of the first one."""
    found = [
        {**total, "variation": one.label} if one.label not in (one.chosen.name, one.found.scope) else total
        for one in family.variants
        for total in one.found.totals(one.outside)
    ]
    base = _keyed(family, family.base)
    for other in family.others:
        found += list(_alike(family, base, other))
    return found


def _alike(family: Family, base: Mapping[Place, int], other: Variant) -> Iterator[Row]:
    table = _keyed(family, other)
    keys = list(dict.fromkeys([*base, *table]))
    moved = _moved_by_place(family, other)
    places = _ranked(family, keys)
    for place in dict.fromkeys(_place(family, key) for key in keys):
        group = places.get(place, [])
        one, two = (np.array([side.get(key, 0) for key in group], np.int64) for side in (base, table))
        named = dict(zip(family.shape.deal_keys, place, strict=True))
        deals, amount = moved.get(place, (0, 0))
        yield {
            "period": family.shape.asked.period_label(named.pop("period_day")),
            **named,
            **({"model": other.chosen.name} if other.label != other.chosen.name else {}),
            "compared": other.label,
            "against": family.base.label,
            "campaigns": len(group),
            "spearman": ranks.spearman(one, two),
            "kendall": ranks.kendall(one, two),
            "opportunities_moved": deals,
            "moved_amount": amount,
        }


def _moved_by_place(family: Family, other: Variant) -> dict[Place, tuple[int, int]]:
    """Per ranking: opportunities of which something changed hands, and how much did."""
    keys = family.shape.deal_keys
    table = _moved(family, other)
    summed = table.group_by(*keys).aggregate(deals=table.count(), moved=table.moved_amount.sum())
    found = family.shape.asked.opened.arrow(summed).to_pylist()
    return {tuple(row[name] for name in keys): (row["deals"], row["moved"]) for row in found}


def moved(families: Sequence[Family]) -> ir.Table:
    """The list: opportunities of which something changed hands between a variant and the first one.

    Columns: those every list has, the dimensions, period_day, and `LIST_EXTRA`.
    """
    parts = [
        _moved(family, other).mutate(
            model=ibis.literal(other.chosen.name),
            variation=ibis.literal(other.label),
            against=ibis.literal(family.base.label),
        )
        for family in families
        for other in family.others
    ]
    return united(parts)


def _moved(family: Family, other: Variant) -> ir.Table:
    """Opportunities with moved_amount, moved_from, moved_to between the first variant and another."""
    if other.label not in family.kept:
        family.kept[other.label] = _moves(family, other)
    return family.kept[other.label]


def _moves(family: Family, other: Variant) -> ir.Table:
    asked = family.shape.asked
    parts = [_held(one, sign) for one, sign in ((family.base, -1), (other, 1))]
    both = ibis.union(*parts)
    changed = both.group_by("opportunity_id", *_HOLDER).aggregate(more=both.amount.sum())
    changed = asked.opened.keep(_named(asked, changed.filter(changed.more != 0)))
    gained = changed.filter(changed.more > 0)
    sums = gained.group_by("opportunity_id").aggregate(moved_amount=gained.more.sum())
    lost = _most(changed, changed.more).select("opportunity_id", moved_from="holder")
    won = _most(changed, changed.more.negate()).select("opportunity_id", moved_to="holder")
    known = sums.join(lost, "opportunity_id").join(won, "opportunity_id")
    deals = family.base.allocations.deals
    facts = deals.group_by("opportunity_id", "created_s", *family.shape.deal_keys).aggregate(amount=deals.amount.sum())
    marks = known.join(facts, "opportunity_id").mutate(
        unit_id=ibis._.opportunity_id,
        person_id=ibis.null("string"),
        object=ibis.literal("Opportunity"),
        evidence=ibis.literal("credit"),
    )
    return asked.opened.keep(marks)


_HOLDER = ("campaign_id", "bucket", "reason")


def _held(variant: Variant, sign: int) -> ir.Table:
    """Who has how much of each opportunity: opportunity_id, campaign_id, bucket, reason, amount."""
    allocations, name = variant.allocations, variant.chosen.name
    credits = allocations.group(name).of(name).join(allocations.deals.select("deal_no", "opportunity_id"), "deal_no")
    part = ibis.ifelse(credits.is_sourced, ibis.literal("sourced"), ibis.literal("accelerated"))
    window = variant.found.window
    inside = ibis.literal(True) if variant.chosen.only or window == "influenced" else part == window
    none = ibis.null("string")
    given = credits.select(
        "opportunity_id",
        campaign_id=ibis.ifelse(inside, credits.campaign_id, none),
        bucket=ibis.ifelse(inside, ibis.literal("campaign"), ibis.literal("other_window")),
        reason=none,
        amount=credits.credit * sign,
    )
    rest = allocations.rest(name)
    left = rest.select("opportunity_id", campaign_id=none, bucket="bucket", reason="reason", amount=rest.amount * sign)
    return ibis.union(given, left.select(*given.columns))


def _named(asked: Asked, changed: ir.Table) -> ir.Table:
    """The same with `holder`: the name of the campaign, or of what no campaign has."""
    labels = asked.opened["campaigns"].select("campaign_id", label="campaign")
    joined = changed.left_join(labels, "campaign_id").drop("campaign_id_right")
    holder = ibis.coalesce(joined.label, joined.campaign_id, joined.reason, joined.bucket)
    return joined.mutate(holder=holder).drop("label")


def _most(changed: ir.Table, more: ir.IntegerValue) -> ir.Table:
    """The holder of each opportunity with the least `more`, ties by campaign and reason."""
    order = [more, *[changed[name].fill_null("") for name in _HOLDER]]
    ranked = changed.mutate(nth=ibis.row_number().over(ibis.window(group_by="opportunity_id", order_by=order)))
    return ranked.filter(ranked.nth == 0)
