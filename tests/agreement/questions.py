"""Questions put to both sides, and answers in one shape: (period label, dimension values, stage)."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from dataclasses import dataclass
from typing import Any

from leadline.dates import Calendar
from leadline.metrics.query import ALL, Query
from leadline.model.opened import Opened
from leadline.results import Result
from tests.agreement import matches
from tests.agreement.model import journey_name
from tests.oracle.answers import Answers
from tests.oracle.records import text

Dims = tuple[str | None, ...]
UNITS = ("journeys", "people", "accounts", "responses", "opportunities")
BY: tuple[tuple[str, ...], ...] = ((), ("campaign",), ("campaign_type",), ("lead_source",), ("campaign", "lead_source"))
GRAINS = (None, "month", "week", "quarter", "year", "day")


@dataclass(frozen=True)
class Question:
    """What is asked: unit, dimensions, grain, days."""

    unit: str
    by: tuple[str, ...] = ()
    grain: str | None = None
    start: dt.date | None = None
    end: dt.date | None = None

    @property
    def query(self) -> Query:
        """The same for the engine."""
        return Query(by=self.by, unit=self.unit, grain=self.grain, start=self.start, end=self.end)

    def __str__(self) -> str:
        words = [self.unit, "+".join(self.by) or "total", self.grain or "all"]
        return " ".join(words + ([f"{self.start}..{self.end}"] if self.start else []))


class Sides:
    """Both sides of one batch."""

    def __init__(self, answers: Answers, opened: Opened) -> None:
        self.answers = answers
        self.answers.matches = matches.given(answers)
        self.opened = matches.with_matches(opened, self.answers.matches)
        self._campaigns = self._labels()

    def _labels(self) -> dict[str, str]:
        """Campaign id → its name, with the id where several share it, as tables show it."""
        rows = self.answers.records.alive("Campaign")
        named = Counter(text(row, "Name") for row in rows)
        found = {}
        for row in rows:
            name, record = text(row, "Name"), str(row["Id"])
            found[record] = record if name is None else name if named[name] == 1 else f"{name} ({record})"
        return found

    def dims(self, by: tuple[str, ...], values: Dims) -> Dims:
        """Dimension values of the oracle as the engine's tables show them."""
        return tuple(
            self._campaigns.get(str(value), value) if name == "campaign" else value
            for name, value in zip(by, values, strict=True)
        )

    def period(self, grain: str | None, first: dt.date | None) -> str | None:
        """Label of a period of the oracle."""
        if grain is None:
            return ALL
        workspace = self.answers.settings.workspace
        calendar = Calendar(workspace.fiscal_year_start, workspace.week_start)
        return None if first is None else calendar.label(first, grain)  # type: ignore[arg-type]


def rows(result: Result) -> list[dict[str, Any]]:
    """Rows of a result's table."""
    return result.table.to_pylist()


def place(row: dict[str, Any], by: tuple[str, ...]) -> tuple[str | None, Dims]:
    """Period and dimension values of a row of the engine."""
    return row["period"], tuple(row[name] for name in by)


def unit_name(name: Any) -> str:
    """A unit's id as the engine writes it."""
    return str(journey_name(name)) if isinstance(name, tuple) else str(name)
