"""Personal data is hidden from masked readers by every door, and what is hidden keeps its meaning (S15, S16)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import quote

import httpx
import pytest

from leadline.web.access.who import Principal
from leadline.web.pages.exports import TYPES
from tests.demo_workspace import Demo, imported
from tests.web.served import ACCOUNTS, Served, served

GOOD = "seventeen herons at dusk"
STUCK = "velocity?stuck=true"
QUESTIONS = (STUCK, "fates", "suggested_roles", "problems")
BOARD = f'title = "Weekly"\n\n[[cards]]\nask = "volume"\n\n[[cards]]\nask = "{STUCK}"\n'
STAND_IN = re.compile(r"person [0-9a-f]{10}")

# Every page with rows of its own, beside those made of questions below.
PAGES = (
    "/",
    "/funnel",
    "/velocity",
    "/influence",
    "/trust",
    "/trust/diff?before=previous&after=current&show=records",
    "/boards",
    "/boards/weekly",
    f"/boards/add?ask={quote(STUCK)}",
    "/definitions",
    "/data",
    "/models",
    "/records?address=volume",
    "/records?address=velocity%3Fstuck%3Dtrue",
)


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Demo:
    made = imported(tmp_path_factory.mktemp("org"), people=400, seed=11)
    boards = made.workspace.folder / "boards"
    boards.mkdir(exist_ok=True)
    (boards / "weekly.toml").write_text(BOARD, encoding="utf-8")
    made.workspace.build()
    return made


@pytest.fixture(scope="module")
def site(demo: Demo) -> Iterator[Served]:
    with served(demo.workspace, ACCOUNTS) as running:
        running.site.accounts.add("masked", "viewer", GOOD)
        running.site.accounts.add("all", "admin", GOOD)
        yield running


@pytest.fixture(scope="module")
def ids(demo: Demo) -> frozenset[str]:
    """Ids of persons and of their records, in 15 characters: so the longer ones are found too."""
    opened = demo.open()
    people = opened.arrow(opened["person_records"].select("record_id", "person_id"))
    return frozenset(value[:15] for name in people.column_names for value in people[name].to_pylist())


def quoted(ids: frozenset[str], answer: httpx.Response) -> set[str]:
    """The ids that an answer shows."""
    return {word[:15] for word in re.findall(r"[A-Za-z0-9]{15,18}", answer.text)} & ids


def addresses(demo: Demo) -> list[str]:
    """Pages, whole tables, charts, explanations and files of questions whose rows are persons."""
    codes = demo.workspace.audit.table().table["code"].to_pylist()
    opened = demo.open()
    deals = opened.arrow(opened["deals"].select("opportunity_id").order_by("opportunity_id").limit(12))
    told = [quote(one, safe="") for one in QUESTIONS]
    return [
        *PAGES,
        *(f"/table?address={one}" for one in told),
        *(f"/export/{ending}?address={one}" for one in told for ending in TYPES if ending != "xlsx"),
        *(f"/explain?address={quote(one, safe='')}" for one in numbers(demo)),
        f"/chart/stuck.svg?address={told[0]}",
        *(f"/trust/finding/{code}{file}" for code in codes for file in ("", "/records.csv")),
        *(f"/deal/{one}" for one in deals["opportunity_id"].to_pylist()),
    ]


def numbers(demo: Demo) -> list[str]:
    """Addresses of a count and of the age of one person who is stuck."""
    listed = demo.workspace.metrics.ask(STUCK)
    return ["volume#count@stage=MQL", str(listed.address(0, "age_days"))]


def test_no_door_shows_a_masked_reader_the_id_of_a_person(site: Served, demo: Demo, ids: frozenset[str]) -> None:
    hidden, whole = site.signed_in("masked", GOOD), site.signed_in("all", GOOD)
    told, telling = [], 0
    for address in addresses(demo):
        answer = hidden.get(address)
        assert answer.status_code == 200, (address, answer.status_code, answer.text[:300])
        if quoted(ids, answer):
            told.append((address, sorted(quoted(ids, answer))[:3]))
        telling += bool(quoted(ids, whole.get(address)))
    assert not told, "\n".join(map(str, told))
    assert telling >= 12, "those addresses name persons to a reader who may see them"


def test_stand_ins_lead_nowhere_and_ids_lead_to_the_person(site: Served) -> None:
    hidden, whole = (site.signed_in(name, GOOD).get("/velocity").text for name in ("masked", "all"))
    assert STAND_IN.search(hidden)
    assert "/journey/" not in hidden
    assert "/journey/" in whole


def test_a_person_has_one_stand_in_on_all_pages(site: Served) -> None:
    reader = site.signed_in("masked", GOOD)
    table, page = (
        set(STAND_IN.findall(reader.get(path).text))
        for path in (f"/table?address={quote(STUCK, safe='')}", "/velocity")
    )
    assert page
    assert page <= table


def test_the_explanation_of_a_masked_reader_keeps_its_heading(site: Served) -> None:
    path = f"/explain?address={quote('volume#count@stage=MQL', safe='')}"
    for name in ("masked", "all"):
        head = re.search(r'class="panel-head"><p class="k">([^<]*)<', site.signed_in(name, GOOD).get(path).text)
        assert head
        assert "MQL" in head[1], name


def test_deals_of_others_take_no_place_in_a_search(site: Served, demo: Demo) -> None:
    """A restricted reader finds as many deals as there are for them, however many of others sort before."""
    opened = demo.open()
    deals = opened.arrow(opened["deals"].select("opportunity_id", "opportunity")).to_pylist()
    word = "a"
    matching = {row["opportunity_id"] for row in deals if word in (row["opportunity"] or "").casefold()}
    rows = demo.workspace.metrics.volume(unit="opportunities", by=["owner"], view="cohort").table.to_pylist()
    owners = sorted({row["owner"] for row in rows if row["owner"]})
    assert len(owners) > 2
    seen: dict[str, set[str]] = {}
    for at, owner in enumerate(owners):
        site.site.accounts.add(f"of-{at}", "analyst", GOOD, {"owner": owner})
        text = site.signed_in(f"of-{at}", GOOD).get(f"/search?q={word}").text
        seen[owner] = set(re.findall(r"/deal/(\w+)", text))
        own = demo.workspace.metrics.volume(unit="opportunities", where={"owner": owner}, view="cohort").records()
        theirs = matching & set(own.table["opportunity_id"].to_pylist())
        assert seen[owner] <= theirs
        assert len(seen[owner]) == min(len(theirs), 12), owner
    assert len(matching) > 13
    assert any(seen.values())


def test_a_principal_is_masked_unless_told_otherwise() -> None:
    assert Principal("x").masked
