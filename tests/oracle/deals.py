"""Opportunities at as-of: stage, state, close, amount (§1 as-of, §2 money, §4 close moment, D2, D12, D13, D15)."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from itertools import groupby

from leadline.config import Funnel, Settings, StageSource
from tests.oracle.clock import Clock, Moment, When
from tests.oracle.money import Money, Rates
from tests.oracle.records import Records, Row, flag, number, text, when


@dataclass(frozen=True)
class HistoryRow:
    """One row of OpportunityHistory that is not after as-of."""

    when: When
    at: Moment
    stage: str | None
    amount: Decimal | None
    close_date: When | None
    state: str


@dataclass
class Deal:
    """An opportunity that exists at as-of.

    state: open, won or lost. close: the close moment that holds, None while open.
    said: what the stage or the record says, whenever it closed. explained: the newest history row
    shows the present stage.
    """

    id: str
    row: Row
    created_at: When | None
    created: Moment | None
    stage: str | None
    state: str
    close: Moment | None
    money: Money
    close_date: When | None
    history: list[HistoryRow]
    said: str
    explained: bool
    ever_won: bool
    reopened: bool
    runs: list[str] = field(default_factory=list)


class StageFlags:
    """Which stage names are won, lost or open (D26)."""

    def __init__(self, records: Records, funnel: Funnel | None) -> None:
        self._by_name: dict[str, str] = {"Closed Won": "won", "Closed Lost": "lost"}
        for row in records.alive("Opportunity"):
            if "IsClosed" in row:
                self._learn(text(row, "StageName"), row)
        for row in records.alive("OpportunityStage"):
            self._learn(text(row, "MasterLabel"), row)
            self._learn(text(row, "ApiName"), row)
        self._configured = self._listed("lost", funnel.outcomes.lost) if funnel else {}
        self._configured |= self._listed("won", funnel.outcomes.won) if funnel else {}

    def _learn(self, name: str | None, row: Row) -> None:
        if name is not None:
            self._by_name[name] = self._flagged(row)

    @staticmethod
    def _flagged(row: Row) -> str:
        if flag(row, "IsWon"):
            return "won"
        return "lost" if flag(row, "IsClosed") else "open"

    @staticmethod
    def _listed(state: str, sources: list[StageSource]) -> dict[str, str]:
        return {value: state for source in sources if source.field == "StageName" for value in source.values or []}

    def of_stage(self, name: str | None) -> str:
        """State of a stage name; a name nobody knows is open."""
        name = name or ""
        return self._configured.get(name) or self._by_name.get(name, "open")

    def of_record(self, row: Row) -> str:
        """State of an opportunity: as its stage is configured, else by its own flags, else by its stage."""
        name = text(row, "StageName") or ""
        if name in self._configured or "IsClosed" not in row:
            return self.of_stage(name)
        return self._flagged(row)


class Deals:
    """Reads the opportunities."""

    def __init__(self, records: Records, settings: Settings, funnel: Funnel | None, clock: Clock) -> None:
        self._records = records
        self._settings = settings
        self._clock = clock
        self._flags = StageFlags(records, funnel)
        self._rates = Rates(records, settings, clock)

    def read(self) -> dict[str, Deal]:
        """Every opportunity that exists at as-of."""
        found: dict[str, Deal] = {}
        for row in self._records.alive("Opportunity"):
            created = when(row, "CreatedDate")
            if created is None or self._clock.happened(created):
                found[str(row["Id"])] = self._deal(row, created)
        return found

    def _history(self, deal: str) -> tuple[list[HistoryRow], bool]:
        """Rows up to as-of in order, and whether a later row exists."""
        rows = [row for row in self._records.alive("OpportunityHistory") if text(row, "OpportunityId") == deal]
        dated = [(at, row) for row in rows if (at := when(row, "CreatedDate")) is not None]
        dated.sort(key=lambda pair: (self._clock.response(pair[0]).key, str(pair[1]["Id"])))
        known = [self._history_row(at, row) for at, row in dated if self._clock.happened(at)]
        return known, len(known) < len(dated)

    def _history_row(self, at: When, row: Row) -> HistoryRow:
        stage = text(row, "StageName")
        return HistoryRow(
            when=at,
            at=self._clock.response(at),
            stage=stage,
            amount=number(row, "Amount"),
            close_date=when(row, "CloseDate"),
            state=self._flags.of_stage(stage),
        )

    def _deal(self, row: Row, created_at: When | None) -> Deal:
        history, later = self._history(str(row["Id"]))
        created = None if created_at is None else self._clock.response(created_at)
        amount = number(row, self._settings.amount.field)
        stage, close_date, state = text(row, "StageName"), when(row, "CloseDate"), self._flags.of_record(row)
        if later:  # D13: the row in force at as-of
            in_force = history[-1] if history else None
            stage = in_force.stage if in_force else None
            close_date = in_force.close_date if in_force else close_date
            state = in_force.state if in_force else "open"
            if self._settings.amount.field == "Amount":
                amount = in_force.amount if in_force else amount
        explained = bool(history) and history[-1].stage == stage
        said = state
        by_field = self._settings.opportunities.close_date == "field"
        if by_field:
            close, state = self._close_by_field(close_date, state, created)
        else:
            close, state = self._close(row, history, state, created)
        runs = [run for run, _ in groupby(one.state for one in history)]
        # A close that the field puts after as-of leaves the deal open, and is no reopening.
        if not runs or runs[-1] != (said if by_field else state):
            runs.append(state)
        return Deal(
            id=str(row["Id"]),
            row=row,
            created_at=created_at,
            created=created,
            stage=stage,
            state=state,
            close=close,
            money=self._rates.convert(amount, text(row, "CurrencyIsoCode"), close_date),
            close_date=close_date,
            history=history,
            said=said,
            explained=explained,
            ever_won="won" in runs,
            reopened=any(run != "open" for run in runs[:-1]),
            runs=runs,
        )

    def _close(
        self, row: Row, history: list[HistoryRow], state: str, created: Moment | None
    ) -> tuple[Moment | None, str]:
        """§4 Close moment, and the state it leaves: a close without history after as-of counts as open."""
        if state == "open":
            return None, "open"
        if history and history[-1].state == state:
            close = self._clock.close(run_start(history))
        else:
            at = when(row, "LastStageChangeDate") or when(row, "CloseDate")
            if at is None:
                return created, state  # D33
            if not self._clock.happened(at):
                return None, "open"
            close = self._clock.close(at)
        if created is not None and close.key < created.key:
            return created, state
        return close, state

    def _close_by_field(self, close_date: When | None, state: str, created: Moment | None) -> tuple[Moment | None, str]:
        """§4 `--close-date field`: CloseDate alone, not before the creation; after as-of the deal is open."""
        if state == "open":
            return None, "open"
        if close_date is None:
            return created, state  # D33
        close = self._clock.close(close_date)
        if created is not None and close.key < created.key:
            return created, state
        return (close, state) if self._clock.happened(close_date) else (None, "open")


def run_start(history: list[HistoryRow]) -> When:
    """§4, D12: start of the maximal run of one outcome that holds at the end."""
    start = history[-1]
    for row in reversed(history):
        if row.state != start.state:
            break
        start = row
    return start.when
