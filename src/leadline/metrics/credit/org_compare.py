"""The org's own influence rows beside a model of ours, with the reason for every difference, found in the data.

A row is an opportunity, a person and a campaign. The rows are those the org wrote, those the model
looks at, and those in neither that a contact role and a campaign member would make.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import reduce
from typing import Any

import ibis
import ibis.expr.types as ir

from leadline import credit_models
from leadline.credit_models import Model
from leadline.errors import UsageError
from leadline.metrics import periods
from leadline.metrics.assemble import Assembly
from leadline.metrics.credit import allocation, org_touches, touches
from leadline.metrics.credit import org_reasons as reasons
from leadline.metrics.credit.base import Base
from leadline.metrics.listing import listed
from leadline.metrics.query import Asked, Query, ask
from leadline.model.opened import Opened
from leadline.model.responses import COUNTED_FATES, NO_DATE
from leadline.model.salesforce_rows import WHOLE
from leadline.results import Result

DEFAULT_MODEL = "salesforce_primary"
"""The model that an org of which nothing else is known runs: all to the primary campaign."""

_KEY = ("opportunity_id", "person_id", "campaign_id")


def compared(
    opened: Opened,
    query: Query,
    *,
    model: str | None = None,
    known: Mapping[str, Model] | None = None,
    scope: str | None = None,
    org_model: str | None = None,
    opportunity: str | None = None,
) -> Result:
    """The org's rows and ours by reason; the list has them one by one.

    Args:
        query: its days are those of the creation; dimensions and filters are refused.
        model: one of ours; default: all to the primary campaign, any status, roles only.
        known: the models there are; default: those that Leadline ships.
        scope: whose responses count for models that look at responses.
        org_model: label or id of the org's model; default: its default one.
        opportunity: only this one, by its id.

    Raises:
        UnknownNameError: a model of ours or of the org that does not exist.
        UsageError: dimensions or filters, or an opportunity that is not there.
    """
    if query.by or query.where or query.unit not in (None, "opportunities"):
        raise UsageError("Rows are compared one by one: leave out --by, --where and --unit; --list has every row.")
    asked = ask(opened, replace(query, unit="opportunities"))
    chosen = allocation.chosen([model or DEFAULT_MODEL], credit_models.load() if known is None else known)[0]
    return _Comparison(asked, chosen, scope, org_model, opportunity).result()


class _Comparison:
    """One comparison."""

    def __init__(
        self,
        asked: Asked,
        chosen: allocation.Chosen,
        scope: str | None,
        org_model: str | None,
        opportunity: str | None,
    ) -> None:
        self.asked, self.chosen = asked, chosen
        self.look_back = asked.opened.settings.influence.look_back_days
        self.org_id, self.org_label, self.locked = org_touches.model_of(asked, org_model)
        base = Base(scope or asked.opened.settings.influence.scope, self.look_back)
        self.deals = self._deals(opportunity)
        valued = allocation.numbered(asked, self.deals.filter(ibis._.amount_state == "known"))
        self.ours = allocation.Allocations(asked, valued, [chosen], base)

    def _deals(self, opportunity: str | None) -> ir.Table:
        asked = self.asked
        deals = asked.opened["deals"]
        if opportunity is not None:
            deals = deals.filter(deals.opportunity_id.startswith(opportunity[:15]))
            if not asked.opened.arrow(deals.select("opportunity_id")).num_rows:
                raise UsageError(f"There is no opportunity {opportunity!r} in this snapshot at as-of.")
        return asked.opened.keep(periods.with_period(asked, periods.within(asked, deals, "created_day"), "created_day"))

    def result(self) -> Result:
        """Rows by reason."""
        asked = self.asked
        question = self._explained(self._joined())
        rows = asked.opened.keep(question)
        counted = rows.group_by("period_day", "difference", "reason").aggregate(
            count=rows.count(),
            opportunities=rows.opportunity_id.nunique(),
            org_amount=rows.org_amount.sum(),
            our_amount=rows.our_amount.sum(),
        )
        found = asked.opened.arrow(counted).to_pylist()
        found.sort(
            key=lambda row: (
                row["period_day"],
                (reasons.BOTH, reasons.ORG, reasons.OURS, reasons.NEITHER).index(row["difference"]),
                reasons.REASONS.index(row["reason"]),
            )
        )
        org = self.org_label or self.org_id or "no model named"
        made = Assembly(
            asked,
            "influence",
            "The org's influence rows beside ours",
            reasons.TEXT.format(org=org, model=self.chosen.name),
        )
        result = made.result(
            reasons.COLUMNS,
            [{**row, "period": asked.period_label(row["period_day"])} for row in found],
            totals=_totals(asked, found),
            query=question,
            units=self.ours.deals.mutate(unit_id=self.ours.deals.opportunity_id),
            records=lambda: listed(made, rows, reasons.LINKS, reasons.EXTRA, kind="salesforce"),
            notes=self._notes(found),
        )
        return replace(result, kind="salesforce")

    def _joined(self) -> ir.Table:
        """Every row of either side or of neither: `_KEY`, and what each side says of it."""
        parts = [self._org(), self._looked_at(), self._possible()]
        columns = {name: kind for part in parts for name, kind in part.schema().items() if name not in _KEY}
        filled = [
            part.select(
                *_KEY,
                **{name: part[name] if name in part.columns else ibis.null(kind) for name, kind in columns.items()},
            )
            for part in parts
        ]
        every = reduce(ibis.union, filled)
        return every.group_by(*_KEY).aggregate(**{name: every[name].max() for name in columns})

    def _org(self) -> ir.Table:
        rows = org_touches.rows_of(self.asked, self.org_id)
        own = rows.semi_join(self.deals, "opportunity_id").mutate(
            person_id=ibis.coalesce(rows.person_id, rows.contact_id, ibis.literal(""))
        )
        return own.group_by(*_KEY).aggregate(
            in_org=own.count(),
            org_parts=own.share_parts.fill_null(0).sum(),
            org_id=own.influence_id.min(),
            org_s=own.created_s.max(),
        )

    def _looked_at(self) -> ir.Table:
        """What the model looks at, with points and credit."""
        group = self.ours.group(self.chosen.name)
        given = group.of(self.chosen.name).select("deal_no", "nth", "points", "credit")
        looked_at = group.touched.table.select("deal_no", "nth", "response_id", *_KEY)
        joined = looked_at.left_join(given, ["deal_no", "nth"]).drop("deal_no_right", "nth_right")
        known = joined.mutate(points=joined.points.fill_null(0), credit=joined.credit.fill_null(0))
        own = ibis.window(group_by="deal_no")
        named = known.mutate(all_points=known.points.sum().over(own))
        return named.group_by(*_KEY).aggregate(
            in_ours=named.count(),
            points=named.points.sum(),
            all_points=named.all_points.max(),
            our_amount=named.credit.sum(),
            our_id=named.response_id.min(),
        )

    def _possible(self) -> ir.Table:
        """Contact roles with campaign members of the same person, whatever the status."""
        cut = self.asked.opened.as_of
        roles = self.asked.opened["roles"].semi_join(self.deals, "opportunity_id")
        roles = roles.filter(roles.created_s.isnull() | cut.happened(roles, "created"))
        had = roles.group_by("opportunity_id", "person_id").aggregate(role_s=roles.created_s.min())
        members = self.asked.opened["role_members"]
        members = members.filter(members.created_s.isnull() | cut.happened(members, "created"))
        joined = had.join(
            members.select("person_id", "campaign_id", "response_id", "created_s", "created_day"), "person_id"
        )
        return joined.group_by(*_KEY).aggregate(
            possible=joined.count(),
            role_s=joined.role_s.min(),
            member_s=joined.created_s.min(),
            member_day=joined.created_day.min(),
            member_id=joined.response_id.min(),
        )

    def _explained(self, joined: ir.Table) -> ir.Table:
        """The rows with difference, reason, shares and amounts."""
        rows = self._with_facts(joined)
        org, ours = rows.in_org.notnull(), rows.in_ours.notnull()
        shares = rows.mutate(
            org_share=ibis.ifelse(org, rows.org_parts / WHOLE, ibis.null("float64")),
            our_share=ibis.ifelse(
                ours,
                ibis.ifelse(rows.all_points > 0, rows.points / rows.all_points, ibis.literal(0.0)),
                ibis.null("float64"),
            ),
            difference=ibis.cases(
                (org & ours, reasons.BOTH), (org, reasons.ORG), (ours, reasons.OURS), else_=reasons.NEITHER
            ),
        )
        reason = ibis.cases(
            (shares["difference"] == reasons.BOTH, _equal(shares)),
            (shares["difference"] == reasons.ORG, self._why_not_ours(shares)),
            else_=self._why_not_org(shares),
        )
        known = shares.amount_state == "known"
        return shares.select(
            *_KEY,
            "difference",
            "period_day",
            "org_share",
            "our_share",
            "our_amount",
            "amount",
            reason=reason,
            org_amount=ibis.ifelse(known, _part_of(shares.amount, shares.org_parts), ibis.null("int64")),
            unit_id=ibis.coalesce(shares.org_id, shares.our_id, shares.member_id),
            object=ibis.ifelse(org, ibis.literal("CampaignInfluence"), ibis.literal("CampaignMember")),
            at_s=ibis.coalesce(shares.org_s, shares.member_s),
        )

    def _with_facts(self, joined: ir.Table) -> ir.Table:
        """Rows with what is known of the deal, of its org rows, and of the person's role, member and response."""
        deals = self.deals.select(
            "opportunity_id", "period_day", "state", "closed_s", "created_day", "amount", "amount_state"
        )
        whole = ibis.window(group_by="opportunity_id")
        told = joined.mutate(written=joined.in_org.sum().over(whole), last_org_s=joined.org_s.max().over(whole))
        known = told.join(deals, "opportunity_id")
        roles = self.asked.opened["roles"].select("opportunity_id", "person_id").distinct().mutate(has_role=True)
        known = known.left_join(roles, ["opportunity_id", "person_id"]).drop("opportunity_id_right", "person_id_right")
        members = (
            self.asked.opened["role_members"].select("person_id", "campaign_id").distinct().mutate(has_member=True)
        )
        known = known.left_join(members, ["person_id", "campaign_id"]).drop("person_id_right", "campaign_id_right")
        answers = self.asked.opened["responses"]
        own = answers.filter(answers.funnel == touches.people_funnel(self.asked))
        said = own.group_by("person_id", "campaign_id").aggregate(
            answered_s=ibis.ifelse(own.fate.isin(COUNTED_FATES), own.responded_s, ibis.null("int64")).min(),
            answered_day=ibis.ifelse(own.fate.isin(COUNTED_FATES), own.responded_day, ibis.null("int64")).min(),
            undated=(own.fate == NO_DATE).any(),
        )
        return known.left_join(said, ["person_id", "campaign_id"]).drop("person_id_right", "campaign_id_right")

    def _why_not_ours(self, rows: ir.Table) -> ir.StringValue:
        closed = rows.state != "open"
        cases: list[tuple[Any, str]] = [
            (rows.has_role.isnull(), reasons.NO_ROLE),
            (rows.has_member.isnull(), reasons.NO_MEMBER),
        ]
        if self.chosen.model.touches == touches.RESPONSES:
            cases += [
                (rows.answered_s.isnull() & rows.undated.fill_null(False), reasons.UNDATED),
                (rows.answered_s.isnull(), reasons.NO_RESPONSE),
                (closed & (rows.answered_s > rows.closed_s), reasons.LATE_RESPONSE),
                (rows.created_day - rows.answered_day > self.look_back, reasons.OLD_RESPONSE),
            ]
        return ibis.cases(
            *cases, *self._dates(rows), (rows.amount_state != "known", reasons.NO_AMOUNT), else_=reasons.UNTOLD
        )

    def _why_not_org(self, rows: ir.Table) -> ir.StringValue:
        late = (rows.member_s > rows.last_org_s) | (rows.role_s > rows.last_org_s)
        none = rows.written.fill_null(0) == 0
        no_share = (rows.points == 0).fill_null(False)
        told = [
            (none, reasons.NONE_WRITTEN),
            *self._dates(rows),
            (no_share, reasons.NO_SHARE),
            (late.fill_null(False), reasons.AFTER_LAST),
        ]
        return ibis.cases(*told, else_=reasons.UNTOLD)

    def _dates(self, rows: ir.Table) -> list[tuple[Any, str]]:
        closed = rows.state != "open"
        return [
            ((closed & (rows.member_s > rows.closed_s)).fill_null(False), reasons.LATE_MEMBER),
            ((rows.created_day - rows.member_day > self.look_back).fill_null(False), reasons.OLD_MEMBER),
            ((closed & (rows.role_s > rows.closed_s)).fill_null(False), reasons.LATE_ROLE),
        ]

    def _notes(self, found: list[dict[str, Any]]) -> list[str]:
        said = []
        if not any(row["difference"] in (reasons.BOTH, reasons.ORG) for row in found):
            said.append("The org has no influence rows on these opportunities.")
        if self.locked:
            said.append(f"The org's model {self.org_label} is locked: only Salesforce writes its rows.")
        return said


def _part_of(amount: ir.IntegerValue, parts: ir.IntegerValue) -> ir.IntegerValue:
    """Millionths of an amount in minor units, each row by itself, halves away from zero; no product leaves 2**53."""
    size = amount.abs()
    rest = size % WHOLE
    product = rest * parts + WHOLE // 2
    whole = ((size - rest) / WHOLE).round().cast("int64") * parts
    part = whole + ((product - product % WHOLE) / WHOLE).round().cast("int64")
    return ibis.ifelse(amount < 0, -part, part)


def _equal(rows: ir.Table) -> ir.StringValue:
    near = (rows.org_share - rows.our_share).abs() <= reasons.SHARE_ROUNDING
    return ibis.ifelse(near, ibis.literal(reasons.SAME), ibis.literal(reasons.OTHER_SHARE))


def _totals(asked: Asked, found: list[dict[str, Any]]) -> tuple[dict[str, Any], ...]:
    """Per period: rows of each side and of both, and those of neither."""
    sums: dict[int, dict[str, Any]] = {}
    names = ("count", "org_rows", "our_rows", "same_rows", "org_amount", "our_amount")
    for row in found:
        blank = {"period": asked.period_label(row["period_day"]), **dict.fromkeys(names, 0)}
        total = sums.setdefault(row["period_day"], blank)
        total["count"] += row["count"]
        total["org_rows"] += row["count"] if row["difference"] in (reasons.BOTH, reasons.ORG) else 0
        total["our_rows"] += row["count"] if row["difference"] in (reasons.BOTH, reasons.OURS) else 0
        total["same_rows"] += row["count"] if row["reason"] == reasons.SAME else 0
        for name in ("org_amount", "our_amount"):
            total[name] += row[name] or 0
    return tuple(sums.values())
