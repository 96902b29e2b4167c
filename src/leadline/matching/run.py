"""Matching at publish: leads to accounts and possible duplicates, written as tables of the snapshot.

account_matches      a lead that belongs to an account: person_id, account_id, rule, agrees (what
                     agrees), told_apart_by, candidate_count, score_parts
account_candidates   a lead with several accounts to choose from: person_id, account_id, rule, agrees,
                     candidate_count
match_rules          how each rule does on converted leads: rule, rule_no, placed_count, right_count,
                     score_parts
possible_duplicates  two people that may be one: person_id, other_id, probability_parts, reason,
                     same_email, group_id
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import ibis
import ibis.expr.types as ir
import pyarrow as pa

from leadline.config import MatchingSettings
from leadline.findings import Finding
from leadline.matching import duplicates, leads, parties
from leadline.model.source import Source
from leadline.model.store import Store
from leadline.sources.matches_file import MatchesFile, Override

MATCHES, CANDIDATES, RULES, DUPLICATES = "account_matches", "account_candidates", "match_rules", "possible_duplicates"
TABLES = (MATCHES, CANDIDATES, RULES, DUPLICATES)


@dataclass(frozen=True, slots=True)
class Matched:
    """What matching found out beside its tables.

    Attributes:
        findings: lines of the workspace's file that fit no record.
        seconds: how long it took, in all and for the duplicates alone.
    """

    findings: tuple[Finding, ...]
    seconds: dict[str, float]


def run(
    store: Store,
    source: Source,
    settings: MatchingSettings,
    overrides: MatchesFile | None = None,
    spill: Path | None = None,
) -> Matched:
    """Write the tables of matching into `store`, which holds those of the model.

    Args:
        overrides: matches made by hand; they win over every rule.
        spill: folder for what does not fit into memory.
    """
    began = time.monotonic()
    parties.prepare(store, source, settings)
    judged = leads.match(store)
    said = _said(store, overrides)
    store.keep(MATCHES, _with_overrides(store, said))
    untold = store.steps["lead_candidates"]
    if said is not None:
        untold = untold.anti_join(said, "person_id")
    store.keep(CANDIDATES, untold)
    rules = [
        {
            "rule": one.rule,
            "rule_no": at,
            "placed_count": one.placed,
            "right_count": one.right,
            "score_parts": one.score_parts,
        }
        for at, one in enumerate(judged, 1)
    ]
    store.keep(RULES, ibis.memtable(pa.Table.from_pylist(rules)))
    between = time.monotonic()
    found = duplicates.find(store, settings, store[MATCHES], spill)
    store.keep(DUPLICATES, ibis.memtable(found))
    ended = time.monotonic()
    unknown = _unknown(store, overrides)
    store.forget()
    return Matched(unknown, {"matching": ended - began, "duplicates": ended - between})


def _said(store: Store, overrides: MatchesFile | None) -> ir.Table | None:
    """What the file says of people that are leads without account: person_id, account_id (null: none)."""
    if overrides is None or not overrides.lines:
        return None
    lines = store.step("match_lines", ibis.memtable(_lines(overrides.lines)))
    records = store["person_records"].select("person_id", lead_id="record_id")
    people = store["people"].filter(ibis._.account_id.isnull()).select("person_id")
    known = lines.join(records, "lead_id").semi_join(people, "person_id")
    there = store.steps["match_accounts"].select("account_id", is_there=ibis.literal(True))
    placed = known.left_join(there, "account_id").drop("account_id_right")
    fit = placed.filter(placed.account_id.isnull() | placed.is_there)
    # Two records of one person may be named: the first line holds.
    first = fit.line_no == fit.line_no.min().over(ibis.window(group_by="person_id"))
    chosen = fit.mutate(is_first=first).filter(ibis._.is_first)
    return store.step("match_said", chosen.select("person_id", "account_id", "lead_id", "line_no"))


def _lines(lines: Iterable[Override]) -> pa.Table:
    rows = [(one.line, one.lead_id, one.account_id) for one in lines]
    numbers, ids, accounts = zip(*rows, strict=True)
    return pa.table(
        {
            "line_no": pa.array(numbers, pa.int64()),
            "lead_id": pa.array(ids, pa.string()),
            "account_id": pa.array(accounts, pa.string()),
        }
    )


def _with_overrides(store: Store, said: ir.Table | None) -> ir.Table:
    """Matches of the rules, those of the file in their place."""
    made = store.steps["lead_matches"]
    if said is None:
        return made
    own = said.filter(said.account_id.notnull())
    by_hand = own.select(
        "person_id",
        "account_id",
        rule=ibis.literal(leads.OVERRIDE),
        agrees=own.line_no.cast("string"),
        told_apart_by=ibis.null("string"),
        candidate_count=ibis.literal(1, "int64"),
        score_parts=ibis.literal(leads.MILLION, "int64"),
    )
    rest = made.anti_join(said, "person_id").select(*by_hand.columns)
    return ibis.union(rest, by_hand)


def _unknown(store: Store, overrides: MatchesFile | None) -> tuple[Finding, ...]:
    """A finding about the lines of the file that fit no lead without account, or no account."""
    if overrides is None or not overrides.lines:
        return ()
    used = store.steps["match_said"].select("line_no")
    lost = store.rows(store.steps["match_lines"].anti_join(used, "line_no").order_by("line_no"))
    if not lost:
        return ()
    shown = ", ".join(f"{row['line_no']} ({row['lead_id']})" for row in lost[:20])
    return (
        Finding(
            code="match-override-unused",
            severity="warning",
            message=f"{len(lost)} lines of {Path(overrides.path).name} name a lead that is not there, has an account "
            f"by now or stands in an earlier line, or an account that is not there: lines {shown}.",
            object="Lead",
            rows=len(lost),
            moves=("influence",),
            remedy="Correct these lines, or take them out.",
            record_ids=tuple(sorted({row["lead_id"] for row in lost})),
        ),
    )
