"""Influence on both sides: credit per opportunity and response, what remains and why, campaigns, totals."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import Any

from leadline import credit_models
from leadline.metrics.influence import influence as ask_engine
from leadline.metrics.query import Query
from leadline.results import Result
from tests.agreement.compare import differences
from tests.agreement.questions import Sides, rows
from tests.oracle.credit import Model
from tests.oracle.influence import Allocation, Influence, campaign_of, influence
from tests.oracle.volume import Periods

STATES = ("won", "open", "lost")
PARTS = ("total", "credited", "pending", "unattributed", "other_window")


@dataclass(frozen=True)
class Credit:
    """What is asked: model, scope, part of the window, which day places an opportunity, up to when touches count.

    `written` is the model itself, as a file would say it, for a model that is not shipped.
    """

    model: str
    scope: str
    window: str
    date: str
    grain: str | None = None
    goal: str = "closed"
    written: Model | None = None

    def __str__(self) -> str:
        words = (self.model, self.scope, self.window, self.date, self.grain or "all", self.goal)
        return " ".join(words) + (f" {self.written}" if self.written else "")

    @property
    def known(self) -> dict[str, credit_models.Model]:
        """The models there are, for the engine."""
        written = self.written
        own = {} if written is None else {self.model: credit_models.KINDS[written["kind"]].model_validate(written)}
        return credit_models.load() | own


def influence_differences(sides: Sides, asked: Credit) -> list[str]:
    """Credits, reasons, campaign rows, totals; and that the list adds up to the table."""
    model = asked.written or asked.model
    expected = influence(sides.answers, model, asked.window, asked.date, asked.scope, goal=asked.goal)
    result = ask_engine(
        sides.opened,
        Query(grain=asked.grain),
        models=[asked.model],
        scope=asked.scope,
        window=asked.window,
        date=asked.date,
        goal=asked.goal,
        known=asked.known,
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
            "campaign" if "@" in asked.model or asked.window in ("influenced", part) else "other_window",
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
        if row["bucket"] in ("campaign", "other_window")
    }


def oracle_rest(expected: Influence) -> dict[str, tuple]:
    """Opportunity → why nothing is credited, or what is pending, and its amount."""
    found: dict[str, tuple] = {}
    for one in expected.allocations:
        if one.reason:
            found[one.opportunity] = (one.reason, one.unattributed)
        elif one.pending:
            found[one.opportunity] = ("pending", one.pending)
    return found


def engine_rest(listed: list[dict[str, Any]]) -> dict[str, tuple]:
    """The same from the list behind the table."""
    return {
        row["opportunity_id"]: (row["evidence"], row["credit"])
        for row in listed
        if row["bucket"] in ("pending", "unattributed")
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
            key = (period(sides, one, asked), campaign_of(sides.answers, response))
            row = found.setdefault(key, {"responses": 0, **dict.fromkeys([*STATES, "sourced", "accelerated"], 0)})
            row["responses"] += 1
            deals[key].add(one.opportunity)
            if "@" in asked.model or asked.window in ("influenced", part):
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
        blank: dict[str, Any] = dict.fromkeys([*PARTS, *STATES], 0)
        total = found.setdefault(period(sides, one, asked), blank | {"reasons": Counter()})
        total["total"] += one.amount
        total[one.state] += one.amount
        total["credited"] += sum(one.credits.values())
        total["other_window"] += one.other
        total["pending"] += one.pending
        total["unattributed"] += one.unattributed
        if one.reason:
            total["reasons"][one.reason] += one.unattributed
    return found


def engine_totals(result: Result) -> dict[str | None, dict[str, Any]]:
    """The same from the totals of the result; periods without a valued opportunity are left out."""
    found = {}
    for one in result.totals:
        found[one["period"]] = {
            **{part: one[f"{part}_amount"] for part in PARTS},
            **{state: one[f"{state}_total_amount"] for state in STATES},
            "reasons": Counter(one["unattributed"]),
        }
        credited = sum(one[f"{part}_amount"] for part in PARTS[1:])
        assert credited == one["total_amount"], one
    empty = {"reasons": Counter(), **dict.fromkeys([*PARTS, *STATES], 0)}
    return {key: one for key, one in found.items() if one != empty or key not in (None, "all")}
