"""Credits of any number of models over the same opportunities: touches once, then all models together."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, reduce

import ibis
import ibis.expr.types as ir

from leadline.credit_models import Model
from leadline.errors import UnknownNameError, UsageError
from leadline.metrics.credit import org_touches, points, touches, weighing
from leadline.metrics.credit.base import Base, Share, Touched
from leadline.metrics.query import Asked

PENDING, UNATTRIBUTED = "pending", "unattributed"
PARTS = ("sourced", "accelerated")
AT_ONCE = 30_000_000
"""Expected touches times models that are split at once: they take about 3 GB."""
AT = "@"
"""Between the name of a model and the part of the window it is run on alone: even@sourced."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """A model that is asked for.

    Attributes:
        name: as asked, e.g. u_shaped or even@sourced.
        key: prefix of its columns.
        only: the part of the window it is run on alone, or None.
    """

    name: str
    model: Model
    key: str
    only: str | None


def chosen(names: Sequence[str], known: Mapping[str, Model]) -> list[Chosen]:
    """The models of these names.

    Raises:
        UnknownNameError: no model, or no part of the window, of that name.
        UsageError: a name given twice, or a part of the window of the org's own rows.
    """
    found = []
    for number, name in enumerate(names):
        own, sign, only = name.partition(AT)
        if own not in known:
            raise UnknownNameError("model", own, known)
        if sign and only not in PARTS:
            raise UnknownNameError("part of the window", only, PARTS, f"model {name!r}")
        if name in names[:number]:
            raise UsageError(f"Model {name!r} is asked for twice.")
        if sign and known[own].touches == org_touches.SOURCE:
            raise UsageError(
                f"Model {name!r} would need other percentages than Salesforce wrote: they split the whole window. "
                f"Ask for {own!r} with --window {only}, which shows that part of them."
            )
        found.append(Chosen(name, known[own], f"m{number}", only or None))
    return found


class Group:
    """Models that look at the same touches."""

    def __init__(self, touched: Touched, models: Sequence[Chosen]) -> None:
        self.touched = touched
        self.models = list(models)
        self.shares: dict[str, Share] = {}

    @cached_property
    def credits(self) -> ir.Table:
        """Touches with points, and their credit, of all models of the group; run once."""
        keep = self.touched.asked.opened.keep
        return keep(self.split(self.touched.table, self.models, keep))

    def split(self, table: ir.Table, models: Sequence[Chosen], keep: points.Keep) -> ir.Table:
        """Touches with points, and their credit, of models: see `points.credited`; a model_no is a place in `models`."""
        weighed = []
        for one in models:
            made, self.shares[one.name] = weighing.weigh(self.touched, table, one.model, one.key)
            weighed.append((made, self.shares[one.name]))
        return points.credited(weighed, self.touched.deals, keep)

    def share(self, name: str) -> Share:
        """What the kind of a model says of its column."""
        if name not in self.shares:
            _ = self.credits
        return self.shares[name]

    def of(self, name: str) -> ir.Table:
        """Touches of one model that have points: deal_no, nth, campaign_id, is_sourced, points, credit."""
        number = [one.name for one in self.models].index(name)
        return self.credits.filter(self.credits.model_no == number).drop("model_no")


class Allocations:
    """What became of the amount of each deal, by model.

    Args:
        asked: the question.
        deals: kept opportunities with a known amount and deal_no (see `numbered`).
        models: the models.
        base: what touches are looked at by models that say nothing else.
    """

    def __init__(self, asked: Asked, deals: ir.Table, models: Sequence[Chosen], base: Base) -> None:
        self.asked = asked
        self.deals = deals
        self.models = list(models)
        self.base = base
        by_base: dict[Base, list[Chosen]] = {}
        for one in models:
            by_base.setdefault(_base(base, one), []).append(one)
        self.groups = [
            Group(Touched(asked, deals, own, leads=any(weighing.asks_for_leads(one.model) for one in those)), those)
            for own, those in by_base.items()
        ]
        self._of = {one.name: group for group in self.groups for one in group.models}
        self._rest: dict[str, ir.Table] = {}

    def in_parts(self) -> Iterator[Allocations]:
        """The same for a part of the deals after the other, so that what is split at once fits into memory.

        Every deal is split by itself, so sums over the parts are sums over all. Models that learn from all
        deals would learn once per part: with one of them there is one part.
        """
        learned = any(one.model.kind in weighing.LEARNED for one in self.models)
        parts = 1 if learned else -(-self._expected() * len(self.models) // AT_ONCE)
        if parts <= 1:
            yield self
            return
        for part in range(parts):
            deals = self.asked.opened.keep(self.deals.filter(self.deals.deal_no % parts == part))
            yield Allocations(self.asked, deals, self.models, self.base)

    def _expected(self) -> int:
        """About how many touches there are: persons on deals, each with as many responses as a person has on average."""
        opened = self.asked.opened
        counted = {"pairs": touches.people(self.asked, self.deals, self.base.scope)}
        counted |= {name: opened[name] for name in ("responses", "people") if name in opened}
        each = [table.aggregate(rows=table.count()).mutate(of=ibis.literal(of)) for of, table in counted.items()]
        rows = {row["of"]: row["rows"] for row in opened.arrow(ibis.union(*each)).to_pylist()}
        per_person = -(-rows.get("responses", 0) // max(rows.get("people", 0), 1))
        return int(rows["pairs"] * per_person)

    def group(self, name: str) -> Group:
        """The group a model is in."""
        return self._of[name]

    def model(self, name: str) -> Chosen:
        """A model by the name it was asked by."""
        return next(one for one in self.models if one.name == name)

    def said(self) -> list[str]:
        """What models that learn ask to be said, once they have been asked."""
        shares = {one.name: self._of[one.name].shares.get(one.name) for one in self.models}
        return [f"{name}: {share.said}" for name, share in shares.items() if share is not None and share.said]

    def credits(self, name: str) -> ir.Table:
        """Touches with points: deal_no, opportunity_id, response_id, person_id, campaign_id, s, is_sourced, points, credit."""
        group = self._of[name]
        own = group.of(name).select("deal_no", "nth", "points", "credit")
        named = group.touched.table.select(
            "deal_no", "nth", "opportunity_id", "response_id", "person_id", "campaign_id", "s", "is_sourced"
        )
        return named.join(own, ["deal_no", "nth"]).drop("nth")

    def rest(self, name: str) -> ir.Table:
        """What no touch has: deal_no, opportunity_id, bucket (pending, unattributed), reason, amount."""
        if name not in self._rest:
            self._rest[name] = self._left(name)
        return self._rest[name]

    def _left(self, name: str) -> ir.Table:
        group = self._of[name]
        share = group.share(name)
        deals = self.deals.select("deal_no", "opportunity_id", "amount")
        untouched = deals.join(group.touched.reasons, "opportunity_id").select(
            "deal_no", "opportunity_id", "reason", "amount", bucket=ibis.literal(UNATTRIBUTED)
        )
        if not (share.pending or share.alone):
            return untouched
        credits = group.of(name)
        if share.alone:
            looked_at = group.touched.table.select("deal_no").distinct()
            without = deals.semi_join(looked_at, "deal_no").anti_join(credits, "deal_no")
            left = without.mutate(reason=ibis.literal(share.alone), bucket=ibis.literal(UNATTRIBUTED))
        else:
            left = self._waiting(group, credits, share)
        return ibis.union(untouched, left.select(*untouched.columns))

    def _waiting(self, group: Group, credits: ir.Table, share: Share) -> ir.Table:
        """What the touches of a deal leave of its amount."""
        summed = credits.group_by("deal_no").aggregate(credited=credits.credit.sum())
        looked_at = group.touched.table.select("deal_no").distinct()
        deals = self.deals.select("deal_no", "opportunity_id", "amount").semi_join(looked_at, "deal_no")
        joined = deals.left_join(summed, "deal_no").drop("deal_no_right")
        kept = joined.mutate(waiting=joined.amount - joined.credited.fill_null(0))
        return kept.filter(kept.waiting != 0).select(
            "deal_no",
            "opportunity_id",
            reason=ibis.literal(share.left, "string") if share.left else ibis.null("string"),
            amount=kept.waiting,
            bucket=ibis.literal(UNATTRIBUTED if share.left else PENDING),
        )


def numbered(asked: Asked, valued: ir.Table) -> ir.Table:
    """Opportunities with a known amount, run once, with a number each: short keys make long tables fast."""
    return asked.opened.keep(valued.mutate(deal_no=ibis.row_number().over(ibis.window(order_by="opportunity_id"))))


def _base(base: Base, one: Chosen) -> Base:
    if one.model.touches == org_touches.SOURCE and base.goal != touches.GOALS[0]:
        raise UsageError(
            f"Model {one.name!r} has the percentages that Salesforce wrote, whatever led to the creation; "
            f"leave out --goal {base.goal}, or ask for --window sourced."
        )
    found = replace(base, only=one.only)
    # As Salesforce counts: roles only, whatever scope is asked for.
    return found if one.model.touches == touches.RESPONSES else replace(found, source=one.model.touches, scope="role")


def united(parts: Sequence[ir.Table]) -> ir.Table:
    """One table of several with the same columns."""
    return reduce(ibis.union, parts)
