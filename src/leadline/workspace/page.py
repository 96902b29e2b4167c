"""The report: the summary's results as one HTML page."""

from __future__ import annotations

from leadline import report
from leadline.render.present import amount_text, percent
from leadline.results import Result
from leadline.workspace.summary import Bottleneck, Summary


def page(summary: Summary, monthly: Result) -> str:
    """The page as HTML text.

    Args:
        summary: what stands on it.
        monthly: volume per month, for the trend.
    """
    results = summary.results()
    results = {"Volume": results["Volume"], "Volume per month": monthly, **results}
    return report.render(
        results,
        title=f"Marketing performance: {summary.workspace}",
        summary=_facts(summary),
        workspace=summary.workspace,
    )


def _facts(summary: Summary) -> list[report.Fact]:
    facts = [*_funnel(summary.funnel), *_bottleneck(summary.bottleneck)]
    if summary.influence is not None:
        facts += _best(summary.influence)
    return facts


def _funnel(funnel: Result) -> list[report.Fact]:
    rows = funnel.table.to_pylist()
    if not rows:
        return []
    first, last = rows[0], rows[-1]
    note = f"of {first['count']:,} {funnel.unit} that reached {first['stage']}"
    return [report.Fact(last["stage"], f"{last['count']:,}", note)]


def _bottleneck(found: Bottleneck | None) -> list[report.Fact]:
    if found is None:
        return []
    before = "" if found.share_before is None else f", {percent(found.share_before)} in the 12 months before"
    note = f"{percent(found.share)} of all waiting days of the last 12 months{before}"
    return [report.Fact("Bottleneck", found.stage, note)]


def _best(influence: Result) -> list[report.Fact]:
    total = influence.totals[0] if influence.totals else {}
    rows = [row for row in influence.table.to_pylist() if row["bucket"] == "campaign" and row["won_amount"] > 0]
    if not rows or not total:
        return []
    best = max(rows, key=lambda row: row["won_amount"])
    credited = f"{amount_text(influence, best['won_amount'])} {influence.currency} of won amount credited"
    return [report.Fact("First campaign", best["campaign"] or best["campaign_id"], f"{credited} ({total['model']})")]
