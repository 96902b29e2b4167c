"""The funnel backwards: from a revenue goal to the responses that it needs, and by when.

Each step divides by a factor measured on the newest data that can show it; every factor stands in the
table with its number, its interval and where it comes from, and can be set to another value. A factor
that rests on fewer than 30 units is not used: the chain ends there and says so.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from leadline import money
from leadline.dates import day_of
from leadline.errors import UsageError
from leadline.metrics.assemble import Assembly
from leadline.metrics.goals import together
from leadline.metrics.query import Asked, Query, ask
from leadline.metrics.targets.factors import Factor, Factors, with_set
from leadline.metrics.targets.goals_file import Goal, Period, period_of, segment_text
from leadline.model import funnels
from leadline.model.opened import Opened
from leadline.results import Column, Result

TEXT = (
    "Needed = what the step after it needs, divided by the share that goes on to it. Shares are cohort rates within "
    "their windows, of the newest twelve months whose units are old enough; where some come to a stage without the one "
    "before, only the others are asked of it (through). Deal size and ratios are of the 365 days up to as-of. latest_on "
    "is the period's last day less the median days from stage to stage of those that go on"
)

COLUMNS = (
    Column("step", "text", help="Stage, or what stands before or after the stages"),
    Column("unit", "text", help="What is counted in this step"),
    Column("needed", "integer", help="How many must come, rounded up"),
    Column("needed_amount", "money", help="The revenue goal"),
    Column("factor", "text", help="Name of the factor, as --set takes it"),
    Column("rate", "rate", help="Its value, where it is a share that goes on"),
    Column("rate_low", "rate", help="Lower end of its 95 % interval"),
    Column("rate_high", "rate", help="Upper end of its 95 % interval"),
    Column("value", "number", help="Its value, where it is a ratio of two counts"),
    Column("value_amount", "money", help="Its value, where it is money"),
    Column("value_low_amount", "money", help="Lower end of its 95 % interval"),
    Column("value_high_amount", "money", help="Upper end of its 95 % interval"),
    Column("n", "integer", help="Units it rests on"),
    Column("through", "rate", help="Share of those in the next stage that have come through this one"),
    Column("days", "number", "days", "Median days to the next stage, of those that go on"),
    Column("latest_on", "date", help="Day by which they must have come"),
    Column("source", "text", help="Where the factors come from"),
    Column("reason", "text", help="Why a figure is absent"),
)


@dataclass(frozen=True, slots=True)
class _Walk:
    """Where the way back has come to.

    Attributes:
        needed: exact number the last step needs; None once a factor was missing.
        latest: day number by which they must have come; None once the days were missing.
        missing, missing_days: the factor that ended it.
    """

    needed: float | None
    latest: int | None
    missing: str = ""
    missing_days: str = ""

    def times(self, factor: Factor, *, through: Factor | None = None, divide: bool = False) -> _Walk:
        """One step further back."""
        used = [one for one in (factor, through) if one is not None]
        lacking = next((one.name for one in used if one.value is None), "")
        if self.needed is None or lacking or factor.value is None:
            return replace(self, needed=None, missing=self.missing or lacking)
        share = 1.0 if through is None or through.value is None else through.value
        by = 1 / factor.value if divide else factor.value
        return replace(self, needed=self.needed * by * share)

    def earlier(self, days: Factor) -> _Walk:
        """So many days before."""
        if self.latest is None or days.value is None:
            return replace(self, latest=None, missing_days=self.missing_days or days.name)
        return replace(self, latest=self.latest - math.ceil(days.value))


def reverse(
    opened: Opened,
    amount: Decimal | None,
    *,
    goals: Sequence[Goal] = (),
    period: str | None = None,
    settings: Sequence[str] = (),
    where: dict[str, str] | None = None,
    unit: str | None = None,
    funnel: str | None = None,
) -> Result:
    """What a revenue goal needs of each stage.

    Args:
        amount: the revenue, in major units; None takes the goal of the period among `goals`.
        goals: goals of the file.
        period: its label; None is the quarter of as-of.
        settings: factors to use in place of the measured ones, as `NAME=VALUE`.
        where: dimension → value of the units the factors are measured on.
        unit: journeys or opportunities; None is the funnel's own.
        funnel: its name; None is the first.

    Raises:
        UsageError: no such goal, no won stage, an amount of 0, a setting or a period that cannot be read.
        UnknownNameError: a funnel, unit, dimension or factor that does not exist.
    """
    asked = ask(opened, Query(unit=unit, funnel=funnel, where=dict(where or {})), numbered=True)
    chain = _chain(asked)
    chosen = _period(opened, asked, period)
    total = _amount(asked, amount, goals, chosen, where or {})
    factors = with_set(Factors(asked, chain).measured(), settings, opened.currency.digits)
    rows = _rows(asked, chain, factors.by_name, chosen, total)
    title = f"What {money.format_minor(total, opened.currency.digits, grouped=True)} {opened.currency.code} in {chosen.label} needs"
    made = Assembly(asked, "volume", title, f"{TEXT}.")
    result = made.result(COLUMNS, rows, notes=_notes(rows, asked))
    used = dict(one.split("=", 1) for one in settings)
    return replace(
        result,
        kind="reverse",
        trust=together(factors.trusts),
        filters=asked.filters() | {"set": used} if used else asked.filters(),
    )


def _chain(asked: Asked) -> list[int]:
    """Stages from the won one back to the first, as the unit can be seen in them.

    Raises:
        UsageError: a unit whose stages do not lead to revenue, or a funnel that no won deal enters.
    """
    if asked.unit not in ("journeys", "opportunities"):
        raise UsageError(f"The way back from revenue is counted in journeys or opportunities, not in {asked.unit}.")
    won = [stage.number for stage in funnels.closed_stages(asked.funnel) if "won" in stage.outcomes]
    if not won:
        raise UsageError(
            f"Funnel {asked.funnel_name!r} has no stage that won deals enter, so nothing leads back from revenue. "
            "Add one with from = [{ object = 'Opportunity', milestone = 'won' }]."
        )
    return [stage for stage in reversed(asked.stages) if stage <= won[-1]]


def _period(opened: Opened, asked: Asked, label: str | None) -> Period:
    calendar = asked.calendar
    today = day_of(opened.as_of.day)
    return period_of(label or calendar.label(calendar.start(today, "quarter"), "quarter"), calendar)


def _amount(asked: Asked, amount: Decimal | None, goals: Sequence[Goal], period: Period, where: dict[str, str]) -> int:
    """The revenue in minor units, given or from the goals."""
    if amount is None:
        amount = _goal(asked, goals, period, tuple(sorted(where.items())))
    if amount <= 0:
        raise UsageError(f"A revenue goal of {amount} needs nothing; give an amount above 0.")
    return money.to_minor(amount, asked.opened.currency.digits)[0]


def _goal(asked: Asked, goals: Sequence[Goal], period: Period, segment: tuple[tuple[str, str], ...]) -> Decimal:
    won = _chain(asked)[0]
    own = [goal for goal in goals if goal.of_money and goal.stage_no == won and goal.funnel == asked.funnel_name]
    found = [goal for goal in own if goal.period.label == period.label and goal.segment == segment]
    if found:
        return found[0].value
    there = [" ".join(filter(None, (goal.period.label, segment_text(goal.segment)))) for goal in own]
    raise UsageError(
        f"goals.csv sets no revenue for {' '.join(filter(None, (period.label, segment_text(segment))))}. "
        f"It has: {', '.join(there) or 'none'}. Name one with --period, or give the amount: --reverse 1000000."
    )


def _rows(asked: Asked, chain: list[int], factors: dict[str, Factor], period: Period, total: int) -> list[dict]:
    walk = _Walk(float(total), period.span[1] - 1)
    rows = [_row("revenue", asked.opened.currency.code, walk, None) | {"needed": None, "needed_amount": total}]
    walk = walk.times(factors["deal_size"], divide=True)
    rows.append(_row("deals won", "opportunities", walk, factors["deal_size"]))
    later = chain[0]
    if asked.unit == "journeys":
        walk = walk.times(factors["journeys_per_deal"])
        rows.append(_row(asked.stage_name(later), "journeys", walk, factors["journeys_per_deal"]))
    for stage in chain[1:]:
        name = f"{asked.stage_name(stage)}>{asked.stage_name(later)}"
        through, days = factors[f"through:{name}"], factors[f"days:{name}"]
        walk = walk.times(factors[name], through=through, divide=True).earlier(days)
        rows.append(_row(asked.stage_name(stage), asked.unit, walk, factors[name], through, days))
        later = stage
    if asked.unit == "journeys":
        walk = walk.times(factors["responses_per_journey"])
        rows.append(_row("responses", "responses", walk, factors["responses_per_journey"]))
    return rows


def _row(
    step: str,
    unit: str,
    walk: _Walk,
    factor: Factor | None,
    through: Factor | None = None,
    days: Factor | None = None,
) -> dict:
    known = [one for one in (factor, through, days) if one is not None]
    reasons = [one.reason for one in known if one.reason]
    lost = [walk.missing, walk.missing_days if walk.missing_days != walk.missing else ""]
    reasons += [f"rests on {name}" for name in lost if name and name not in {one.name for one in known}]
    return {
        "step": step,
        "unit": unit,
        # A hair above a whole number is rounding of the division, not one more.
        "needed": None if walk.needed is None else math.ceil(walk.needed - 1e-9),
        "needed_amount": None,
        "factor": factor.name if factor else None,
        **_values(factor),
        "n": factor.n if factor else None,
        "through": through.value if through else None,
        "days": days.value if days else None,
        "latest_on": None if walk.latest is None else day_of(walk.latest),
        "source": "; ".join(dict.fromkeys(one.source for one in known if one.source)) or None,
        "reason": "; ".join(dict.fromkeys(reasons)) or None,
    }


def _values(factor: Factor | None) -> dict[str, float | int | None]:
    """The value of a factor in the columns of its kind: share, ratio, money."""
    bounds = (None, None, None) if factor is None else (factor.value, factor.low, factor.high)
    is_share, of_money = factor is not None and ">" in factor.name, factor is not None and factor.of_money
    made: dict[str, float | int | None] = {"value": None if is_share or of_money else bounds[0]}
    for end, bound in zip(("", "_low", "_high"), bounds, strict=True):
        made[f"rate{end}"] = bound if is_share else None
        made[f"value{end}_amount"] = round(bound) if of_money and bound is not None else None
    return made


def _notes(rows: list[dict], asked: Asked) -> list[str]:
    today: dt.date = day_of(asked.opened.as_of.day)
    late = [row["step"] for row in rows if row["latest_on"] is not None and row["latest_on"] < today]
    notes = []
    if late:
        notes.append(
            f"By as-of the day has passed for: {', '.join(late)}. What is still to come there comes too late for half."
        )
    if any(row["needed"] is None for row in rows[1:]):
        notes.append("A factor is missing: give it with --set NAME=VALUE to go on.")
    return notes
