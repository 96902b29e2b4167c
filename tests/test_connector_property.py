"""Random histories of an org, pulled again and again: the mirror equals the org, whatever happens in between.

Ties within a second, commits that show up to 30 minutes late, deletes, undeletes, purges, merges,
formulas, new fields, passing faults, kills at any call. The mirror is a dictionary fed with what
pulls hand over; what it must hold follows from the fake org alone.
"""

from __future__ import annotations

import datetime as dt
import random
from pathlib import Path
from typing import Any

import pytest

from leadline.config import SalesforceSettings, Settings
from leadline.sources.salesforce import plan
from leadline.sources.salesforce.marks import Mark
from leadline.sources.salesforce.pull import Asked
from leadline.sources.salesforce.shapes import FieldShape, ObjectShape
from leadline.sources.salesforce.transport import Response
from tests.connector_mirror import Mirror
from tests.connector_org import FakeOrg, lost, refused, session_of
from tests.scale import scaled

LATEST_COMMIT = 30 * 60
"""Seconds after its stamp at which a record can still appear; the overlap is twice that."""

PASSING: list[tuple[str, Response | Exception]] = [
    ("query", Response(503)),
    ("query", lost()),
    ("queryAll.*COUNT", Response(200, {}, b"<html>")),
    ("results", Response(204)),
    ("results", lost()),
    ("results", refused(404, "NOT_FOUND")),
    ("locator=2", Response(200, {"sforce-numberofrecords": "2"}, b'"Id"\n')),
    ("query/01g", refused(400, "INVALID_QUERY_LOCATOR")),
    ("jobs/query/", refused(401, "INVALID_SESSION_ID")),
    ("deleted", Response(429)),
    ("describe", Response(502)),
]


class Killed(BaseException):
    """The process ends here."""


class History:
    """One random history of an org."""

    def __init__(self, chance: random.Random, folder: Path) -> None:
        self.chance = chance
        self.org = FakeOrg(page=2)
        self.quiet: dict[tuple[str, str], dt.datetime] = {}
        lookup = {"type": "reference", "referenceTo": ["Lead"]}
        self.org.define(
            "Lead", LastName="string", MasterRecordId=lookup, Score__c={"type": "double", "calculated": True}
        )
        self.org.define("CampaignMember", LeadId=lookup, Status="string")
        self.mirror = Mirror(lambda: session_of(self.org, folder / "lock"), lambda: self.org.now, folder)

    def live_leads(self) -> list[str]:
        return [row["Id"] for row in self.org.seen("Lead") if not row["IsDeleted"]]

    def step(self) -> None:
        """One thing that happens; time may stand still, so that stamps tie."""
        chance, org = self.chance, self.org
        org.now += dt.timedelta(seconds=chance.choice([0, 0, 1, 30, 600, 3600]))
        late = chance.choice([0, 0, 0, chance.randrange(LATEST_COMMIT)])
        leads = self.live_leads()
        happening = chance.randrange(9)
        if happening <= 1 or len(leads) < 3:
            key = org.insert("Lead", late, LastName=f"L{chance.randrange(99)}")
            if chance.random() < 0.7:
                org.insert("CampaignMember", late, LeadId=key, Status="NA")
        elif happening == 2:
            org.update("Lead", chance.choice(leads), late, LastName=f"M{chance.randrange(99)}")
        elif happening == 3:
            org.delete("Lead", chance.choice(leads))
        elif happening == 4:
            self.undelete_one()
        elif happening == 5:
            org.purge("Lead", chance.choice(sorted(org.rows["Lead"])))
        elif happening == 6:
            self.merge(*chance.sample(leads, 2))
        elif happening == 7:
            org.set_quietly("Lead", chance.choice(leads), Score__c=chance.randrange(99))
        elif members := sorted(org.rows["CampaignMember"]):
            org.update("CampaignMember", chance.choice(members), late, Status=chance.choice(["null", "NaN", 'x"\n']))

    def undelete_one(self) -> None:
        gone = [row["Id"] for row in self.org.seen("Lead") if row["IsDeleted"] and not row["MasterRecordId"]]
        if gone:
            self.org.undelete("Lead", self.chance.choice(gone))

    def merge(self, loser: str, winner: str) -> None:
        self.org.delete("Lead", loser)
        self.org.rows["Lead"][loser]["MasterRecordId"] = winner
        for key, member in self.org.rows["CampaignMember"].items():
            if member["LeadId"] == loser:
                self.org.set_quietly("CampaignMember", key, LeadId=winner)
                self.quiet["CampaignMember", key] = self.org.now

    def check(self, whole: dict[str, bool]) -> None:
        """The mirror holds what the org shows up to the high-water mark."""
        for name in ("Lead", "CampaignMember"):
            until = self.mirror.marks.objects[name].until
            held = self.mirror.rows.get(name, {})
            shown = {row["Id"]: row for row in self.org.seen(name)}
            for key, row in shown.items():
                if dt.datetime.fromisoformat(row["SystemModstamp"]) < until:
                    self.compare(name, held.get(key), row, until, formulas=whole.get(name, False))
            live = {key for key, row in held.items() if not row["IsDeleted"]}
            assert live <= shown.keys(), "a record that is gone is still taken for one"

    def compare(
        self, name: str, held: dict[str, Any] | None, row: dict[str, Any], until: dt.datetime, *, formulas: bool
    ) -> None:
        assert held is not None, f"{name} {row['Id']} was lost"
        later = self.quiet.get((name, row["Id"]), until - dt.timedelta(1)) >= until
        for field in ("LastName", "IsDeleted", "MasterRecordId", "Status", *(() if later else ("LeadId",))):
            assert held.get(field) == row.get(field), f"{name} {row['Id']} {field}"
        if formulas and "Score__c" in row:
            assert held["Score__c"] == (None if row["Score__c"] is None else str(row["Score__c"]))


A_FORMULA_OF_ZERO = 51
"""A history in which a formula gives 0."""


@pytest.mark.parametrize("seed", sorted({*range(scaled(300)), A_FORMULA_OF_ZERO}))
def test_the_mirror_equals_the_org(seed: int, tmp_path: Path):
    chance = random.Random(seed)
    history = History(chance, tmp_path)
    settings = Settings(salesforce=SalesforceSettings(bulk_from=chance.choice([1, 4, 1000]), parallel=1))
    for _ in range(4):
        for _ in range(chance.randrange(1, 12)):
            history.step()
        history.org.now += dt.timedelta(minutes=chance.choice([0, 1, 3, 45]))
        history.org.faults = chance.sample(PASSING, chance.randrange(4))
        if chance.random() < 0.4:
            cut_short(history, settings, chance)
            history.step()
            history.mirror.pull(settings)
            history.org.now += dt.timedelta(minutes=1)
        history.check(history.mirror.pull(settings, Asked(full=chance.random() < 0.15)))
    history.org.now += dt.timedelta(seconds=2 * LATEST_COMMIT)
    history.mirror.pull(settings)
    history.org.now += dt.timedelta(days=8)
    whole = history.mirror.pull(settings)
    assert all(whole.values())
    history.check(whole)


def cut_short(history: History, settings: Settings, chance: random.Random) -> None:
    """A pull that is killed at some call; if it has fewer calls it ends well, and counts."""
    left = chance.randrange(1, 40)

    def kill(request: object) -> None:
        nonlocal left
        left -= 1
        if left == 0:
            raise Killed

    history.org.on_send = kill
    try:
        history.mirror.pull(settings)
    except Killed:
        pass
    finally:
        history.org.on_send = lambda request: None


SHAPE = ObjectShape(
    "Lead",
    {
        "Id": FieldShape("Id", "id", False, True, ()),
        "SystemModstamp": FieldShape("SystemModstamp", "datetime", False, True, ()),
    },
    replicateable=True,
)


@pytest.mark.parametrize("seed", range(5))
def test_windows_leave_no_gap(seed: int):
    """Every moment before the end of the last window lies in the window of some pull, and in the next one's overlap."""
    chance = random.Random(seed)
    settings = SalesforceSettings(overlap_minutes=chance.randrange(1, 90), margin_minutes=chance.randrange(5))
    mark: Mark | None = None
    clock = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    for _ in range(200):
        clock += dt.timedelta(seconds=chance.choice([0, 1, 59, 3600, 86_000]))
        until = plan.until_of(clock, dt.timedelta(minutes=settings.margin_minutes), [mark] if mark else [])
        made = plan.plan(SHAPE, ("Id", "SystemModstamp"), mark, until, settings)
        assert until.microsecond == 0
        if mark is not None:
            assert until > mark.until
            if made.since is not None:
                assert mark.until - made.since == dt.timedelta(minutes=settings.overlap_minutes)
                assert until - mark.whole_at < dt.timedelta(days=settings.full_days)
                assert made.soql.endswith(f"SystemModstamp < {plan.soql_moment(until)}")
            else:
                assert until - mark.whole_at >= dt.timedelta(days=settings.full_days)
        mark = made.mark(mark)
