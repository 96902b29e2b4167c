"""Every view with every grain, unit and dimension: parts add up to the whole, and the list is the number.

A tenth of the combinations in `make test`, all of them at full scale; the whole of each view and unit is proved by
hand-written SQL in tests/cases.
"""

from __future__ import annotations

import datetime as dt
import itertools
import random
from collections import Counter
from functools import cache
from typing import Any

import pytest

from leadline.dates import GRAINS
from leadline.metrics.query import UNITS, Query
from leadline.metrics.volume import VIEWS, volume
from leadline.model.opened import Opened
from tests.agreement.engine import built
from tests.demo_workspace import Demo, imported
from tests.oracle.tiny import Tiny
from tests.scale import scaled

DIMENSIONS: tuple[tuple[str, ...], ...] = (
    (),
    ("campaign",),
    ("campaign_type",),
    ("campaign_parent",),
    ("lead_source",),
    ("generated_by",),
    ("campaign_type", "lead_source"),
)
EVERY = list(itertools.product(VIEWS, UNITS, (None, *GRAINS), DIMENSIONS))
SAMPLE = random.Random(20).sample(EVERY, min(len(EVERY), scaled(len(EVERY))))
SUMS = ("count", "amount", "implied", "re_entries", "regressions", "requalifications")
LAST_DAYS = 100
"""Days of the standing series: each day of two years would be 40,000 rows of the same."""


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Opened:
    demo: Demo = imported(tmp_path_factory.mktemp("grid"), people=300, seed=8)
    return demo.open()


def rows(opened: Opened, view: str, unit: str, grain: str | None, by: tuple[str, ...]) -> tuple[dict[str, Any], ...]:
    """Rows of one question, its list checked on the way."""
    start = opened.moment.date() - dt.timedelta(days=LAST_DAYS) if view == "standing" else None
    result = volume(opened, Query(by=by, unit=unit, grain=grain, start=start), view=view)
    found = result.table.to_pylist()
    listed = Counter(place(row, by) for row in result.records().table.to_pylist())
    assert listed == Counter({place(row, by): row["count"] for row in found if row["count"]})
    return tuple(found)


def place(row: dict[str, Any], by: tuple[str, ...]) -> tuple:
    """Dimensions, period and stage."""
    return (*[row[name] for name in by], row["period"], row["stage"])


def sums(found: tuple[dict[str, Any], ...], *keys: str) -> dict[tuple, Counter[str]]:
    """Values of some columns → the sums of the others."""
    added: dict[tuple, Counter[str]] = {}
    for row in found:
        own = added.setdefault(tuple(row[key] for key in keys), Counter())
        own.update({name: row[name] or 0 for name in SUMS})
    return {key: one for key, one in added.items() if any(one.values())}


@cache
def whole(opened_id: int, view: str, unit: str, grain: str | None) -> tuple[dict[str, Any], ...]:
    """The same without dimensions, asked once."""
    return rows(_OPENED[opened_id], view, unit, grain, ())


_OPENED: dict[int, Opened] = {}


@pytest.mark.parametrize(("view", "unit", "grain", "by"), SAMPLE)
def test_parts_add_up(opened: Opened, view: str, unit: str, grain: str | None, by: tuple[str, ...]) -> None:
    _OPENED[id(opened)] = opened
    found = rows(opened, view, unit, grain, by)
    total = whole(id(opened), view, unit, grain)
    assert sums(found, "period", "stage") == sums(total, "period", "stage")
    if view != "standing":
        assert sums(found, "stage") == sums(whole(id(opened), view, unit, None), "stage")
    else:
        last = total[-1]["period"] if total else None
        now = whole(id(opened), view, unit, None)
        assert sums(tuple(row for row in total if row["period"] == last), "stage") == sums(now, "stage")


def test_an_account_is_as_far_as_its_furthest_journey() -> None:
    """Two people of one account, one at MQL, one at SQL by an open deal; and one person without account."""
    org = Tiny()
    org.contact("C1", AccountId="A", MQL_Date__c=dt.date(2024, 3, 10))
    org.contact("C2", AccountId="A", MQL_Date__c=dt.date(2024, 3, 4))
    org.contact("C3", AccountId=None, MQL_Date__c=dt.date(2024, 3, 5))
    for name in ("C1", "C2", "C3"):
        org.member(f"m{name}", name, "2024-03-01T10:00")
    org.deal("O", "2024-03-20T10:00")
    org.role("C2", "O", "2024-03-20T10:00")
    opened = built(org.org, org.settings, dt.datetime(2024, 4, 1, tzinfo=dt.UTC))
    standing = volume(opened, Query(unit="accounts"), view="standing")
    assert [(row["stage"], row["count"]) for row in standing.table.to_pylist()] == [("SQL", 1)]
    assert "1 person without account: outside." in standing.notes
    entered = volume(opened, Query(unit="accounts", grain="day")).table.to_pylist()
    assert [(row["stage"], row["period"]) for row in entered if row["count"]] == [
        ("Inquiry", "2024-03-01"),
        ("MQL", "2024-03-04"),
        ("SQL", "2024-03-20"),
    ]


def test_what_no_journey_holds_is_said_with_every_table_of_people() -> None:
    org = Tiny()
    org.contact("C1", created="2024-03-01T00:00")
    org.member("m1", "C1", "2024-03-02T10:00")
    org.deal("alone", "2024-03-20T10:00", amount="12.50")
    org.deal("older than its person", "2024-02-01T10:00", amount="40")
    org.role("C1", "older than its person", "2024-03-20T10:00")
    opened = built(org.org, org.settings, dt.datetime(2024, 4, 1, tzinfo=dt.UTC))
    said = [
        "1 opportunity (12.50) without a person: not in this funnel.",
        "1 opportunity (40.00) attached only, to people who came after their creation: not in this funnel.",
    ]
    for unit in ("journeys", "people", "responses", "accounts"):
        assert volume(opened, Query(unit=unit)).notes[:2] == tuple(said), unit
    assert not set(said) & set(volume(opened, Query(unit="opportunities")).notes)
