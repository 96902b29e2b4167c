"""The connector against the test double over real HTTPS: made from the same documents by others than the connector.

Random histories of an org, pulled several times with faults on the way; then every record and field
of the ledger is compared with the double's own image of the org.
"""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from leadline import workspace
from leadline.config import parse
from leadline.errors import LoginError
from leadline.schema import HISTORY_PARENT, OBJECTS, SYSTEM_STAMPS
from leadline.sources.salesforce.hosts import TEST_HOST
from leadline.sources.salesforce.transport import HttpTransport
from leadline.sources.salesforce.vault import Secret
from leadline.sources.salesforce.waiting import Waiting
from leadline.workspace import Workspace
from leadline_double.org import Org
from leadline_double.server import Double, key_pair, serve
from tests.connector_org import Drawer
from tests.connector_values import same
from tests.double.history import History
from tests.scale import costly

LONGEST_PAUSE = 0.01
"""Seconds of a pause between tries here; what matters is that there is one, not how long."""


@pytest.fixture
def double(monkeypatch: pytest.MonkeyPatch) -> Iterator[Double]:
    with serve(Org()) as running:
        monkeypatch.setenv(TEST_HOST, running.url.removeprefix("https://"))
        monkeypatch.setenv("SSL_CERT_FILE", str(running.ca_file))
        yield running


@pytest.fixture
def place(double: Double, tmp_path: Path) -> Iterator[Workspace]:
    made = workspace.create(tmp_path)
    text = f'[salesforce]\nflow = "client"\ndomain = "{double.url}"\nclient_id = "{double.app.consumer_key}"\nbulk_from = 20\n'
    (tmp_path / "leadline.toml").write_text(text, encoding="utf-8")
    transport = HttpTransport()
    made.org.transport, made.org.vault = transport, Drawer(client_secret=double.app.consumer_secret)
    made.org.now = double.org.clock.now
    made.org.waiting = Waiting(sleep=lambda seconds: time.sleep(min(seconds, LONGEST_PAUSE)))
    yield made
    transport.close()


def differences(made: Workspace, org: Org) -> tuple[int, list[tuple[str, ...]]]:
    """Values compared, and each record or field in which the ledger is not the org."""
    compared, found = 0, list[tuple[str, ...]]()
    with duckdb.connect() as con:
        made.ledger.attach(con)
        for name in sorted(OBJECTS.keys() & org.objects.keys()):
            image = org.image(name)[name]
            cursor = con.execute(f'SELECT * FROM src."{name}"') if _has(con, name) else None
            columns = [one[0] for one in cursor.description] if cursor and cursor.description else []
            rows = {
                one["Id"]: one
                for row in (cursor.fetchall() if cursor else [])
                for one in [dict(zip(columns, row, strict=True))]
            }
            for key, said in image.items():
                if key not in rows:
                    found.append((name, key, "lost"))
                    continue
                fields = [one for one in OBJECTS[name] if one in said and one in columns and one not in SYSTEM_STAMPS]
                compared += len(fields)
                found += [(name, key, one) for one in fields if not same(OBJECTS[name][one], rows[key][one], said[one])]
            gone = rows.keys() - image.keys() if name not in HISTORY_PARENT else ()
            found += [(name, key, "left over") for key in gone if not rows[key].get("IsDeleted")]
    return compared, found


def _has(con: duckdb.DuckDBPyConnection, name: str) -> bool:
    return con.execute('SELECT count(*) FROM src._columns WHERE "object" = ?', [name]).fetchall() != [(0,)]


@pytest.mark.parametrize("seed", range(1, 1 + costly(10)))
def test_the_ledger_equals_the_org(seed: int, double: Double, place: Workspace):
    history = History(double.org, seed)
    for step in range(2):
        with double.org.lock:
            history.run(70)
        double.faults.random(seed=f"{seed} {step}", rate=0.15)
        place.org.pull(build=False)
    assert double.faults.log
    double.faults.clear()
    # Whatever is still to be committed is by then, and lies within the overlap.
    double.org.clock.advance(minutes=50)
    place.org.pull(build=False)
    compared, found = differences(place, double.org)
    assert not found
    assert compared > 1000


def test_every_login_works_over_the_wire(double: Double, tmp_path: Path):
    key = tmp_path / "key.pem"
    key.write_bytes(key_pair().private)
    key.chmod(0o600)
    app, given = double.app, {"domain": double.url, "client_id": double.app.consumer_key, "secrets": "file"}
    refresh = double.service.tokens.refresh_token_for(app)
    logins: list[tuple[dict[str, str], dict[str, Secret]]] = [
        ({"flow": "client"}, {"client_secret": Secret(app.consumer_secret)}),
        ({"flow": "jwt", "user": double.org.user_name, "key_file": str(key)}, {}),
        ({"flow": "refresh"}, {"refresh_token": Secret(refresh)}),
    ]
    for number, (flow, secrets) in enumerate(logins):
        made = workspace.create(tmp_path / str(number))
        org, _ = made.org.connect(given | flow, secrets)
        assert org == double.org.organization_id
        assert parse((made.folder / "leadline.toml").read_bytes()).salesforce.flow == flow["flow"]
    made = workspace.create(tmp_path / "wrong")
    with pytest.raises(LoginError, match="refused the login"):
        made.org.connect(given | {"flow": "client"}, {"client_secret": Secret("wrong")})


def test_doctor_sees_the_org(double: Double, place: Workspace, tmp_path: Path):
    double.org.create("Campaign", Name="Fair", IsActive=True)
    double.org.hide_field("Lead", "Email")
    double.org.hide_object("Contact")
    found = {one.name: one for one in place.org.doctor(tmp_path / "seen.json").checks}
    assert (found["Contact"].state, found["Campaign"].state) == ("refuted", "confirmed")
    assert "Email" in found["Lead"].remedy
    assert (found["moments in bulk results"].state, found["currencies"].state) == ("confirmed", "confirmed")
    assert "Fair" not in (tmp_path / "seen.json").read_text(encoding="utf-8")


def test_children_of_a_record_that_was_merged_and_purged_between_two_pulls(double: Double, place: Workspace):
    """The loser is gone with its link to the winner, and no stamp tells that its children have moved."""
    org = double.org
    org.track("Lead", "Status")
    master, loser = (org.create("Lead", LastName=name, Company="C", Status="Open") for name in ("winner", "loser"))
    org.create("CampaignMember", CampaignId=org.create("Campaign", Name="Fair"), LeadId=loser, Status="Sent")
    org.update("Lead", loser, Status="Working")
    org.clock.advance(hours=3)
    place.org.pull(build=False)
    org.merge("Lead", master, loser)
    org.purge(loser)
    org.clock.advance(minutes=5)
    pulled = place.org.pull(build=False)
    assert {one.plan.name: one.purged for one in pulled.readings}["Lead"] == 1
    compared, found = differences(place, org)
    assert not found
    assert compared > 0
    assert {row["LeadId"] for row in org.live("LeadHistory")} == {master}


def test_the_time_of_the_org_counts_not_that_of_the_machine(double: Double, place: Workspace):
    double.org.create("Lead", LastName="A", Company="C", Status="Open")
    double.org.clock.advance(hours=3)
    place.org.now = lambda: double.org.clock.now() + dt.timedelta(days=100)
    place.org.pull(build=False)
    double.org.clock.advance(hours=3)
    read = {one.plan.name: one for one in place.org.pull(build=False).readings}
    assert (read["Lead"].plan.whole, read["Lead"].rows) == (False, 0)
    assert {one.name: one.state for one in place.org.doctor().checks}["list of deleted records"] == "confirmed"


class Heard:
    """A progress that keeps what it hears."""

    def __init__(self) -> None:
        self.ended: dict[str, tuple[int, int | None, int]] = {}
        self.under_way: list[tuple[str, int]] = []

    def begin(self, step: str, total: int | None = None, unit: str = "rows") -> None:
        """Not of interest here."""

    def advance(self, count: int = 1) -> None:
        """Not of interest here."""

    def part(self, name: str, done: int, total: int | None, calls: int, *, ended: bool) -> None:
        """Keep the last word on a part, and each one before."""
        if ended:
            self.ended[name] = (done, total, calls)
        else:
            self.under_way.append((name, done))


def test_a_pull_tells_how_far_each_object_is(double: Double, place: Workspace):
    for number in range(45):
        double.org.create("Lead", LastName=f"L{number}", Company="C", Status="Open")
    double.org.clock.advance(hours=3)
    double.service.page_size = 20
    (place.folder / "leadline.toml").write_text(
        (place.folder / "leadline.toml").read_text(encoding="utf-8").replace("bulk_from = 20", "bulk_from = 1000"),
        encoding="utf-8",
    )
    heard = Heard()
    served = double.service.limits.used
    report = place.org.pull(build=False, progress=heard)
    # Three pages, and the count behind them.
    assert heard.ended["Lead"] == (45, 45, 4)
    assert [done for name, done in heard.under_way if name == "Lead"][-3:] == [20, 40, 45]
    assert heard.ended.keys() == {one.plan.name for one in report.readings}
    assert sum(calls for _, _, calls in heard.ended.values()) < double.service.limits.used - served
