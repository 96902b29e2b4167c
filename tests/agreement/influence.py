"""Influence on both sides: credit per opportunity and response, what remains and why, campaigns, totals."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import Any

from leadline.metrics.influence import influence as ask_engine
from leadline.metrics.query import Query
from leadline.results import Result
from tests.agreement.compare import differences
from tests.agreement.questions import Sides, rows
from tests.oracle.influence import Allocation, Influence, influence
from tests.oracle.volume import Periods

STATES = ("won", "open", "lost")


@dataclass(frozen=True)
class Credit:
    """What is asked: model, scope, part of the window, which day places an opportunity."""

    model: str
    scope: str
    window: str
    date: str
    grain: str | None = None

    def __str__(self) -> str:
        return " ".join((self.model, self.scope, self.window, self.date, self.grain or "all"))


def influence_differences(sides: Sides, asked: Credit) -> list[str]:
    """Credits, reasons, campaign rows, totals; and that the list adds up to the table."""
    expected = influence(sides.answers, asked.model, asked.window, asked.date, asked.scope)
    result = ask_engine(
        sides.opened,
        Query(grain=asked.grain),
        models=[asked.model],
        scope=asked.scope,
        window=asked.window,
        date=asked.date,
    )
    listed = rows(result.records())
    what = f"influence {asked}"
    lines = differences(f"credits {what}", oracle_credits(expected, asked), engine_credits(listed))
    lines += differences(f"rest {what}", oracle_rest(expected), engine_rest(listed))
    lines += differences(f"rows {what}", oracle_rows(sides, expected, asked), engine_rows(result))
    lines += differences(f"totals {what}", oracle_totals(sides, expected, asked), engine_totals(result))
    outside = Counter(expected.outside.values())
    counts = {name: outside[name] for name in ("no_amount", "no_rate")}
    return lines + [f"outside {what}: {counts}, {one['outside']}" for one in result.totals if one["outside"] != counts]


def oracle_credits(expected: Influence, asked: Credit) -> dict[tuple, tuple]:
    """(opportunity, response) → bucket, part of the window, credit."""
    return {
        (one.opportunity, response): (
            "campaign" if asked.window in ("influenced", part) else "other_window",
            part,
            credit,
        )
        for one in expected.allocations
        for part, credits in (("sourced", one.sourced), ("accelerated", one.accelerated))
        for response, credit in credits.items()
    }


def engine_credits(listed: list[dict[str, Any]]) -> dict[tuple, tuple]:
    """The same from the list behind the table."""
    return {
        (row["opportunity_id"], row["unit_id"]): (row["bucket"], row["evidence"], row["credit"])
        for row in listed
        if row["bucket"] != "unattributed"
    }


def oracle_rest(expected: Influence) -> dict[str, tuple]:
    """Opportunity → why nothing is credited, and its amount."""
    return {one.opportunity: (one.reason, one.unattributed) for one in expected.allocations if one.reason}


def engine_rest(listed: list[dict[str, Any]]) -> dict[str, tuple]:
    """The same from the list behind the table."""
    return {
        row["opportunity_id"]: (row["evidence"], row["credit"]) for row in listed if row["bucket"] == "unattributed"
    }


def period(sides: Sides, one: Allocation, asked: Credit) -> str | None:
    """Label of the period an opportunity lies in."""
    if asked.grain is None or one.day is None:
        return sides.period(None, None)
    return sides.period(asked.grain, Periods(sides.answers, asked.grain).of(one.day))


def oracle_rows(sides: Sides, expected: Influence, asked: Credit) -> dict[tuple, dict[str, Any]]:
    """(period, campaign) → touches, opportunities, credit by state, both parts of the window."""
    found: dict[tuple, dict[str, Any]] = {}
    deals: dict[tuple, set[str]] = defaultdict(set)
    for one in expected.allocations:
        for response in (*one.sourced, *one.accelerated):
            part = "sourced" if response in one.sourced else "accelerated"
            credit = getattr(one, part)[response]
            key = (period(sides, one, asked), sides.answers.responses[response].campaign)
            row = found.setdefault(key, {"responses": 0, **dict.fromkeys([*STATES, "sourced", "accelerated"], 0)})
            row["responses"] += 1
            deals[key].add(one.opportunity)
            if asked.window in ("influenced", part):
                row[one.state] += credit
                row[part] += credit
    return {key: row | {"opportunities": len(deals[key])} for key, row in found.items()}


def engine_rows(result: Result) -> dict[tuple, dict[str, Any]]:
    """The same from the table."""
    return {
        (row["period"], row["campaign_id"]): {
            "responses": row["responses"],
            "opportunities": row["opportunities"],
            **{name: row[f"{name}_amount"] for name in (*STATES, "sourced", "accelerated")},
        }
        for row in rows(result)
        if row["bucket"] == "campaign"
    }


def oracle_totals(sides: Sides, expected: Influence, asked: Credit) -> dict[str | None, dict[str, Any]]:
    """Period → total = credited + unattributed + other window, and unattributed by reason."""
    found: dict[str | None, dict[str, Any]] = {}
    for one in expected.allocations:
        blank: dict[str, Any] = dict.fromkeys(["total", "credited", "unattributed", "other_window", *STATES], 0)
        total = found.setdefault(period(sides, one, asked), blank | {"reasons": Counter()})
        total["total"] += one.amount
        total[one.state] += one.amount
        total["credited"] += sum(one.credits.values())
        total["other_window"] += one.other
        total["unattributed"] += one.unattributed
        if one.reason:
            total["reasons"][one.reason] += one.unattributed
    return found


def engine_totals(result: Result) -> dict[str | None, dict[str, Any]]:
    """The same from the totals of the result; periods without a valued opportunity are left out."""
    found = {}
    for one in result.totals:
        parts = ("total", "credited", "unattributed", "other_window")
        found[one["period"]] = {
            **{part: one[f"{part}_amount"] for part in parts},
            **{state: one[f"{state}_total_amount"] for state in STATES},
            "reasons": Counter(one["unattributed"]),
        }
        credited = sum(one[f"{part}_amount"] for part in (*parts[1:], "pending"))
        assert credited == one["total_amount"], one
    empty = {"reasons": Counter(), **dict.fromkeys(["total", "credited", "unattributed", "other_window", *STATES], 0)}
    return {key: one for key, one in found.items() if one != empty or key not in (None, "all")}
