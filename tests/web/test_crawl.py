"""Every number on every page is the one the command line tells for the same question."""

from __future__ import annotations

import html
import json
import re
from collections import defaultdict
from collections.abc import Iterator
from decimal import Decimal
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
def shown(demo: Path) -> dict[str, list[tuple[str, str]]]:
    """Page → (address, text) of every number on it."""
    found = {}
    with served(workspace.open(demo)) as site:
        client = site.local()
        for path in PAGES:
            answer = client.get(path)
            assert answer.status_code == 200, path
            found[path] = [(html.unescape(a), words(text)) for a, text in NUMBER.findall(answer.text)]
    return found


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
