"""Every number on every page is the one the command line tells for the same question."""

from __future__ import annotations

import html
import itertools
import json
import re
import urllib.parse
from collections import defaultdict
from collections.abc import Iterator
from decimal import ROUND_HALF_DOWN, ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from leadline import workspace
from leadline.address import Address, parse
from leadline.cli.app import app
from leadline.web.boards import Board, Boards, Card
from tests.demo_workspace import imported
from tests.web.served import served

PAGES = (
    "/",
    "/funnel",
    "/funnel?where=campaign_type=Webinar",
    "/velocity",
    "/influence",
    "/influence?window=sourced",
    "/trust",
    "/boards/all",
)
"""Pages with numbers, and some of their states."""

NUMBER = re.compile(r'<a class="n"[^>]*?data-address="([^"]+)"[^>]*>(.*?)</a>', re.DOTALL)
DIGITS = re.compile(r"[-−]?\d[\d,]*(?:\.\d+)?")
NO_NUMBER = frozenset({"–", "not reached", "too few", "undated", "(empty)"})

CARDS = (
    "volume#count@stage=Won",
    "conversion#rate@from_stage=MQL,to_stage=SAL",
    "velocity?measure=cycle",
    "fates",
    "pipeline",
)


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = imported(tmp_path_factory.mktemp("crawl"), people=500, seed=11).workspace.folder
    cards = [Card(ask=one, show="number" if "#" in one else "table") for one in CARDS]
    Boards(folder).save("all", Board(title="All", cards=cards))
    return folder


@pytest.fixture(scope="module")
def pages(demo: Path) -> dict[str, str]:
    """Page → its text."""
    found = {}
    with served(workspace.open(demo)) as site:
        client = site.local()
        for path in PAGES:
            answer = client.get(path)
            assert answer.status_code == 200, path
            found[path] = answer.text
    return found


@pytest.fixture(scope="module")
def shown(pages: dict[str, str]) -> dict[str, list[tuple[str, str]]]:
    """Page → (address, text) of every number on it."""
    return {path: [(html.unescape(a), words(text)) for a, text in NUMBER.findall(page)] for path, page in pages.items()}


def words(text: str) -> str:
    return " ".join(html.unescape(re.sub(r"<[^>]+>", "", text)).split())


def told_by_command(address: str, folder: Path) -> dict[str, Any]:
    """What `leadline explain` says of one number."""
    run = CliRunner().invoke(app, ["explain", address, "--workspace", str(folder), "--format", "json"])
    assert run.exit_code == 0, f"{address}: {run.output}"
    found: dict[str, Any] = json.loads(run.stdout)
    return found


def row_of(rows: list[dict[str, Any]], address: Address) -> dict[str, Any]:
    """The row of the public contract that an address names, found without the code that made it."""
    wanted = dict(address.cell)
    own = [row for row in rows if all(plain(row[name]) == value for name, value in wanted.items())]
    assert len(own) == 1, f"{address}: {len(own)} rows"
    return own[0]


def plain(value: Any) -> str | None:
    if value is None or value == "":
        return None
    return str(value).lower() if isinstance(value, bool) else str(value)


def same(text: str, value: Any, kind: str) -> bool:
    """Whether a text says a value of the contract, to the last digit that the text shows."""
    digits = DIGITS.search(text)
    if value is None:
        return digits is None and any(one in text for one in NO_NUMBER)
    if digits is None:
        return False
    said = Decimal(digits[0].replace(",", "").replace("−", "-"))
    exact = Decimal(str(value)) * (100 if kind == "rate" else 1)
    # Half of the last digit shown, and the two ways to round a half.
    half = Decimal(5).scaleb(int(said.as_tuple().exponent) - 1)
    return abs(said - exact) <= half if kind in ("rate", "number") else said == exact


def test_the_comparison_can_fail() -> None:
    assert same("1,234", 1234, "integer")
    assert not same("1,235", 1234, "integer")
    assert same("12.3 % (10.1 to 14.0)", 0.1234, "rate")
    assert not same("12.3 %", 0.1236, "rate")
    assert same("41,000.00", "41000.00", "money")
    assert not same("41,000.01", "41000.00", "money")
    assert same("not reached", None, "number")
    assert not same("3.1", None, "number")


def numbers(shown: dict[str, list[tuple[str, str]]]) -> Iterator[tuple[str, Address, str]]:
    for path, found in shown.items():
        for address, text in found:
            yield path, parse(address), text


def test_pages_have_numbers_with_addresses(shown: dict[str, list[tuple[str, str]]]) -> None:
    without = [path for path, found in shown.items() if not found]
    assert not without
    assert sum(map(len, shown.values())) > 300


def test_every_number_is_that_of_the_command_line(demo: Path, shown: dict[str, list[tuple[str, str]]]) -> None:
    tables: dict[str, list[tuple[str, Address, str]]] = defaultdict(list)
    for path, address, text in numbers(shown):
        tables[str(address.table)].append((path, address, text))
    wrong = []
    metrics = workspace.open(demo).metrics
    for table, found in tables.items():
        contract = metrics.ask(table).to_dict()
        kinds = {column["name"]: column["type"] for column in contract["columns"]}
        for path, address, text in found:
            value = row_of(contract["rows"], address)[address.column]
            if not same(text, value, kinds[address.column]):
                wrong.append(f"{path}: {address} shows {text!r}, is {value!r}")
    assert not wrong, "\n".join(wrong[:20])


def test_a_number_of_every_table_is_explained_as_the_same_by_the_command(
    demo: Path, shown: dict[str, list[tuple[str, str]]]
) -> None:
    seen: dict[str, tuple[Address, str]] = {}
    for _, address, text in numbers(shown):
        seen.setdefault(address.metric, (address, text))
    assert len(seen) > 5
    for address, text in seen.values():
        told = told_by_command(str(address), demo)
        assert str(told["value"]) == "None" or DIGITS.search(text), address
        kind = "rate" if "%" in text else "number"
        assert same(text, told["value"], kind), f"{address} shows {text!r}, the command says {told['value']!r}"


LONG = re.compile(r"(?<![\w.,-])\d[\d,]*(?:\.\d+)?(?![\w,-])")
"""A number in running text: no part of a name, of an id or of a day."""

DIGITS_ENOUGH = 4
"""Digits from which two different numbers of a page are hardly the same by accident."""

DAYS = re.compile(r"\d{4}-\d\d(?:-\d\d)?(?: \d\d:\d\d)?")
QUESTION = re.compile(r"\?address=([^\"&]+)")


def contracts(page: str, folder: Path) -> list[dict[str, Any]]:
    """What every question of a page answers, of the whole table of each number."""
    asked = {str(parse(urllib.parse.unquote(html.unescape(one))).table) for one in QUESTION.findall(page)}
    metrics = workspace.open(folder).metrics
    told = [metrics.ask(one).to_dict() for one in sorted(asked)]
    return [*told, {"rows": [{"drawn": [str(one) for table in told for one in drawn_credit(table)]}]}]


def drawn_credit(table: dict[str, Any]) -> Iterator[Decimal]:
    """Bars of the chart of credit: won, open and lost of a row together, and campaigns below the longest bars as one."""
    parts = ("won_amount", "open_amount", "lost_amount")
    if not {"bucket", *parts} <= {column["name"] for column in table["columns"]}:
        return
    by_model: dict[str, list[Decimal]] = defaultdict(list)
    for row in table["rows"]:
        bar = sum((Decimal(row[name]) for name in parts), Decimal(0))
        yield bar
        if row["bucket"] == "campaign":
            by_model[row["model"]].append(bar)
    for bars in by_model.values():
        yield from itertools.accumulate(sorted(bars))


def leaves(value: Any) -> Iterator[Any]:
    """Every number and text of a contract."""
    if isinstance(value, dict):
        for one in value.values():
            yield from leaves(one)
    elif isinstance(value, list):
        for one in value:
            yield from leaves(one)
    elif value is not None and not isinstance(value, bool):
        yield value


def running_text(page: str, told: list[dict[str, Any]]) -> str:
    """What a page says, its drawings included, without days, names of the data and what has a test of its own."""
    body = page.partition("<main")[2].partition("</main>")[0]
    body = re.sub(r'<section class="card half" id="moved">.*?</section>', " ", body, flags=re.DOTALL)
    body = re.sub(r"<(?:select|option|input)\b[^>]*>|<option.*?</option>", " ", body)
    text = DAYS.sub(" ", words(re.sub(r"<", " <", body)))
    names = {one for one in leaves([one["rows"] for one in told]) if isinstance(one, str) and not NUMERIC.match(one)}
    for name in sorted(names, key=len, reverse=True):
        if DIGITS.search(name):
            text = text.replace(name, " ")
    return text


NUMERIC = re.compile(r"-?\d+(?:\.\d+)?$")


def unknown_numbers(text: str, told: list[dict[str, Any]]) -> list[str]:
    """Numbers of a text that no answer holds, to the last digit that the text shows."""
    exact = [Decimal(str(one)) for one in leaves(told) if isinstance(one, int | float) or NUMERIC.match(one)]
    noted = [found for one in told for note in one.get("notes", ()) for found in LONG.findall(note)]
    exact += [Decimal(found.replace(",", "")) for found in noted]
    shares = [100 * one for one in exact if abs(one) <= SHARE_AT_MOST]
    by_places: dict[int, set[Decimal]] = {}
    missing = []
    for found in LONG.findall(text):
        said = Decimal(found.replace(",", ""))
        if len(said.as_tuple().digits) < DIGITS_ENOUGH:
            continue
        places = -int(said.as_tuple().exponent)
        if places not in by_places:
            step = Decimal(1).scaleb(-places)
            ways = (ROUND_HALF_EVEN, ROUND_HALF_UP, ROUND_HALF_DOWN)
            by_places[places] = {abs(one).quantize(step, way) for one in (*exact, *shares) for way in ways}
        if said not in by_places[places]:
            missing.append(found)
    return missing


SHARE_AT_MOST = 100
"""A return of more than a hundred times its cost is no share of the demo org."""


def test_the_finder_of_unknown_numbers_finds() -> None:
    told = [{"rows": [{"amount": "1234.50", "share": 0.98765, "name": "2025-06 Event 0008"}], "totals": []}]
    assert unknown_numbers("1,234.50 and 98.77 % in 12 rows", told) == []
    assert unknown_numbers("1,234.51 and 98.75 %", told) == ["1,234.51", "98.75"]


@pytest.mark.parametrize("path", [path for path in PAGES if path != "/trust"])
def test_numbers_of_sentences_sums_and_drawings_are_those_of_the_command_line(
    demo: Path, pages: dict[str, str], path: str
) -> None:
    told = contracts(pages[path], demo)
    assert told
    missing = unknown_numbers(running_text(pages[path], told), told)
    assert missing == []


def by_command(folder: Path, *command: str) -> dict[str, Any]:
    """What a command tells as JSON."""
    run = CliRunner().invoke(app, [*command, "--workspace", str(folder), "--format", "json"])
    assert run.exit_code == 0, run.output
    found: dict[str, Any] = json.loads(run.stdout)
    return found


def test_findings_stand_on_the_page_as_the_command_tells_them(demo: Path, pages: dict[str, str]) -> None:
    rows = by_command(demo, "audit")["rows"]
    assert len(rows) > 5
    for row in rows:
        anchor = row["code"] + (f"-{row['object']}" if row["object"] else "")
        entry = pages["/trust"].partition(f'id="{anchor}"')[2].partition('class="card finding')[0]
        shown_text = words(re.sub(r"<", " <", entry))
        assert " ".join(row["message"].split()) in shown_text
        if row["rows"]:
            assert f"{row['rows']:,} record" in shown_text
        if row["amount"]:
            assert f"{Decimal(row['amount']):,.2f}" in shown_text


def test_what_moves_between_models_is_half_of_what_differs(demo: Path, pages: dict[str, str]) -> None:
    credits = workspace.open(demo).metrics.ask("influence?model=even,first").records().table
    by_deal: dict[str, dict[str, list[int]]] = defaultdict(lambda: defaultdict(lambda: [0, 0]))
    for row in credits.to_pylist():
        if row["campaign_id"]:
            by_deal[row["opportunity_id"]][row["campaign_id"]][row["model"] == "first"] += row["credit"]
    moved = {deal: sum(abs(a - b) for a, b in pairs.values()) // 2 for deal, pairs in by_deal.items()}
    section = pages["/influence"].partition('id="moved"')[2].partition("</section>")[0]
    entries = re.findall(r'href="/deal/(\w+)">.*?<td class="num">([^<]+)</td>', section)
    assert entries
    cents = [int(text.replace(",", "").replace(".", "")) for _, text in entries]
    assert cents == [moved[deal] for deal, _ in entries]
    assert cents == sorted(moved.values(), reverse=True)[: len(cents)]


SHARED = frozenset({"campaign", "pending", "unattributed"})
"""Parts of an amount that stand in the table of credit."""


def test_the_page_of_a_deal_has_the_credit_that_the_command_tells(demo: Path) -> None:
    deals = workspace.open(demo).metrics.ask("influence?model=even").records().table
    record = next(one for one in deals.column("opportunity_id").to_pylist() if one)
    told = by_command(demo, "opportunity", record)
    with served(workspace.open(demo)) as site:
        page = site.local().get(f"/deal/{record}").text
    bodies = [one.partition("</tbody>")[0] for one in page.split('<table class="credit">')[1:]]
    cells = [text for body in bodies for text in re.findall(r'<td class="num"[^>]*>([^<]*)</td>', body)]
    shown_cells = [text for text in cells if text != "–"]
    rows = [row for row in told["credits"] if row["amount"] is not None and row["bucket"] in SHARED]
    expected = [f"{Decimal(row['amount']):,.2f}" for row in rows]
    assert expected
    assert sorted(shown_cells) == sorted(expected)
    assert f"{Decimal(told['facts']['amount']):,.2f}" in page
