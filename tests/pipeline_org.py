"""Opportunities with whole histories for tests worked on paper: each step names stage, amount and close date."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from itertools import count

from leadline.model.opened import Opened
from tests.agreement.engine import built
from tests.oracle.tiny import Tiny, at

STAGES = ("Discovery", "Proposal", "Negotiation")
Step = tuple[str, str, str | None, str | None]
"""(moment, stage, amount, close date)."""


class Pipeline:
    """An org of opportunities and nothing else."""

    def __init__(self, zone: str = "UTC", *, listed: bool = True) -> None:
        self.tiny = Tiny(zone)
        self._rows = count()
        if listed:
            for place, name in enumerate(STAGES):
                names = {"MasterLabel": name, "ApiName": name}
                self.tiny.add("OpportunityStage", f"s{place}", **names, IsClosed=False, IsWon=False, SortOrder=place)

    def deal(self, record: str, created: str, *steps: Step, **fields: object) -> None:
        """An opportunity whose record says what its last step says."""
        for moment, stage, amount, close in steps:
            row = {"OpportunityId": record, "CreatedDate": at(moment), "StageName": stage}
            values = {"Amount": None if amount is None else Decimal(amount), "CloseDate": at(close)}
            self.tiny.add("OpportunityHistory", f"h{next(self._rows):03}", **row, **values, **_code(fields))
        _, stage, amount, close = steps[-1]
        self.record(record, created, stage, amount, close, **fields)

    def record(
        self, record: str, created: str, stage: str, amount: str | None, close: str | None, **fields: object
    ) -> None:
        """An opportunity without history."""
        closed = {"IsClosed": stage.startswith("Closed"), "IsWon": stage == "Closed Won"}
        money = None if amount is None else Decimal(amount)
        told = {"CreatedDate": at(created), "StageName": stage, "Amount": money, "CloseDate": at(close)}
        self.tiny.add("Opportunity", record, **told, **closed, **fields)

    def opened(self, as_of: str = "2024-12-31T12:00") -> Opened:
        """The engine's model at as-of."""
        return built(self.tiny.org, self.tiny.settings, dt.datetime.fromisoformat(as_of).replace(tzinfo=dt.UTC))


def _code(fields: dict[str, object]) -> dict[str, object]:
    return {name: fields[name] for name in ("CurrencyIsoCode",) if name in fields}
