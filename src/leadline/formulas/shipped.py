"""The formulas that Leadline ships, by name: rates that the definitions fix (section 6)."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Shipped:
    """A formula of Leadline's own; the keys are those of `[formula.NAME]`."""

    expression: str
    title: str
    format: str
    unit: str | None = None


SHIPPED: dict[str, Shipped] = {
    "acceptance": Shipped("converted(MQL, SAL) / started(MQL, SAL)", "Acceptance: MQLs that sales accepts", "rate"),
    "close_rate": Shipped("converted(SQL, Won) / started(SQL, Won)", "Close rate: SQLs that are won", "rate"),
    "win_rate": Shipped(
        "won_count / (won_count + lost_count)", "Win rate: won of all that closed", "rate", "opportunities"
    ),
    "win_rate_amount": Shipped(
        "won_amount / (won_amount + lost_amount)",
        "Win rate by amount: won of all that closed",
        "rate",
        "opportunities",
    ),
}
