"""The demo org behind the double: what its files say is what the APIs say."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import requests

from leadline.demo.org import generate
from leadline_double.loading import org_of_files
from tests.double.calling import Caller

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files of a demo org of 200 people."""
    out = tmp_path_factory.mktemp("demo")
    generate(out, people=200, seed=3)
    return out


@pytest.fixture(scope="module")
def caller(folder: Path) -> Caller:
    """The same org behind the double."""
    return Caller(org_of_files(folder))


def file_rows(path: Path) -> dict[str, dict[str, str]]:
    """Id → columns of a file."""
    with path.open(encoding="utf-8", newline="") as lines:
        return {row["Id"]: row for row in csv.DictReader(lines)}


def plain(kind: str, text: str) -> Any:
    """A value of a file or page, freed of the form of numbers."""
    return Decimal(text) if text and kind in {"double", "currency", "percent", "int"} else text


def test_bulk_results_say_what_the_files_say(caller: Caller, folder: Path):
    compared = 0
    for path in sorted(folder.glob("*.csv")):
        fields = {one["name"]: one["type"] for one in caller("GET", f"/sobjects/{path.stem}/describe").data["fields"]}
        wanted = file_rows(path)
        pages = caller.bulk(f"SELECT {', '.join(fields)} FROM {path.stem}", operation="queryAll", maxRecords="500")
        got = {row["Id"]: row for page in pages for row in page.rows}
        assert got.keys() == wanted.keys()
        for key, row in wanted.items():
            assert row.keys() == fields.keys()
            for name, text in row.items():
                assert plain(fields[name], got[key][name]) == plain(fields[name], text), (path.stem, key, name)
                compared += 1
    assert compared > 10_000


def test_live_rows_are_those_that_are_not_deleted(caller: Caller, folder: Path):
    live = {key for key, row in file_rows(folder / "CampaignMember.csv").items() if row["IsDeleted"] == "false"}
    caller.service.page_size = 300
    assert {row["Id"] for row in caller.query("SELECT Id FROM CampaignMember")} == live
    assert caller("GET", "/query", q="SELECT COUNT() FROM CampaignMember").data["totalSize"] == len(live)


def test_custom_fields_have_types_and_absent_ones_are_hidden(caller: Caller):
    fields = {one["name"]: one for one in caller("GET", "/sobjects/Lead/describe").data["fields"]}
    assert (fields["MQL_Date__c"]["type"], fields["MQL_Date__c"]["custom"]) == ("date", True)
    assert "Fax" not in fields
    assert "AccountHistory" not in [one["name"] for one in caller("GET", "/sobjects").data["sobjects"]]


def test_it_can_be_served_by_a_process_of_its_own(folder: Path):
    command = [sys.executable, "-m", "leadline_double", "--files", str(folder)]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        facts = json.loads(process.stdout.readline())
        with requests.Session() as session:
            session.trust_env, session.verify = False, facts["ca_file"]
            session.headers["Authorization"] = f"Bearer {facts['access_token']}"
            answer = session.get(
                f"{facts['url']}/services/data/v67.0/query", params={"q": "SELECT Name FROM Organization"}
            )
        process.stdin.close()
        assert process.wait(30) == 0
    assert answer.json()["records"][0]["Name"] == "Leadline Demo Org"
