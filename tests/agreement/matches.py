"""Leads that belong to accounts, given to both sides alike: by which rules they do is tested by itself."""

from __future__ import annotations

import dataclasses
import random

import ibis
import pyarrow as pa

from leadline.model.opened import Opened
from tests.oracle.answers import Answers

TABLE = "account_matches"


def given(answers: Answers) -> dict[str, str]:
    """Person → account of half of the people without one; which, their ids alone decide."""
    accounts = sorted(str(row["Id"]) for row in answers.records.alive("Account"))
    alone = [one for one in sorted(answers.people.records_of) if answers.people.account(one) is None]
    if not accounts:
        return {}
    return {one: random.Random(one).choice(accounts) for one in alone if random.Random(one).random() < 0.5}


def with_matches(opened: Opened, matches: dict[str, str]) -> Opened:
    """The engine with these matches among its tables."""
    rows = pa.table(
        {
            "person_id": pa.array(list(matches), pa.string()),
            "account_id": pa.array(list(matches.values()), pa.string()),
            "rule": pa.array(["domain"] * len(matches), pa.string()),
            "agrees": pa.array(["example.org"] * len(matches), pa.string()),
            "score_parts": pa.array([980_000] * len(matches), pa.int64()),
        }
    )
    table = opened.backend.create_table(TABLE, ibis.memtable(rows), overwrite=True)
    return dataclasses.replace(opened, tables={**opened.tables, TABLE: table})
