"""What a workspace names for itself: dimensions and formulas."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

from pydantic import Field

from leadline.config.base import TomlTable, tables, texts
from leadline.config_faults import Fault
from leadline.errors import did_you_mean
from leadline.formulas import check as formula_check


class Dimension(TomlTable):
    """A dimension by name: one field of one object."""

    object: Literal["Campaign", "Lead", "Contact", "Account", "Opportunity", "User", "Person"]
    field: str


class Formula(TomlTable):
    """A number of your own by name, over counts, amounts and times of stages (`leadline formula NAME`)."""

    expression: str = Field(min_length=1, description="The formula, e.g. 'SQL / MQL'")
    title: str | None = Field(None, description="What stands above its table; without it the expression")
    unit: Literal["responses", "people", "journeys", "accounts", "opportunities"] | None = Field(
        None, description="What is counted; without it journeys where there are people, else opportunities"
    )
    format: Literal["number", "rate", "money", "days"] | None = Field(
        None, description="How its value is shown; without it by what the expression yields"
    )
    funnel: str | None = Field(None, description="Whose stages it names; without it the first funnel's")


def formula_faults(settings: dict[str, Any]) -> Iterator[Fault]:
    """Names, funnels, syntax, stages and formats of all formulas."""
    written, funnels = settings.get("formula"), settings.get("funnel")
    funnels = funnels if isinstance(funnels, dict) else {}
    for name, table in written.items() if isinstance(written, dict) else ():
        if sentence := formula_check.name_fault(name):
            yield ("formula", name), sentence
        if not isinstance(table, dict):
            continue
        chosen = table.get("funnel", next(iter(funnels), None))
        if isinstance(table.get("funnel"), str) and chosen not in funnels:
            yield ("formula", name, "funnel"), f"is no funnel of this file.{did_you_mean(str(chosen), funnels)}"
        funnel = funnels.get(chosen) if isinstance(chosen, str) else None
        stages = texts([one.get("name") for one in tables(funnel.get("stages"))]) if isinstance(funnel, dict) else None
        expression, shown_as = table.get("expression"), table.get("format")
        if isinstance(expression, str) and expression:
            found = formula_check.faults(expression, shown_as if isinstance(shown_as, str) else None, stages)
            yield from (((("formula", name, key)), sentence) for key, sentence in found)
