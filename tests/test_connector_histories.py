"""Random histories of a double, pulled through random faults, kills and changes of its fields.

After each pull that ends well the mirror is the org, record by record and field by field; after each
other one it is what it was before. Each pull has a schedule of faults of its own. The one exception is the
documented one: formulas move without a stamp and are read again when their object is read whole.
"""

from __future__ import annotations

import datetime as dt
import random
from pathlib import Path
from typing import Any

import pytest

from leadline.config import SalesforceSettings, Settings
from leadline.errors import FieldsChangedError, SalesforceError
from leadline.schema import HISTORY_PARENT, OBJECTS, SYSTEM_STAMPS
from leadline.sources.salesforce.grants import Account, Login
from leadline.sources.salesforce.hosts import TEST_HOST
from leadline.sources.salesforce.pull import Asked
from leadline.sources.salesforce.session import Session
from leadline.sources.salesforce.waiting import Waiting
from leadline_double.faults import SURVIVABLE
from leadline_double.org import Org
from leadline_double.service import Service
from tests.connector_mirror import Mirror
from tests.connector_org import Drawer
from tests.connector_values import same
from tests.double.history import History
from tests.double.wire import Wire
from tests.scale import scaled

HOST = "localhost:8443"
PULLS = 4
FAULTS = sorted(SURVIVABLE - {"slow"} | {"job_failed", "daily", "query_timeout"})
MARGIN = dt.timedelta(minutes=SalesforceSettings().margin_minutes, seconds=1)
"""How long before the clock a window ends; moments of windows are whole seconds."""
LATEST_COMMIT = dt.timedelta(minutes=31)
"""Later no change of these histories shows; the overlap of a pull is longer."""
RESTORED = (218, 440)
"""Histories in which a pull breaks off while a record is deleted, and goes on after it was restored."""


class KilledError(BaseException):
    """The process ends here."""


class Shape:
    """An administrator at work on the fields of Lead: added, taken away, hidden, shown, of another type."""

    def __init__(self, org: Org, dice: random.Random) -> None:
        self.org, self.dice = org, dice
        org.add_field("Lead", "Extra__c", "double")
        org.add_formula(
            "Lead", "Count__c", lambda row, org: len(org.referring("CampaignMember", "LeadId", row["Id"])), "double"
        )

    def change(self) -> None:
        """One thing, if dice want it."""
        shape, there = self.org.objects["Lead"], "Extra__c" in self.org.objects["Lead"].fields
        deed = self.dice.choice(("nothing", "nothing", "field", "type", "hide", "show", "object"))
        if deed == "field" and there:
            self.org.remove_field("Lead", "Extra__c")
        elif deed == "field":
            self.org.add_field("Lead", "Extra__c", self.dice.choice(("double", "string")), default="7")
        elif deed == "type" and there:
            self.org.retype_field(
                "Lead", "Extra__c", "string" if shape.fields["Extra__c"].type == "double" else "double", float
            )
        elif deed == "hide":
            self.org.hide_field("Lead", self.dice.choice(("Company", "Title")))
        elif deed == "show":
            shape.hidden_fields.clear()
            self.org.hide_object("Task", hidden=False)
        elif deed == "object":
            self.org.hide_object("Task")


class Stand:
    """A double with a random past, and the way to it."""

    def __init__(self, seed: int, folder: Path) -> None:
        self.dice = random.Random(f"stand {seed}")
        self.seed, self.folder, self.org = seed, folder, Org()
        self.history, self.shape = History(self.org, seed), Shape(self.org, self.dice)
        self.service = Service(self.org, site=f"https://{HOST}")
        self.service.page_size = self.dice.choice((5, 50, 2000))
        self.wire = Wire(self.service)
        self.waiting = Waiting(sleep=lambda seconds: None, random=self.dice.random)
        self.settings = Settings(salesforce=SalesforceSettings(bulk_from=self.dice.choice((1, 10, 1000)), parallel=1))

    def session(self) -> Session:
        app = self.service.apps[0]
        account = Account("client", f"https://{HOST}", app.consumer_key)
        vault = Drawer(client_secret=app.consumer_secret)
        lock = self.folder / "login.lock"
        return Session(
            Login(account, vault, self.wire, lock_file=lock, waiting=self.waiting), self.wire, waiting=self.waiting
        )

    def live(self, number: int) -> None:
        """Some more of its past, a change of its fields now and then, and a schedule of faults."""
        self.history.run(self.dice.randrange(5, 40))
        self.shape.change()
        # Behind the margin, so that all that shows lies before the end of the window.
        self.org.clock.advance(minutes=self.dice.choice((3, 3, 40, 600)))
        self.service.faults.random(f"{self.seed} {number}", rate=self.dice.choice((0.02, 0.2, 0.4)), kinds=FAULTS)
        left = self.dice.randrange(1, 250) if self.dice.random() < 0.4 else 0

        def kill(request: object) -> None:
            nonlocal left
            left -= 1
            if left == 0:
                raise KilledError

        self.wire.on_send = kill

    def calm(self) -> None:
        """Nothing goes wrong any more, and nothing is still to be committed."""
        self.service.faults.clear()
        self.wire.on_send = lambda request: None
        self.org.clock.advance(seconds=int(LATEST_COMMIT.total_seconds()))


def differences(
    org: Org, rows: dict[str, dict[str, dict[str, Any]]], *, formulas: bool
) -> tuple[int, list[tuple[str, ...]]]:
    """Values compared, and each record or field in which the records are not the org's."""
    compared, found = 0, list[tuple[str, ...]]()
    for name in sorted(OBJECTS.keys() & org.objects.keys()):
        shape = org.objects[name]
        if shape.hidden:
            continue
        held, image = rows.get(name, {}), org.image(name)[name]
        fields = [one for one in shape.visible() if one in OBJECTS[name] and one not in SYSTEM_STAMPS]
        found += [(name, key, "lost") for key in image.keys() - held.keys()]
        for key in image.keys() & held.keys():
            compared += len(fields)
            found += [
                (name, key, one) for one in fields if not same(OBJECTS[name][one], held[key][one], image[key][one])
            ]
        gone = held.keys() - image.keys() if name not in HISTORY_PARENT else ()
        found += [(name, key, "left over") for key in gone if not held[key].get("IsDeleted")]
    compared += _custom(org, rows.get("Lead", {}), found, formulas=formulas)
    return compared, found


def _custom(org: Org, held: dict[str, dict[str, Any]], found: list[tuple[str, ...]], *, formulas: bool) -> int:
    names = ["Extra__c"] if "Extra__c" in org.objects["Lead"].fields else []
    names += ["Count__c"] if formulas else []
    for key, said in org.image("Lead")["Lead"].items():
        for name in names:
            text = held.get(key, {}).get(name)
            value = None if said[name] in (None, "") else f"{float(said[name]):g}"
            if (None if text is None else f"{float(text):g}") != value:
                found.append(("Lead", key, name))
    return len(held) * len(names)


@pytest.mark.parametrize("seed", sorted({*range(scaled(450)), *RESTORED}))
def test_the_mirror_is_the_org_or_what_it_was(seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv(TEST_HOST, HOST)
    stand = Stand(seed, tmp_path)
    mirror = Mirror(stand.session, stand.org.clock.now, tmp_path)
    compared = 0
    for number in range(PULLS):
        stand.live(number)
        try:
            whole = fresh(stand, mirror, Asked())
        except FieldsChangedError:
            stand.calm()
            whole = fresh(stand, mirror, Asked(accept_changes=True))
        except (SalesforceError, KilledError):
            continue
        more, found = differences(stand.org, mirror.rows, formulas=whole.get("Lead", False))
        assert not found
        compared += more
    stand.calm()
    fresh(stand, mirror, Asked(accept_changes=True, full=True))
    more, found = differences(stand.org, mirror.rows, formulas=True)
    assert not found
    assert compared + more > 500


def fresh(stand: Stand, mirror: Mirror, asked: Asked) -> dict[str, bool]:
    """Pull; a pull that goes on with an earlier one ends where that one would have, and another follows."""
    while True:
        marks = mirror.marks
        try:
            whole = mirror.pull(stand.settings, asked)
        except (SalesforceError, KilledError):
            assert mirror.marks is marks
            raise
        assert mirror.marks.load is not None
        if mirror.marks.load >= stand.org.clock.now() - MARGIN:
            return whole
