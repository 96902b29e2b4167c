"""What a restricted reader sees: their own records, everywhere the same, and nothing of the rest (S15, S16)."""

from __future__ import annotations

import csv
import datetime as dt
import io
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import httpx
import pyarrow.compute as pc
import pytest

from leadline.errors import UsageError
from leadline.metrics.records import sees, visible
from leadline.web.access.masking import masked, stand_in
from leadline.web.access.who import Principal
from leadline.workspace.asking import HELD_TO_RECORDS
from tests.demo_workspace import Demo, imported
from tests.web.served import ACCOUNTS, Served, served

GOOD = "seventeen herons at dusk"
PEOPLE = 400
DATA_DRIVEN = ["first", "even", "markov", "shapley_rate"]


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Demo:
    return imported(tmp_path_factory.mktemp("org"), people=PEOPLE, seed=11)


@pytest.fixture(scope="module")
def owner(demo: Demo) -> str:
    """The owner of most opportunities."""
    rows = demo.workspace.metrics.volume(unit="opportunities", by=["owner"], view="cohort").table.to_pylist()
    return max(rows, key=lambda row: (row["count"], row["owner"]))["owner"]


@pytest.fixture(scope="module")
def country(demo: Demo) -> str:
    rows = [row for row in demo.workspace.metrics.volume(by=["country"]).table.to_pylist() if row["country"]]
    return max(rows, key=lambda row: (row["count"], row["country"]))["country"]


@pytest.fixture(scope="module")
def deals_of(demo: Demo, owner: str) -> dict[bool, set[str]]:
    """Opportunities by whether they are the owner's, read from the files of the org."""
    files = demo.workspace.folder.parent / "files"
    with (files / "User.csv").open(newline="", encoding="utf-8") as lines:
        ids = {row["Id"] for row in csv.DictReader(lines) if f"{row['FirstName']} {row['LastName']}".strip() == owner}
    found: dict[bool, set[str]] = {True: set(), False: set()}
    with (files / "Opportunity.csv").open(newline="", encoding="utf-8") as lines:
        for row in csv.DictReader(lines):
            found[row["OwnerId"] in ids].add(row["Id"])
    assert found[True]
    assert found[False]
    return found


@pytest.fixture(scope="module")
def site(demo: Demo, owner: str, country: str) -> Iterator[Served]:
    with served(demo.workspace, ACCOUNTS) as running:
        accounts = running.site.accounts
        accounts.add("all", "admin", GOOD)
        accounts.add("of-owner", "analyst", GOOD, {"owner": owner})
        accounts.add("of-country", "analyst", GOOD, {"country": country})
        accounts.add("masked", "viewer", GOOD)
        yield running


@pytest.mark.parametrize(
    "name", sorted(HELD_TO_RECORDS - {"deal_credit", "models", "formulas", "influence", "pipeline"})
)
def test_a_restricted_answer_is_that_of_the_filter(demo: Demo, country: str, name: str) -> None:
    metrics = demo.workspace.metrics
    quarter = {"start": dt.date(2026, 1, 1), "end": dt.date(2026, 4, 1)}
    extra: dict[str, Any] = quarter if name in ("comparison", "conversion_change") else {}
    extra |= {"by": ["lead_source"]} if name == "conversion_change" else {}
    held = getattr(metrics.restricted({"country": country}), name)(**extra)
    asked = getattr(metrics, name)(where={"country": country}, **extra)
    whole = getattr(metrics, name)(**extra)
    assert held.table.equals(asked.table)
    assert held.totals == asked.totals
    if whole.table.num_rows:
        assert not held.table.equals(whole.table)
    assert held.filters["country"] == country
    assert not held.lineage


def test_a_deal_has_the_same_shares_for_a_restricted_reader(
    demo: Demo, owner: str, deals_of: dict[bool, set[str]]
) -> None:
    metrics = demo.workspace.metrics
    whole = metrics.influence(models=DATA_DRIVEN).records().table
    own = metrics.restricted({"owner": owner}).influence(models=DATA_DRIVEN).records().table
    kept = whole.filter(pc.is_in(whole["opportunity_id"], value_set=own["opportunity_id"].combine_chunks()))
    columns = ["model", "opportunity_id", "campaign_id", "unit_id", "amount", "bucket"]
    columns = [name for name in columns if name in whole.column_names]
    order = [(name, "ascending") for name in columns]
    assert own.num_rows > 0
    assert own.select(columns).sort_by(order).equals(kept.select(columns).sort_by(order))
    assert set(own["opportunity_id"].to_pylist()) <= deals_of[True]


def test_what_counts_more_than_records_is_refused(demo: Demo, country: str) -> None:
    metrics = demo.workspace.metrics
    held = metrics.restricted({"country": country})
    members = {name: one for part in type(metrics).__mro__ for name, one in vars(part).items()}
    names = {name for name, one in members.items() if hasattr(one, "__wrapped__")}
    assert names > HELD_TO_RECORDS
    for name in sorted(names - HELD_TO_RECORDS):
        with pytest.raises(UsageError, match="not shown to you"):
            getattr(held, name)()
    with pytest.raises(UsageError, match="Only country"):
        held.volume(where={"country": "Elsewhere"})
    with pytest.raises(UsageError, match="Only country"):
        held.restricted({"owner": "x"}).volume(where={"country": ""})


def test_a_deal_of_somebody_else_is_not_there(demo: Demo, owner: str, deals_of: dict[bool, set[str]]) -> None:
    opened = demo.open()
    every = sorted(deals_of[True] | deals_of[False])
    assert visible(opened.held_to({"owner": owner}), "opportunities", every) == deals_of[True] & set(
        opened.arrow(opened["deals"].select("opportunity_id"))["opportunity_id"].to_pylist()
    )
    assert visible(opened, "opportunities", every) == set(every)
    held = demo.workspace.metrics.restricted({"owner": owner})
    amounts = opened.arrow(opened["deals"].select("opportunity_id", "amount_state")).to_pylist()
    known = {row["opportunity_id"] for row in amounts if row["amount_state"] == "known"}
    mine, other = min(deals_of[True] & known), min(deals_of[False] & known)
    assert sees(opened, {"owner": owner}, "opportunities", mine)
    assert not sees(opened, {"owner": owner}, "opportunities", other)
    assert held.deal_credit(mine).table.equals(demo.workspace.metrics.deal_credit(mine).table)
    with pytest.raises(UsageError, match="There is no opportunity"):
        held.deal_credit(other)


def test_page_list_export_explanation_and_link_agree(site: Served, deals_of: dict[bool, set[str]]) -> None:
    reader = site.signed_in("of-owner", GOOD)
    address = "volume?unit=opportunities&view=cohort"
    told = quote(address, safe="")
    rows = list(csv.DictReader(io.StringIO(reader.get(f"/export/csv?address={told}").text)))
    first = rows[0]
    cell = quote(f"{address}#count@stage={first['stage']}", safe="")
    listed = list(csv.DictReader(io.StringIO(reader.get(f"/export/csv?address={cell}&records=1").text)))
    assert len(listed) == int(first["count"]) > 0
    assert {row["opportunity_id"] or row["unit_id"] for row in listed} <= deals_of[True]
    for page in ("/records", "/explain"):
        answer = reader.get(f"{page}?address={cell}")
        assert answer.status_code == 200, answer.text[:2000]
        text = re.sub(r"<[^>]+>", " ", answer.text)
        assert re.search(rf"\b{int(first['count']):,}\b", text), page
        assert not [one for one in deals_of[False] if one in answer.text]
    made = reader.get(f"/share?page={quote(f'/records?address={cell}', safe='')}")
    form = {
        "csrf": re.findall(r'name="csrf" value="([^"]+)"', made.text)[-1],
        "page": f"/records?address={cell}",
        "days": "3",
    }
    link = re.search(r'value="(http[^"]+/s/[^"]+)"', reader.post("/share", data=form).text)
    assert link
    stranger = site.client()
    opened = stranger.get(link.group(1))
    assert opened.status_code == 200
    assert re.search(rf"\b{int(first['count']):,}\b", re.sub(r"<[^>]+>", " ", opened.text))
    assert not [one for one in deals_of[False] if one in opened.text]
    # The link opens that page and no other.
    assert stranger.get(f"/records?address={cell}").status_code == 401
    assert stranger.get(link.group(1) + "?address=volume").status_code == 403


def some_ids(demo: Demo, deals_of: dict[bool, set[str]]) -> tuple[str, str]:
    opened = demo.open()
    there = set(opened.arrow(opened["deals"].select("opportunity_id"))["opportunity_id"].to_pylist())
    return min(deals_of[True] & there), min(deals_of[False] & there)


def test_nobody_reaches_a_record_of_others_by_its_id(site: Served, demo: Demo, deals_of: dict[bool, set[str]]) -> None:
    own, other = some_ids(demo, deals_of)
    reader, everybody = site.signed_in("of-owner", GOOD), site.signed_in("all", GOOD)
    paths = {
        "/deal/{}": True,
        "/search?q={}": False,
        f"/records?address={quote('deal_credit?opportunity=', safe='')}{{}}": None,
        f"/export/csv?address={quote('deal_credit?opportunity=', safe='')}{{}}": None,
        f"/export/json?address={quote('influence?by=opportunity&where=opportunity=', safe='')}{{}}": None,
        f"/export/csv?address={quote('salesforce?opportunity=', safe='')}{{}}": None,
        f"/export/csv?address={quote('suggested_roles?opportunity=', safe='')}{{}}": None,
    }
    for pattern, is_page in paths.items():
        answer = reader.get(pattern.format(other))
        assert answer.status_code < 500
        if is_page:
            assert answer.status_code == 404
            assert reader.get(pattern.format(own)).status_code == 200
            assert everybody.get(pattern.format(other)).status_code == 200
        elif answer.status_code == 200:
            name = everybody.get(f"/deal/{other}").text
            title = re.search(r"<h1[^>]*>([^<]+)<", name)
            assert title
            assert title.group(1).strip() not in answer.text.replace(other, "")


def test_a_masked_reader_sees_no_id_of_a_person(site: Served, demo: Demo) -> None:
    opened = demo.open()
    people = opened.arrow(opened["person_records"].select("record_id", "person_id"))
    ids = {*people["record_id"].to_pylist(), *people["person_id"].to_pylist()}
    reader, everybody = site.signed_in("masked", GOOD), site.signed_in("all", GOOD)
    shown = 0
    for address in ("volume", "fates", "velocity?stuck=true", "influence"):
        path = f"/export/csv?address={quote(address, safe='')}" + ("" if "stuck" in address else "&records=1")
        hidden, whole = reader.get(path), everybody.get(path)
        assert (hidden.status_code, whole.status_code) == (200, 200)
        assert not [one for one in ids if one in hidden.text], path
        shown += any(one in whole.text for one in ids)
    assert shown == 4
    assert not [one for one in ids if one in reader.get("/records?address=volume").text]


def test_a_masked_reader_sees_no_statement_behind_a_number(site: Served) -> None:
    path = f"/explain?address={quote('volume#count@stage=MQL', safe='')}"
    hidden, whole = (site.signed_in(name, GOOD).get(path).text for name in ("masked", "all"))
    assert "SELECT" in whole
    assert "SELECT" not in hidden


def test_stand_ins_tell_persons_apart(demo: Demo) -> None:
    result = demo.workspace.metrics.volume().records()
    hidden = masked(result, Principal("x"))
    assert masked(result, Principal("x", masked=False)) is result
    pairs = set(zip(result.table["person_id"].to_pylist(), hidden.table["person_id"].to_pylist(), strict=True))
    assert len({new for _, new in pairs}) == len({old for old, _ in pairs}) == len(pairs)
    assert all(new is None if old is None else new == stand_in(old) for old, new in pairs)
    assert hidden.table.num_rows == result.table.num_rows


def test_a_changed_account_changes_its_links(site: Served, owner: str) -> None:
    accounts = site.site.accounts
    accounts.add("mover", "analyst", GOOD)
    who = accounts.principal("mover", "account")
    assert who is not None
    link = site.site.links.make(who, "/funnel", 2)

    def status(client: httpx.Client, path: str) -> int:
        return client.get(path).status_code

    stranger = site.client()
    assert status(stranger, link) == 200
    assert status(stranger, link[:-1] + ("A" if link[-1] != "A" else "B")) == 403
    assert status(stranger, link.replace("/s/", "/s/x")) == 403
    opened = site.site.links.open(link.removeprefix("/s/"))
    assert opened is not None
    assert (opened.role, opened.records, opened.scope) == ("viewer", {}, "/funnel")
    accounts.change("mover", records={"owner": owner}, masked=True)
    tightened = site.site.links.open(link.removeprefix("/s/"))
    assert tightened is not None
    assert (tightened.records, tightened.masked) == ({"owner": owner}, True)
    site.clock.ahead = 2 * 86_400 + 1
    assert status(stranger, link) == 403
    site.clock.ahead = 0
    accounts.change("mover", disabled=True)
    assert status(stranger, link) == 403
    accounts.change("mover", disabled=False)
    assert status(stranger, link) == 200
    made = link.removeprefix("/s/").partition(".")[0]
    with pytest.raises(UsageError):
        site.site.links.revoke(made, Principal("somebody", "analyst"))
    site.site.links.revoke(made, who)
    assert status(stranger, link) == 403
    for scope in ("//evil.example/x", "https://evil.example", "/s/x", "/login", "/logout", "funnel", "/\\evil"):
        with pytest.raises(UsageError):
            site.site.links.make(who, scope)
    for days in (0, -1, 366):
        with pytest.raises(UsageError):
            site.site.links.make(who, "/funnel", days)
