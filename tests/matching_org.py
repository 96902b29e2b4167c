"""Runs matching on orgs made in memory: only people and accounts are built, not the whole model."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import ibis
import pyarrow as pa

from leadline.config import MatchingSettings
from leadline.findings import Finding
from leadline.matching import run
from leadline.model import base, calendar
from leadline.model.source import Source
from leadline.model.store import Store
from leadline.sources.matches_file import MatchesFile, Override
from tests.agreement.engine import arrow
from tests.oracle.records import Org


@dataclass(frozen=True)
class Found:
    """The tables of matching as rows, and its findings."""

    matches: dict[str, dict[str, Any]]
    candidates: dict[str, set[str]]
    rules: dict[str, dict[str, Any]]
    duplicates: list[dict[str, Any]]
    findings: tuple[Finding, ...]

    def account(self, lead: str) -> str | None:
        """The account a lead is matched to, or None."""
        return self.matches[lead]["account_id"] if lead in self.matches else None

    def pairs(self) -> set[tuple[str, str]]:
        """Possible duplicates."""
        return {(row["person_id"], row["other_id"]) for row in self.duplicates}


def matched(org: Org, settings: MatchingSettings | None = None, lines: Iterable[Override] = ()) -> Found:
    """Matching of an org of the oracle's kind."""
    return of_tables({name: arrow(name, rows) for name, rows in org.items()}, settings, lines)


def of_tables(
    tables: dict[str, pa.Table], settings: MatchingSettings | None = None, lines: Iterable[Override] = ()
) -> Found:
    """Matching of Arrow tables by object."""
    store = Store(ibis.duckdb.connect())
    held = {name: store.backend.create_table(f"src_{name}", ibis.memtable(rows)) for name, rows in tables.items()}
    source = Source(held)
    store.keep("days", ibis.memtable(calendar.days("UTC", fiscal_year_start=1, week_start="monday")))
    base._people(store, source)
    overrides = tuple(lines)
    file = MatchesFile("matches.csv", overrides) if overrides else None
    done = run.run(store, source, settings or MatchingSettings(), file)
    rows = {name: store.rows(store[name]) for name in run.TABLES}
    candidates: dict[str, set[str]] = {}
    for row in rows[run.CANDIDATES]:
        candidates.setdefault(row["person_id"], set()).add(row["account_id"])
    return Found(
        {row["person_id"]: row for row in rows[run.MATCHES]},
        candidates,
        {row["rule"]: row for row in rows[run.RULES]},
        rows[run.DUPLICATES],
        done.findings,
    )
