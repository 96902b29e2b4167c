"""Two small orgs for tests of the audit: one with every fault planted, one without any."""

from __future__ import annotations

import datetime as dt
from functools import cache

import ibis

from leadline.audit import lineage
from leadline.audit.check import Audited
from leadline.audit.run import run
from leadline.config import AuditSettings, Settings
from leadline.findings import Finding
from leadline.model import build
from leadline.model.opened import Opened
from leadline.model.store import Store
from leadline.results import Step
from leadline.schema import OBJECTS
from tests.agreement.engine import source
from tests.oracle.records import Org, Row
from tests.oracle.tiny import Tiny, at

AS_OF = dt.datetime(2024, 12, 31, 12, tzinfo=dt.UTC)

Audit = tuple[Opened, Audited, list[Step]]
"""A model open for questions, the same as the checks see it, and its lineage."""

GIVEN = (
    Finding("column-changed", "error", "Lead.X: 2 values", "Lead", 2, moves=("volume",), record_ids=("L3", "L4")),
    Finding("column-vanished", "warning", "Lead.Y is not in this load", "Lead", moves=("volume", "velocity")),
    Finding("rows-rejected", "warning", "7 rows of Lead.csv", "Lead", 7, remedy="Correct them."),
)
"""Findings of an import: one with its records, two about the data as a whole."""


def faulty() -> Tiny:
    """Every record-wise fault once or twice; ids begin with the letter of their kind."""
    tiny = Tiny()
    tiny.add("CurrencyType", "usd", IsoCode="USD", ConversionRate=1, DecimalPlaces=2, IsCorporate=True)
    tiny.add("Campaign", "camp", Name="Web", Type="Web", ActualCost=100, StartDate=dt.date(2024, 1, 1))
    tiny.add("Campaign", "bare", Name="Bare", Type=None, ActualCost=None, StartDate=None)
    tiny.add("Campaign", "unused", Name="Unused", Type=None, ActualCost=None, StartDate=None)
    _people(tiny)
    _members(tiny)
    _deals(tiny)
    return tiny


def _people(tiny: Tiny) -> None:
    tiny.lead("L1", Status="MQL", Email="one@example.com")
    tiny.lead("L2", Status="Closed - Converted")
    tiny.lead("L3", Status="Closed - Converted", IsConverted=True, ConvertedContactId="C1", Email="three@example.com")
    tiny.lead("L4", Status="Odd")
    tiny.lead("L5", Status="MQL", Email="One@Example.com")
    tiny.lead("L6", "2024-07-01T00:00", Status="Working")
    tiny.contact("C1", Email="three@example.com")
    tiny.contact("C2", Email="")
    tiny.contact("C3", Email=None)
    tiny.status("L1", "2024-06-01T10:00", "Open", "MQL")
    tiny.status("L6", "2025-02-01T10:00", "Open", "Working")


def _members(tiny: Tiny) -> None:
    tiny.member("m1", "L1", "2024-02-01")
    tiny.member("m2", "L1", "2024-03-01")
    tiny.member("m3", "C1", "2024-02-01", campaign="bare")
    tiny.member("m4", "C2", None)
    tiny.member("m5", "LX", "2024-03-02")
    tiny.member("m6", "C2", "2024-03-03", campaign="gone")
    tiny.member("m7", "C3", "2025-05-05")
    tiny.member("m8", "L4", "2024-03-04", HasResponded=False, Status="Sent")


def _deals(tiny: Tiny) -> None:
    day = dt.date
    tiny.deal("D01", "2024-04-01T00:00", ("2024-04-01T00:00", "Proposal"), ("2024-06-01T10:00", "Closed Won"))
    tiny.deal("D02", "2024-04-01T00:00", StageName="Proposal", amount="200")
    tiny.deal("D03", "2024-04-01T00:00", StageName="Proposal", amount="300")
    tiny.deal("D04", "2024-04-01T00:00", StageName="Proposal", amount=None)
    tiny.deal("D05", "2024-04-01T00:00", StageName="Proposal", CurrencyIsoCode="XAU")
    tiny.deal("D06", "2024-04-01T00:00", StageName="Proposal", amount="99999999999999")
    early = day(2024, 3, 1)
    tiny.deal("D07", "2024-04-01T00:00", StageName="Closed Won", CloseDate=early, amount="700")
    won = ("2024-06-01T10:00", "Closed Won")
    tiny.deal("D08", "2024-04-01T00:00", ("2024-04-01T00:00", "Proposal"), won, CloseDate=early, amount="800")
    tiny.deal("D09", "2024-04-01T00:00", StageName="Closed Lost", CloseDate=None)
    tiny.deal("D10", "2024-04-01T00:00", StageName="Strange")
    tiny.deal("D11", "2025-02-01T00:00", StageName="Proposal", CloseDate=day(2025, 6, 1))
    tiny.deal("D12", "2024-04-01T00:00", StageName="Closed Won", CloseDate=day(2025, 3, 1))
    for deal in ("D01", "D04", "D05", "D06", "D07", "D08", "D09", "D10", "D11", "D12"):
        tiny.role("C1", deal, primary=True)
    tiny.role("C2", "D03")
    tiny.role("CX", "D01")
    tiny.role("C1", "DX", primary=True)
    tiny.role("C1", "D01")


def clean() -> Tiny:
    """An org in which every check looks at something and finds nothing."""
    tiny = Tiny()
    tiny.add("Organization", "org", TimeZoneSidKey="Europe/Berlin")
    tiny.add("CurrencyType", "usd", IsoCode="USD", ConversionRate=1, DecimalPlaces=2, IsCorporate=True)
    for status in ("Qualified", "Open", "MQL"):
        tiny.add("LeadStatus", status, MasterLabel=status, ApiName=status, IsConverted=status == "Qualified")
    tiny.add("OpportunityStage", "Proposal", MasterLabel="Proposal", ApiName="Proposal", IsClosed=False, IsWon=False)
    tiny.add("Campaign", "camp", Name="Web", Type="Web", ActualCost=100, StartDate=dt.date(2024, 1, 1))
    tiny.lead("L1", Status="MQL", Email="one@example.com", CreatedDate=at("2024-02-01T00:00"))
    tiny.lead("L2", Status="Qualified", IsConverted=True, ConvertedContactId="C1", CreatedDate=at("2024-02-01T00:00"))
    tiny.contact("C1", Email="two@example.com")
    tiny.status("L1", "2024-02-01T00:00", "Open", "MQL")
    tiny.member("m1", "L1", "2024-03-01")
    tiny.member("m2", "C1", "2024-03-01T10:00")
    tiny.deal("D1", "2024-04-01T00:00", ("2024-04-01T00:00", "Proposal"), ("2024-06-01T10:00", "Closed Won"))
    tiny.role("C1", "D1", primary=True)
    return tiny


def _fields(name: str, rows: list[Row]) -> list[Row]:
    """Rows without the flag IsDeleted where the object has none."""
    if "IsDeleted" in OBJECTS[name]:
        return rows
    return [{field: value for field, value in row.items() if field != "IsDeleted"} for row in rows]


@cache
def audited_faulty() -> Audit:
    """The org with every fault, audited with findings of its import and one configured threshold."""
    tiny = faulty()
    settings = tiny.settings.model_copy(update={"audit": {"duplicate-member": AuditSettings(threshold=0.1)}})
    return audited(tiny.org, settings, GIVEN)


@cache
def audited_clean() -> Audit:
    """The org without a fault."""
    tiny = clean()
    return audited(tiny.org, tiny.settings)


def audited(org: Org, settings: Settings, more: tuple[Finding, ...] = ()) -> Audit:
    """An org built and audited."""
    backend = ibis.duckdb.connect()
    store, records = Store(backend), source({name: _fields(name, rows) for name, rows in org.items()}, backend)
    built = build.build(records, settings, AS_OF, store)
    run(store, records, settings, built, more=more)
    opened = Opened(
        backend=backend,
        tables=store.tables,
        settings=settings,
        zone=built.zone,
        currency=built.currency,
        as_of=built.as_of,
        moment=AS_OF,
        known_at=AS_OF,
        snapshot="audited",
        numbers={},
        meta={},
    )
    return opened, Audited(store, records, settings, built), lineage.steps(store, records)
