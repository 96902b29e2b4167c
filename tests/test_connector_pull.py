"""Pulls into a real ledger: what comes, what changes, what vanishes, and what a fault leaves behind."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Any

import duckdb
import pytest

from leadline import workspace
from leadline.errors import (
    ApiError,
    ApiLimitError,
    FieldsChangedError,
    IncompleteError,
    LoginError,
    OrgUnreachableError,
    SalesforceError,
    VanishError,
)
from leadline.sources.salesforce import marks
from leadline.sources.salesforce.pull import Asked
from leadline.sources.salesforce.transport import Response
from leadline.sources.salesforce.vault import Secret
from leadline.sources.salesforce.waiting import TRIES
from leadline.workspace.org import PullReport
from tests.connector_org import INSTANCE, ORG_ID, Drawer, FakeOrg, json_response, lost, quick, refused

REFERENCE = "reference"
CONFIG = """
[salesforce]
flow = "client"
domain = "acme.my.salesforce.com"
client_id = "key"
"""


class Place:
    """A workspace whose org is a fake one."""

    def __init__(self, folder: Path, settings: str = "bulk_from = 5") -> None:
        self.org = FakeOrg()
        self.folder = folder
        self.workspace = workspace.create(folder)
        self.configure(settings)
        live = self.workspace.org
        live.transport, live.vault, live.waiting = self.org, Drawer(client_secret="s"), quick()
        live.now = lambda: self.org.now
        lookup = {"type": REFERENCE, "referenceTo": ["Lead"]}
        self.org.define("Lead", LastName="string", Status="picklist", MasterRecordId=lookup)
        self.org.define("CampaignMember", Status="string", LeadId=lookup, HasResponded="boolean")
        self.org.define("OpportunityStage", MasterLabel="string", SortOrder="int")

    def configure(self, settings: str) -> None:
        (self.folder / "leadline.toml").write_text(f"{CONFIG}{settings}\n", encoding="utf-8")

    def leads(self, count: int = 8) -> list[str]:
        return [self.org.insert("Lead", LastName=f"L{number}", Status="Open") for number in range(count)]

    def later(self, hours: float = 3) -> None:
        self.org.now += dt.timedelta(hours=hours)

    def pull(self, asked: Asked | None = None) -> PullReport:
        return self.workspace.org.pull(asked, build=False)

    def rows(self, name: str, columns: str = "Id") -> list[tuple[Any, ...]]:
        with duckdb.connect() as con:
            self.workspace.ledger.attach(con)
            return con.execute(f'SELECT {columns} FROM src."{name}" ORDER BY Id').fetchall()

    @property
    def marks(self) -> marks.Marks:
        return marks.read(marks.of_workspace(self.folder))

    def asked(self, text: str) -> int:
        return sum(text in request.url for request in self.org.log)


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def test_a_first_pull_brings_everything_and_a_second_only_changes(place: Place):
    leads = place.leads()
    place.org.insert("CampaignMember", LeadId=leads[0], Status='a "b"\nü', HasResponded=True)
    place.later()
    first = place.pull()
    assert first.load.load.coverage == "full"
    assert [key for (key,) in place.rows("Lead")] == leads
    assert place.rows("CampaignMember", "Status, HasResponded") == [('a "b"\nü', True)]
    assert {one.plan.name: one.method for one in first.readings}["Lead"] == "bulk"
    place.later()
    place.org.update("Lead", leads[2], Status="Won")
    place.later()
    second = place.pull()
    (read,) = [one for one in second.readings if one.plan.name == "Lead"]
    assert (read.rows, read.plan.whole, read.method) == (1, False, "rest")
    assert [status for (status,) in place.rows("Lead", "Status")].count("Won") == 1
    assert second.load.load.coverage == "partial"


def test_the_window_ends_before_the_clock_of_the_org(place: Place):
    place.leads(2)
    report = place.pull()
    assert report.load.extracted_at == place.org.now - dt.timedelta(minutes=2)
    assert place.marks.objects["Lead"].until == report.load.extracted_at
    assert not (place.folder / ".pull" / "run").exists()


def test_records_deleted_undeleted_and_purged(place: Place):
    leads = place.leads()
    place.later()
    place.pull()
    place.later()
    place.org.delete("Lead", leads[0])
    place.org.delete("Lead", leads[1])
    place.org.purge("Lead", leads[1])
    place.org.purge("Lead", leads[2])
    place.later()
    place.pull()
    assert [gone for (gone,) in place.rows("Lead", "IsDeleted")] == [True, True, True, *[False] * 5]
    place.later()
    place.org.undelete("Lead", leads[0])
    place.later()
    place.pull()
    assert [gone for (gone,) in place.rows("Lead", "IsDeleted")][:3] == [False, True, True]
    # What the list of deletions no longer tells is seen when everything is read again.
    place.org.purge("Lead", leads[3])
    place.org.deleted["Lead"].clear()
    place.later()
    place.pull(Asked(full=True))
    assert leads[3] not in [key for (key,) in place.rows("Lead")]


LISTS = {
    "too many": refused(400, "EXCEEDED_ID_LIMIT"),
    "log purged": json_response({"deletedRecords": [], "earliestDateAvailable": "2026-03-02T14:00:00.000+0000"}),
    "lags": json_response({"deletedRecords": [], "latestDateCovered": "2026-03-02T09:00:00.000+0000"}),
}


@pytest.mark.parametrize("kind", sorted(LISTS))
def test_without_a_whole_list_of_deletions_the_object_is_read_whole(kind: str, place: Place):
    leads = place.leads(3)
    place.later()
    place.pull()
    place.later()
    place.org.purge("Lead", leads[0])
    place.org.fail("Lead/deleted", LISTS[kind])
    place.later()
    (read,) = [one for one in place.pull().readings if one.plan.name == "Lead"]
    assert read.plan.whole
    assert [key for (key,) in place.rows("Lead")] == leads[1:]


def test_an_id_on_the_list_that_was_restored_is_not_gone(place: Place):
    leads = place.leads(3)
    place.later()
    place.pull()
    place.later()
    place.org.deleted["Lead"][leads[0]] = place.org.now
    place.later()
    place.pull()
    assert place.rows("Lead", "IsDeleted") == [(False,)] * 3


def test_children_of_merged_records_are_read_again(place: Place):
    leads = place.leads(2)
    member = place.org.insert("CampaignMember", LeadId=leads[0], Status="x")
    place.later()
    place.pull()
    place.later()
    place.org.update("Lead", leads[0], IsDeleted=True, MasterRecordId=leads[1])
    place.org.set_quietly("CampaignMember", member, LeadId=leads[1])
    place.later()
    place.pull()
    assert place.rows("CampaignMember", "LeadId") == [(leads[1],)]
    assert place.rows("Lead", "MasterRecordId") == [(leads[1],), (None,)]


def test_small_tables_are_read_whole_and_their_rows_can_go(place: Place):
    stages = [place.org.insert("OpportunityStage", MasterLabel=name, SortOrder=1) for name in "ABC"]
    place.leads(1)
    place.later()
    place.pull()
    del place.org.rows["OpportunityStage"][stages[1]]
    place.later()
    place.pull()
    assert place.rows("OpportunityStage", "MasterLabel") == [("A",), ("C",)]
    assert len(place.rows("Lead")) == 1


def test_formulas_are_read_again_each_day(place: Place):
    place.org.add_field("Lead", "Score__c", {"type": "double", "calculated": True})
    (lead,) = place.leads(1)
    place.later()
    place.pull()
    place.org.set_quietly("Lead", lead, Score__c=4.5)
    place.later(2)
    place.pull()
    assert place.rows("Lead", "Score__c") == [(None,)]
    place.later(24)
    place.pull()
    assert place.rows("Lead", "Score__c") == [("4.5",)]


def test_a_new_field_is_read_for_all_records(place: Place):
    place.leads()
    place.later()
    place.pull()
    place.org.add_field("Lead", "Region__c", "string")
    for lead in place.org.rows["Lead"].values():
        lead["Region__c"] = "north"
    place.later()
    place.pull()
    assert {region for (region,) in place.rows("Lead", "Region__c")} == {"north"}


@pytest.mark.parametrize("change", ["gone", "recast", "hidden"])
def test_fields_that_change_stop_the_pull_before_its_mark_moves(change: str, place: Place):
    lead = place.leads(2)[0]
    place.later()
    place.pull()
    before = place.marks.objects
    place.later()
    place.org.update("Lead", lead, Status="Won")
    if change == "gone":
        del place.org.fields["Lead"]["LastName"]
    elif change == "recast":
        place.org.add_field("Lead", "LastName", "double")
        for row in place.org.rows["Lead"].values():
            row["LastName"] = "1"
    else:
        del place.org.fields["Lead"]
    place.later()
    with pytest.raises(FieldsChangedError, match=r"Lead: (?s:.*)--accept-changes"):
        place.pull()
    assert place.marks.objects == before
    report = place.pull(Asked(accept_changes=True))
    (finding,) = [one for one in report.load.findings if one.code.startswith("org-")]
    assert (finding.object, finding.severity) == ("Lead", "warning")
    expected = ["Open", "Open"] if change == "hidden" else ["Won", "Open"]
    assert [status for (status,) in place.rows("Lead", "Status")] == expected


def test_evolving_is_a_setting(place: Place):
    place.leads(2)
    place.later()
    place.pull()
    del place.org.fields["Lead"]["LastName"]
    place.configure('on_field_change = "evolve"')
    place.later()
    assert [one.code for one in place.pull().load.findings if one.code.startswith("org-")] == ["org-fields-changed"]
    assert [name for (name,) in place.rows("Lead", "LastName")] == ["L0", "L1"]


def test_records_that_were_hidden_are_not_taken_for_deleted(place: Place):
    place.leads(60)
    place.later()
    place.pull()
    for lead in list(place.org.rows["Lead"])[:30]:
        del place.org.rows["Lead"][lead]
    place.later()
    with pytest.raises(VanishError, match="30 of 60"):
        place.pull(Asked(full=True))
    assert len(place.rows("Lead")) == 60
    place.pull(Asked(full=True, allow_vanish=True))
    assert len(place.rows("Lead")) == 30


def test_a_mid_pull_loss_of_a_field_ends_it(place: Place):
    place.leads(2)
    place.org.fail("queryAll.*SELECT Id", refused(400, "INVALID_FIELD"))
    with pytest.raises(ApiError, match="hidden from the integration user while the pull ran"):
        place.pull()
    assert not place.marks.objects


BULK_FAULTS: dict[str, list[tuple[str, Response | Exception]]] = {
    "not ready": [("results", Response(204)), ("results", Response(204))],
    "not complete": [("results", refused(412, "JOB_NOT_COMPLETE"))],
    "cut": [("locator=3", lost()), ("locator=6", lost())],
    "busy": [("jobs/query", Response(503)), ("results", Response(429)), ("results", Response(502))],
    "crowded": [("jobs/query", refused(403, "REQUEST_LIMIT_EXCEEDED", "ConcurrentRequests Limit exceeded."))],
    "short page": [("locator=3", Response(200, {"sforce-numberofrecords": "3"}, b'"Id"\n"00Q"\n'))],
    "session": [("locator=3", refused(401, "INVALID_SESSION_ID"))],
    "job gone": [("locator=6", refused(404, "NOT_FOUND"))],
    "failed": [("GET .*jobs/query/[^/]+$", json_response({"id": "750", "state": "Failed", "errorMessage": "x"}))],
    "aborted": [("GET .*jobs/query/[^/]+$", json_response({"id": "750", "state": "Aborted"}))],
    "waits": [("GET .*jobs/query/[^/]+$", json_response({"id": "750", "state": "InProgress"}))] * 3,
    "html": [("locator=3", Response(200, {}, b"<html>We are setting things up</html>"))],
    "delete refused": [("DELETE", refused(404, "NOT_FOUND"))],
    "to itself": [
        ("locator=3", Response(200, {"sforce-numberofrecords": "0", "sforce-locator": "3"}, b'"Id"\n')),
    ],
}


@pytest.mark.parametrize("kind", sorted(BULK_FAULTS))
def test_faults_of_a_bulk_job_lose_nothing(kind: str, place: Place):
    leads = place.leads(11)
    for pattern, answer in BULK_FAULTS[kind]:
        place.org.fail(pattern, answer)
    place.later()
    place.pull(Asked(("Lead",)))
    assert [key for (key,) in place.rows("Lead")] == leads
    assert not place.org.faults


def test_a_locator_of_rest_that_expires_means_from_the_start(place: Place):
    place.configure("bulk_from = 100")
    leads = place.leads(11)
    place.org.fail("query/01g.*-6", refused(400, "INVALID_QUERY_LOCATOR"))
    place.later()
    place.pull(Asked(("Lead",)))
    assert [key for (key,) in place.rows("Lead")] == leads


def test_pages_that_do_not_add_up_end_the_pull(place: Place):
    place.configure("bulk_from = 100")
    place.leads(2)
    told = json_response({"totalSize": 5, "done": True, "records": []})
    place.org.fail("queryAll.*SELECT Id", told, told, told)
    with pytest.raises(IncompleteError, match="announced 5 records and sent 0"):
        place.pull(Asked(("Lead",)))
    assert not place.marks.objects


def test_a_job_that_says_more_than_its_pages_hold_ends_the_pull(place: Place):
    place.leads(6)
    more = {"state": "JobComplete", "numberRecordsProcessed": 9}
    place.org.fail("GET .*jobs/query/[^/]+$", *[json_response({"id": "750", **more})] * 3)
    with pytest.raises(IncompleteError, match="9 records, its pages 6"):
        place.pull(Asked(("Lead",)))


def test_a_count_above_what_came_ends_the_pull(place: Place):
    place.leads(2)
    place.later()
    nine = json_response({"totalSize": 9, "done": True, "records": []})
    place.org.fail(r"COUNT\(\) FROM Lead WHERE SystemModstamp <", nine, nine)
    with pytest.raises(IncompleteError, match="counts 9 records of Lead and sent 2"):
        place.pull(Asked(("Lead",)))
    assert not place.marks.objects


def test_an_object_that_cannot_be_counted_is_said_so(place: Place):
    place.leads(2)
    place.org.fail(r"COUNT\(\) FROM Lead", *[refused(400, "QUERY_TIMEOUT")] * 2)
    report = place.pull(Asked(("Lead",)))
    assert [one.code for one in report.load.findings if one.code.startswith("org-")] == ["org-not-counted"]
    assert report.readings[0].method == "bulk"


def test_an_object_without_bulk_is_read_over_rest(place: Place):
    place.leads(9)
    place.org.fail("POST .*jobs/query", refused(400, "INVALIDENTITY"))
    place.later()
    assert place.pull(Asked(("Lead",))).readings[0].method == "rest"
    assert len(place.rows("Lead")) == 9


def test_a_pull_that_was_cut_short_goes_on_from_its_last_whole_page(place: Place):
    leads = place.leads(11)
    place.later()
    place.org.fail("locator=6", *[lost()] * TRIES)
    with pytest.raises(OrgUnreachableError, match="goes on where it stopped"):
        place.pull(Asked(("Lead",)))
    before = len(place.org.log)
    place.later(1)
    report = place.pull(Asked(("Lead",)))
    assert report.resumed
    again = [request.url for request in place.org.log[before:] if "results" in request.url]
    assert [url.partition("locator=")[2] for url in again] == ["6", "9"]
    assert [key for (key,) in place.rows("Lead")] == leads


class Killed(BaseException):
    """The process ends here."""


@pytest.mark.parametrize("at", range(0, 14, 4))
def test_a_kill_at_any_call_loses_and_doubles_nothing(at: int, place: Place):
    leads = place.leads(11)
    place.later()
    seen = 0

    def killing(request: object) -> None:
        nonlocal seen
        seen += 1
        if seen == at + 1:
            raise Killed

    place.org.on_send = killing
    with pytest.raises(Killed):
        place.pull(Asked(("Lead",)))
    place.org.on_send = lambda request: None
    place.pull(Asked(("Lead",)))
    assert [key for (key,) in place.rows("Lead")] == leads


@pytest.mark.parametrize("step", ["load", "write"])
def test_a_kill_between_load_and_mark(step: str, place: Place, monkeypatch: pytest.MonkeyPatch):
    leads = place.leads(3)
    place.later()

    def killed(*given: object, **named: object) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        if step == "load":
            patch.setattr(place.workspace.ledger, "load", killed)
        else:
            patch.setattr(marks, "write", killed)
            # The calls of a pull are noted before it is loaded.
            patch.setattr(type(place.workspace.org), "_staged", staged_without_note)
        with pytest.raises(Killed):
            place.pull()
    place.later()
    place.org.update("Lead", leads[0], Status="Won")
    place.later()
    place.pull()
    place.later()
    place.pull()
    assert place.rows("Lead", "Id, Status") == [(leads[0], "Won"), (leads[1], "Open"), (leads[2], "Open")]
    assert not [one for one in place.workspace.ledger.loads() if one.loaded_rows == 0 and one.coverage == "full"]


def staged_without_note(self: Any, session: Any, kept: Any, known: Any, asked: Any, heard: Any) -> Any:
    from leadline.sources.salesforce.pull import Pull

    return Pull(session, self._workspace.settings, self._workspace.folder, known, kept, heard, self.now).stage(asked)


def test_marks_without_their_ledger_do_not_count(place: Place):
    leads = place.leads(3)
    place.later()
    place.pull()
    (place.folder / "ledger.duckdb").unlink()
    for load in (place.folder / "loads").iterdir():
        for path in load.iterdir():
            path.unlink()
        load.rmdir()
    place.later()
    place.pull()
    assert [key for (key,) in place.rows("Lead")] == leads


def test_another_org_is_refused(place: Place):
    place.leads(1)
    place.later()
    place.pull()
    told = {"access_token": "t", "instance_url": INSTANCE, "id": f"{INSTANCE}/id/00D000000000009EAA/005"}
    place.org.valid_token = "t"
    place.org.fail("oauth2", json_response(told))
    with pytest.raises(SalesforceError, match="a workspace of its own"):
        place.pull()


def test_the_budget_of_calls_holds_over_a_day(place: Place):
    place.configure("api_share = 0.002\nbulk_from = 5")
    place.leads(2)
    place.later()
    report = place.pull(Asked(("Lead",)))
    assert report.usage.allowance == 30
    assert report.used_before is not None
    assert report.usage.used == report.used_before + report.usage.own - 1
    place.later(1)
    with pytest.raises(ApiLimitError, match="api_share"):  # noqa: PT012  # one of the next pulls uses the rest up
        for _ in range(4):
            place.pull(Asked(("Lead",)))
            place.later(1)
    # Asking for the limits themselves comes before the limit is known.
    assert place.marks.calls_since(place.org.now - dt.timedelta(days=1)) <= 30 + 2
    place.later(48)
    place.pull(Asked(("Lead",)))


def test_the_limit_of_the_org_ends_the_pull(place: Place):
    place.leads(2)
    place.org.fail("queryAll.*SELECT Id", refused(403, "REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded."))
    with pytest.raises(ApiLimitError, match="goes on where it stopped"):
        place.pull()


def test_objects_that_cannot_be_read_are_named(place: Place):
    place.leads(1)
    with pytest.raises(SalesforceError, match="Contact"):
        place.pull(Asked(("Contact",)))
    place.org.fields.clear()
    with pytest.raises(SalesforceError, match="leadline doctor"):
        place.pull()


def test_excluded_fields_are_not_asked_for(place: Place):
    place.configure('exclude = ["Lead.LastName"]')
    place.leads(1)
    place.pull()
    assert place.asked("LastName") == 0


def test_fields_of_the_settings_are_read(place: Place):
    place.org.add_field("Lead", "Rating__c", "string")
    place.configure(
        'custom_fields = false\n[funnel.people]\nstages = [{ name = "MQL", from = [{ object = "Lead", field = "Rating__c", '
        'values = ["hot"] }] }]'
    )
    place.org.add_field("Lead", "Other__c", "string")
    place.leads(1)
    place.later()
    place.pull()
    assert place.asked("Rating__c") > 0
    assert place.asked("Other__c") == 0


def test_late_commits_are_caught_by_the_overlap(place: Place):
    place.later()
    place.pull()
    late = place.org.insert("Lead", LastName="late", visible_after=29 * 60)
    place.later(0.25)
    place.pull()
    assert late not in [key for (key,) in place.rows("Lead")] if place.org.seen("Lead") else True
    place.later(0.5)
    place.pull()
    assert [key for (key,) in place.rows("Lead")] == [late]


def test_connecting_keeps_what_worked(place: Place):
    given = {"domain": "acme.my.salesforce.com", "flow": "client", "client_id": "new-key", "secrets": "file"}
    place.workspace.org.vault = None
    found = place.workspace.org.connect(given, {"client_secret": Secret("c4n4ry")})
    assert found == (ORG_ID, "005000000000001AAA")
    text = (place.folder / "leadline.toml").read_text(encoding="utf-8")
    assert "new-key" in text
    assert "c4n4ry" not in text
    assert json.loads((place.folder / ".secrets" / "salesforce.json").read_text())["client_secret"] == "c4n4ry"


def test_connecting_keeps_nothing_that_did_not_work(place: Place):
    place.workspace.org.vault = None
    before = (place.folder / "leadline.toml").read_text(encoding="utf-8")
    place.org.fail("oauth2", json_response({"error": "invalid_client"}, 401))
    given = {"domain": "acme.my.salesforce.com", "flow": "client", "client_id": "wrong", "secrets": "file"}
    with pytest.raises(LoginError, match="invalid_client"):
        place.workspace.org.connect(given, {"client_secret": Secret("c4n4ry")})
    assert (place.folder / "leadline.toml").read_text(encoding="utf-8") == before
    assert not (place.folder / ".secrets" / "salesforce.json").exists()


def test_a_workspace_without_login_says_so(place: Place):
    (place.folder / "leadline.toml").write_text("", encoding="utf-8")
    with pytest.raises(LoginError, match="leadline connect"):
        place.pull()
