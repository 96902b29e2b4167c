"""True influence: credit by the words of the definitions, and what really caused each deal."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from fractions import Fraction

import numpy as np

from leadline.demo import ids
from leadline.demo.params import DIGITS
from leadline.demo.truth_events import BlockEvents
from leadline.demo.truth_law import Deal, Response
from leadline.demo.world import World

WINDOW = 365
MODELS = ("first", "last", "even")
_POINTS = 10**6


@dataclass(slots=True)
class Influence:
    """Role scope, window "influenced", all deals of the org; amounts in minor units of USD.

    Attributes:
        credited: (model, campaign id, state) → credit; state is "won", "open" or "lost".
        total: state → amount of the deals that have one.
        unattributed: (reason, state) → amount of deals without a touch.
        no_amount: state → deals without an amount, outside of everything above.
        touched: campaign id → deals with a touch of it; these overlap.
        touches: opportunity id → members that are its touches, earliest first.
        causal_deals: campaign id → deals it really caused, in shares. No record shows it.
        causal_won: campaign id → its share of the won amounts it really caused.
        caused_by_nothing: deals that no response caused.
    """

    credited: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    total: Counter[str] = field(default_factory=Counter)
    unattributed: Counter[tuple[str, str]] = field(default_factory=Counter)
    no_amount: Counter[str] = field(default_factory=Counter)
    touched: Counter[str] = field(default_factory=Counter)
    touches: dict[str, tuple[str, ...]] = field(default_factory=dict)
    causal_deals: dict[str, float] = field(default_factory=dict)
    causal_won: dict[str, float] = field(default_factory=dict)
    caused_by_nothing: int = 0


def half_even(value: Fraction) -> int:
    """The nearest integer, the even one in the middle."""
    return round(value)


def amount_in_usd(world: World, milli: int, currency: int, close_day: int) -> int:
    """Cents of an amount in thousandths of `currency`, at the dated rate of its close date."""
    digits = DIGITS[currency]
    minor = half_even(Fraction(milli, 10 ** (3 - digits)))
    row = int(np.searchsorted(world.rate_days, close_day, side="right")) - 1
    rate = Fraction(int(world.rates[max(row, 0), currency]), 10_000)
    return half_even(Fraction(minor * 100, 10**digits) / rate)


def touches(events: BlockEvents, deal: Deal) -> list[Response]:
    """Responses in the window of the people with a role, earliest first."""
    end = (deal.closed or events.as_of).key
    found = [
        response
        for person in events.scope[deal.number]
        for response in events.people[person].responses
        if deal.created.day - response.moment.day <= WINDOW and response.moment.key <= end
    ]
    return sorted(found, key=lambda response: (response.moment.key, response.member))


def reason(events: BlockEvents, deal: Deal) -> str:
    """Why a deal without a touch has none."""
    persons = [events.people[person] for person in events.scope[deal.number]]
    if not persons:
        return "no person in scope"
    if any(person.responses for person in persons):
        return "no response in window"
    return "only undated responses" if any(person.undated for person in persons) else "nobody responded"


def split(amount: int, points: list[int]) -> list[int]:
    """`amount` by `points`, largest remainder; the earlier of equal remainders comes first."""
    total = sum(points)
    whole = [amount * point // total for point in points]
    rest = sorted(range(len(points)), key=lambda row: (-(amount * points[row] % total), row))
    for row in rest[: amount - sum(whole)]:
        whole[row] += 1
    return whole


def points_of(model: str, count: int) -> list[int]:
    """Points of each of `count` touches."""
    if model == "even":
        return [_POINTS // count] * count
    chosen = 0 if model == "first" else count - 1
    return [_POINTS * (row == chosen) for row in range(count)]


def add_influence(influence: Influence, events: BlockEvents) -> int:
    """Adds one block's deals; returns the open pipeline of the block in cents."""
    deals, pipeline = events.stories.deals, 0
    for number, deal in events.deals.items():
        milli = int(deals["amount"][number])
        if milli < 0:
            influence.no_amount[deal.state] += 1
            continue
        amount = amount_in_usd(events.world, milli, int(deals["currency"][number]), int(deals["close_date"][number]))
        influence.total[deal.state] += amount
        pipeline += amount * (deal.state == "open")
        found = touches(events, deal)
        influence.touches[block_id(events, "Opportunity", number)] = tuple(
            block_id(events, "CampaignMember", touch.member) for touch in found
        )
        if not found:
            influence.unattributed[reason(events, deal), deal.state] += amount
            continue
        influence.touched.update({campaign_id(touch.campaign) for touch in found})
        for model in MODELS:
            for touch, credit in zip(found, split(amount, points_of(model, len(found))), strict=True):
                influence.credited[model, campaign_id(touch.campaign), deal.state] += credit
    _add_causes(influence, events)
    return pipeline


def campaign_id(row: int) -> str:
    """Id of a campaign by its row."""
    return ids.one("Campaign", row)


def block_id(events: BlockEvents, object_name: str, row: int) -> str:
    """Id of a record of a block by its row."""
    return ids.one(object_name, events.stories.block * ids.BLOCK_STRIDE + row)


def _add_causes(influence: Influence, events: BlockEvents) -> None:
    causes, deals = events.stories.causes, events.stories.deals
    for deal, campaign, share in zip(
        causes["deal"].tolist(), causes["campaign"].tolist(), causes["share"].tolist(), strict=True
    ):
        name = campaign_id(campaign)
        influence.causal_deals[name] = influence.causal_deals.get(name, 0.0) + share
        if deal in events.deals and events.deals[deal].state == "won" and deals["amount"][deal] >= 0:
            milli, currency, close = (int(deals[column][deal]) for column in ("amount", "currency", "close_date"))
            won = amount_in_usd(events.world, milli, currency, close)
            influence.causal_won[name] = influence.causal_won.get(name, 0.0) + share * won
    influence.caused_by_nothing += len(events.deals) - len(set(causes["deal"].tolist()) & set(events.deals))
