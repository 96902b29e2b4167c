"""Diminishing campaigns: what each month's cost brought, and whether that falls from month to month.

A month's return is the won credit of the responses of that month on opportunities won soon enough
after them. Months are compared at the same age: younger ones would always look worse.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import ibis
import ibis.expr.types as ir
import numpy as np

from leadline import credit_models
from leadline.credit_models import Model
from leadline.dates import day_number, day_of
from leadline.errors import UsageError
from leadline.maths.intervals import benjamini_hochberg
from leadline.maths.trend import mann_kendall
from leadline.metrics.assemble import Assembly
from leadline.metrics.credit import costs
from leadline.metrics.credit.placing import PER_CAMPAIGN, Placing, require_campaign_dimensions
from leadline.metrics.credit.returned import Returned
from leadline.metrics.listing import listed
from leadline.metrics.query import Asked, Query, ask
from leadline.model.opened import Opened
from leadline.results import Column, Result

WINDOW_DAYS = 180
"""Days after a response within which a win counts for its month."""

LEAST_MONTHS = 8
"""Months the test needs: with fewer its normal distribution is off."""

DISCOVERY_RATE = 0.1

DIMINISHING, RISING, STEADY, TOO_FEW = "diminishing", "rising", "no trend", "too few months"

TEXT = (
    "Cost of each month beside the won credit of that month's responses on opportunities won within {window} days after "
    "them; only months that are old enough. Trend of the return (credit ÷ cost) over the months by the test of Mann and "
    "Kendall, false discovery rate 10 % over all campaigns (Benjamini–Hochberg)."
)

COLUMNS = (
    Column("period", "text", help="All months that are old enough"),
    Column("campaign_id", "text", help="Salesforce id of the campaign"),
    Column("campaign", "text", help="Campaign"),
    Column("model", "text", help="Model that gives the credit"),
    Column("months", "integer", help="Months with a cost that are old enough"),
    Column("cost", "money", help="Cost of these months"),
    Column("won_amount", "money", help="Won credit of their responses, within the window"),
    Column("roas", "rate", help="Won credit ÷ cost of all these months"),
    Column("early_roas", "rate", help="The same of the first half of the months"),
    Column("late_roas", "rate", help="The same of the second half; of an odd number the middle month is in neither"),
    Column("tau", "number", help="Kendall's tau of the monthly return: below 0 it falls"),
    Column("q_value", "rate", help="p-value of no trend, adjusted for all campaigns (Benjamini–Hochberg)"),
    Column("trend", "text", help="diminishing, rising, no trend, or too few months"),
)
EXTRA = (
    Column("measure", "text", help="cost or credit"),
    Column("model", "text", help="Model, of a credit"),
    Column("days_to_win", "integer", "days", "From the response to the close, of a credit"),
)
_LINKS = {
    "object": "object",
    "at": "at_s",
    "evidence": "measure",
    "person_id": "person_id",
    "campaign_id": "campaign_id",
    "opportunity_id": "opportunity_id",
    "amount": "amount",
    "measure": "measure",
    "model": "model",
    "days_to_win": "days_to_win",
}


def diminishing(
    opened: Opened,
    query: Query,
    *,
    model: str | None = None,
    known: Mapping[str, Model] | None = None,
    scope: str | None = None,
    window_days: int = WINDOW_DAYS,
) -> Result:
    """Return per month of each campaign, and its trend.

    Args:
        query: filters of campaigns only; no days, no grain, no dimensions beside the campaign.
        model: one model; default: the first of the settings.
        known: the models there are; default: those that Leadline ships.
        scope: whose responses count.
        window_days: days after a response within which a win counts.

    Raises:
        UnknownNameError: a model or dimension that does not exist.
        UsageError: days, periods, a unit or dimensions, which the trend has of its own.
    """
    if query.grain is not None or query.start is not None or query.end is not None:
        raise UsageError("The trend goes by month over all time; leave out --grain, --from and --to.")
    if not set(query.by) <= PER_CAMPAIGN or query.unit not in (None, "opportunities"):
        raise UsageError("The trend has a row per campaign; leave out --by and --unit.")
    asked = ask(opened, replace(query, unit="opportunities"))
    require_campaign_dimensions(asked)
    settings = opened.settings.influence
    chosen = model or settings.models[0]
    models = credit_models.load() if known is None else known
    returned = Returned(asked, [chosen], models, scope or settings.scope, "created")
    return _Trend(asked, returned, chosen, window_days).result()


class _Trend:
    """One question about trends."""

    def __init__(self, asked: Asked, returned: Returned, model: str, window_days: int) -> None:
        self.asked, self.returned, self.model, self.window = asked, returned, model, window_days
        self.campaigns = costs.Campaigns(asked)
        self.placing = Placing(asked, {name: one.state for name, one in self.campaigns.rows.items()}, whole=False)
        own = asked.opened["campaigns"].select("campaign_id")
        self.wanted = set(asked.opened.arrow(self.placing.placed(own))["campaign_id"].to_pylist())

    def result(self) -> Result:
        """One row per campaign with a dated cost."""
        asked = self.asked
        question = self.credits()
        won = question.group_by("campaign_id", "period_day").aggregate(won=question.amount.sum())
        earned: dict[str, dict[int, int]] = defaultdict(dict)
        for row in asked.opened.arrow(won).to_pylist():
            earned[row["campaign_id"]][row["period_day"]] = row["won"]
        spent = self._spent()
        rows = [self._row(name, months, earned.get(name, {})) for name, months in spent.items()]
        self._judge(rows)
        rows.sort(
            key=lambda row: (row["q_value"] is None, row["q_value"] or 0.0, row["tau"] or 0.0, row["campaign_id"])
        )
        made = Assembly(asked, "influence", "Return of campaigns from month to month", TEXT.format(window=self.window))
        result = made.result(
            COLUMNS,
            rows,
            query=question,
            units=self.returned.valued,
            records=lambda: self._list(made, spent),
            notes=[
                "Months whose responses are not yet old enough are left out, so that every month has the same time."
            ],
            by=(),
        )
        return replace(result, kind="roi-trend", unit="campaigns")

    def credits(self) -> ir.Table:
        """Won credit by the month of its response, of months old enough: the marks of a list."""
        opened = self.asked.opened
        given = self.returned.credits(self.model)
        touched = self.returned.touched(self.model).select("deal_no", "response_id", "day")
        dated = given.join(touched, ["deal_no", "response_id"]).mutate(days_to_win=ibis._.closed_day - ibis._.day)
        soon = dated.filter((dated.state == "won") & (dated.days_to_win <= self.window)).drop("period_day")
        months = opened["days"].select(_day="day", period_day="month")
        placed = soon.join(months, [("day", "_day")])
        old = placed.filter(placed.period_day < self._first_young())
        return old.select(
            "campaign_id",
            "period_day",
            "person_id",
            "opportunity_id",
            "days_to_win",
            unit_id="response_id",
            at_s="s",
            amount="credit",
            measure=ibis.literal("credit"),
            object=ibis.literal("CampaignMember"),
            model=ibis.literal(self.model),
        )

    def _first_young(self) -> int:
        """First day of the month whose last responses have not had the window's time yet."""
        last_old = day_of(self.asked.opened.as_of.day - self.window)
        return day_number(last_old.replace(day=1))

    def _spent(self) -> dict[str, dict[int, int]]:
        """Campaign → first day of a month → its cost, of months old enough."""
        young, found = self._first_young(), dict[str, dict[int, int]]()
        for name, one in sorted(self.campaigns.rows.items()):
            if name not in self.wanted or one.state != costs.KNOWN or one.first_day is None or not one.is_dated:
                continue
            stop = min(max(piece.stop for piece in one.pieces), young)
            if one.first_day < stop:
                starts = self.asked.calendar.period_starts(day_of(one.first_day), day_of(stop - 1), "month")
                edges = [*[day_number(start) for start in starts], young]
                ends = [day_number(self.asked.calendar.following(start, "month")) for start in starts]
                parts = one.until(ends) - one.until(edges[:-1])
                months = {day: int(cost) for day, cost in zip(edges, parts.tolist(), strict=False) if cost > 0}
                if months:
                    found[name] = months
        return found

    def _row(self, name: str, months: dict[int, int], earned: dict[int, int]) -> dict[str, Any]:
        days = sorted(months)
        cost, won = [months[day] for day in days], [earned.get(day, 0) for day in days]
        half = len(days) // 2
        tau, p_value = (None, float("nan"))
        if len(days) >= LEAST_MONTHS:
            tau, p_value = mann_kendall([win / spent for win, spent in zip(won, cost, strict=True)])
        return {
            "period": self.asked.period_label(None),
            "campaign_id": name,
            "campaign": self.campaigns.rows[name].label,
            "model": self.model,
            "months": len(days),
            "cost": sum(cost),
            "won_amount": sum(won),
            "roas": sum(won) / sum(cost),
            "early_roas": sum(won[:half]) / sum(cost[:half]) if half else None,
            "late_roas": sum(won[-half:]) / sum(cost[-half:]) if half else None,
            "tau": tau,
            "p_value": p_value,
            "q_value": None,
            "trend": TOO_FEW,
        }

    def _judge(self, rows: list[dict[str, Any]]) -> None:
        """Adjust the p-values for all campaigns, and say what each trend is."""
        adjusted = benjamini_hochberg([row.pop("p_value") for row in rows])
        for row, q_value in zip(rows, adjusted, strict=True):
            if row["tau"] is not None and np.isfinite(q_value):
                row["q_value"] = float(q_value)
                found = q_value <= DISCOVERY_RATE
                row["trend"] = STEADY if not found else DIMINISHING if row["tau"] < 0 else RISING

    def _list(self, made: Assembly, spent: dict[str, dict[int, int]]) -> Result:
        """Costs by month, and the credits of these months' responses."""
        rows = [(name, day, cost) for name, months in spent.items() for day, cost in sorted(months.items())]
        paid = self.returned.spent_marks(rows).drop("state").mutate(days_to_win=ibis.null("int64"))
        months = paid.select("campaign_id", "period_day")
        given = self.credits().semi_join(months, ["campaign_id", "period_day"])
        every = ibis.union(paid.select(*given.columns), given)
        # Every row says its month, though the table has one row over all of them.
        by_month = replace(made.asked, query=replace(made.asked.query, grain="month"))
        return listed(Assembly(by_month, made.kind, made.title, made.text), every, _LINKS, EXTRA, kind="roi-trend")
