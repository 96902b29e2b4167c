"""Random histories: the double keeps its promises, and a client that keeps to the rules mirrors it exactly."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from leadline_double import Org
from leadline_double.state import Rules
from leadline_double.values import csv_value
from tests.double.calling import Caller
from tests.double.history import LATEST, History
from tests.scale import scaled

STAMPED = (
    "Lead", "Contact", "Account", "Campaign", "CampaignMember", "Opportunity", "OpportunityContactRole", "OpportunityHistory",
)  # fmt: skip
UNSTAMPED = ("LeadHistory", "OpportunityFieldHistory")
OVERLAP = dt.timedelta(seconds=LATEST + 60)


class Mirror:
    """The plainest client that is right: overlap, upsert by id, full comparison of ids, children of merges anew."""

    def __init__(self, caller: Caller) -> None:
        self.caller = caller
        self.rows: dict[str, dict[str, dict[str, str]]] = {name: {} for name in (*STAMPED, *UNSTAMPED)}
        self.gone: set[str] = set()
        self.cursor = dt.datetime(2000, 1, 1, tzinfo=dt.UTC)

    def pull(self) -> None:
        """All that changed before the present second."""
        now = self.caller.org.clock.now()
        for name in self.rows:
            stamp = "SystemModstamp" if name in STAMPED else "CreatedDate"
            low, high = (f"{one:%Y-%m-%dT%H:%M:%SZ}" for one in (self.cursor - OVERLAP, now))
            self.read(name, f"{stamp} >= {low} AND {stamp} < {high}")
        self.compare_ids()
        self.reread_children()
        self.cursor = now

    def ask(self, soql: str) -> list[dict[str, str]]:
        """Rows of a bulk query, deleted ones too."""
        return [row for page in self.caller.bulk(soql, operation="queryAll", maxRecords="100") for row in page.rows]

    def read(self, name: str, condition: str) -> None:
        """Take rows in."""
        fields = [
            one["name"]
            for one in self.caller("GET", f"/sobjects/{name}/describe").data["fields"]
            if one["type"] != "address"
        ]
        for row in self.ask(f"SELECT {', '.join(fields)} FROM {name} WHERE {condition}"):
            self.rows[name][row["Id"]] = row

    def reread_children(self) -> None:
        """A merge gives children away without moving their stamps; a loser that was purged at once was never seen."""
        merged = {key for rows in self.rows.values() for key, row in rows.items() if row.get("MasterRecordId")}
        for name, rows in self.rows.items():
            lookups = [field for field in next(iter(rows.values()), {}) if field.endswith("Id") and field != "Id"]
            stale = [key for key, row in rows.items() if any(row[one] in merged | self.gone for one in lookups)]
            for start in range(0, len(stale), 100):
                self.read(name, f"Id IN ({', '.join(repr(key) for key in stale[start : start + 100])})")

    def compare_ids(self) -> None:
        """What was purged is gone; history rows go and come with their record without a stamp."""
        for name, rows in self.rows.items():
            present = {row["Id"]: row["IsDeleted"] for row in self.ask(f"SELECT Id, IsDeleted FROM {name}")}
            for key in list(rows):
                if key in present:
                    rows[key]["IsDeleted"] = present[key]
                else:
                    del rows[key]
                    self.gone.add(key)


def state(org: Org, name: str) -> dict[str, dict[str, str]]:
    """Rows of the org as texts."""
    fields = [field for field, one in org.objects[name].fields.items() if one.type != "address"]
    return {key: {field: csv_value(row[field]) for field in fields} for key, row in org.tables[name].items()}


def difference(org: Org, mirror: Mirror) -> dict[str, Any]:
    """Object and id → what differs; empty where the mirror is right."""
    found: dict[str, Any] = {}
    for name, rows in mirror.rows.items():
        held = state(org, name)
        for key in held.keys() | rows.keys():
            if held.get(key) != rows.get(key):
                ours, theirs = held.get(key, {}), rows.get(key, {})
                found[f"{name} {key}"] = {
                    one: (ours.get(one), theirs.get(one))
                    for one in ours.keys() | theirs.keys()
                    if ours.get(one) != theirs.get(one)
                }
    return found


@pytest.mark.parametrize("seed", range(scaled(100)))
def test_a_client_that_keeps_to_the_rules_mirrors_any_history(seed: int):
    org = Org(rules=Rules(reparent_moves_stamp=seed % 2 == 1, member_keeps_lead=seed % 3 != 0))
    caller = Caller(org)
    caller.service.job_polls = 0
    history, mirror = History(org, seed), Mirror(caller)
    for _ in range(5):
        history.run(40)
        caller.login()
        mirror.pull()
    # What is under way commits, and the last second is over.
    org.clock.advance(seconds=LATEST)
    org.clock.advance(seconds=1)
    caller.login()
    mirror.pull()
    assert difference(org, mirror) == {}
    assert sum(len(rows) for rows in mirror.rows.values()) > 50


def test_the_same_seed_does_the_same():
    orgs = []
    for seed in (5, 5, 6):
        org = Org()
        History(org, seed).run(150)
        orgs.append(org.digest())
    assert orgs[0] == orgs[1] != orgs[2]


def test_a_client_without_overlap_loses_slow_transactions():
    """The traps are real: some history tells a careless client from a careful one."""
    lost = 0
    for seed in range(3):
        org = Org()
        caller = Caller(org)
        caller.service.job_polls = 0
        history, mirror = History(org, seed), Mirror(caller)
        for _ in range(5):
            history.run(40)
            caller.login()
            mirror.pull()
            mirror.cursor += OVERLAP
        org.clock.advance(seconds=LATEST + 1)
        caller.login()
        mirror.pull()
        lost += bool(difference(org, mirror))
    assert lost > 0


def test_histories_do_all_kinds_of_things():
    org = Org()
    history = History(org, 11)
    history.run(1500)
    done = {line.split()[2] for line in history.log if "not possible" not in line}
    assert done >= {
        "person",
        "member",
        "deal",
        "change",
        "automate",
        "late",
        "delete",
        "undelete",
        "purge",
        "erase",
        "merge",
        "convert",
    }
