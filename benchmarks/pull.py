"""`make bench-pull`: an org's campaign members into the ledger over loopback HTTPS, beside simple-salesforce.

The org is the double in a process of its own, its answers worked out and packed before anything is measured;
how fast it serves is measured too, by a client that throws away what it gets. Both clients read the same
columns by a query of the Bulk API 2.0 and end with the same ledger, which is compared value by value.
simple-salesforce yields pages of text. Two ways on are measured: its pages in a CSV file, which Leadline's own
import takes (so all but the receiving is Leadline), and its pages as rows of dictionaries, typed and handed over.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks.machine import ROOT, Measured, description, measured
from leadline.sources.salesforce.hosts import TEST_HOST

PLACE = ROOT / "bench-workspace" / "pull"
KEPT = Path(__file__).with_name("pull.md")
SIZES = (1_000_000, 5_000_000)
OBJECT = "CampaignMember"
PAGE = 50_000
AIMS = {"rate": 100_000, "megabytes": 500, "times": 5}
OWN, IMPORTED, BY_ROWS = "leadline pull", "simple-salesforce, then import", "simple-salesforce, rows as dictionaries"
LEADLINE = [sys.executable, "-m", "leadline"]


@contextmanager
def served(rows: int) -> Iterator[dict[str, str]]:
    """An org of so many members; where it is and how to log in."""
    command = [sys.executable, "-m", "leadline_double", "--members", str(rows)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        assert process.stdout is not None
        assert process.stdin is not None
        try:
            yield json.loads(process.stdout.readline())
        finally:
            process.stdin.close()
            process.wait()


def environment(org: dict[str, str]) -> dict[str, str]:
    """What lets a client find and trust the double."""
    return {
        TEST_HOST: org["url"].removeprefix("https://"),
        "SSL_CERT_FILE": org["ca_file"],
        "BENCH_ORG": json.dumps({name: org[name] for name in ("url", "ca_file", "access_token")}),
    }


def connected(folder: Path, org: dict[str, str], given: dict[str, str]) -> None:
    """A new workspace that can log in."""
    shutil.rmtree(folder, ignore_errors=True)
    command = [*LEADLINE, "connect", "--workspace", str(folder), "--domain", org["url"], "--flow", "client"]
    subprocess.run(
        [*command, "--client-id", org["consumer_key"], "--secrets", "file"],
        input=f"{org['consumer_secret']}\n",
        text=True,
        check=True,
        capture_output=True,
        env={**os.environ, **given},
    )


def pulled(folder: Path, org: dict[str, str], given: dict[str, str]) -> Measured:
    """`leadline pull` into a new workspace."""
    connected(folder, org, given)
    return measured([*LEADLINE, "pull", "--workspace", str(folder), "--objects", OBJECT, "--no-build"], given)


def columns_of(folder: Path) -> list[str]:
    """The columns a pull asked for, in its order: the double keeps answers ready by that."""
    import duckdb

    from leadline.ledger import Ledger
    from leadline.schema import DATE_ONLY

    with duckdb.connect() as con:
        Ledger(folder).attach(con)
        names = [str(row[0]) for row in con.execute(f'DESCRIBE src."{OBJECT}"').fetchall()]
    return [name for name in names if not name.startswith("_") and name != DATE_ONLY]


def digest(folder: Path, columns: list[str]) -> tuple[Any, ...]:
    """Number and hash of the records of a ledger."""
    import duckdb

    from leadline.ledger import Ledger

    chosen = ", ".join(f'"{name}"' for name in columns)
    with duckdb.connect() as con:
        Ledger(folder).attach(con)
        query = f'SELECT count(*), sum(hash({chosen})::HUGEINT), bit_xor(hash({chosen})) FROM src."{OBJECT}"'
        return tuple(con.execute(query).fetchall()[0])


def _soql(columns: list[str]) -> str:
    return f"SELECT {', '.join(columns)} FROM {OBJECT}"


def _client() -> Any:
    """simple-salesforce with the session of the org under test."""
    import requests
    from simple_salesforce import Salesforce

    org = json.loads(os.environ["BENCH_ORG"])
    session = requests.Session()
    session.trust_env, session.verify = False, org["ca_file"]
    return Salesforce(instance_url=org["url"], session_id=org["access_token"], version="67.0", session=session)


def _pages(columns: list[str]) -> Iterator[str]:
    return iter(getattr(_client().bulk2, OBJECT).query_all(_soql(columns), max_records=PAGE, wait=0))


def peer_import(folder: str, *columns: str) -> None:
    """In a process of its own: simple-salesforce's pages in a CSV file, taken by Leadline's import."""
    from leadline import workspace

    place = Path(folder)
    place.mkdir(parents=True)
    source = place / f"{OBJECT}.csv"
    with source.open("w", encoding="utf-8", newline="") as file:
        for number, page in enumerate(_pages(list(columns))):
            file.write(page if number == 0 else page.partition("\n")[2])
    workspace.create(place).sources.import_files([source], build=False)


def peer_rows(folder: str, *columns: str) -> None:
    """In a process of its own: simple-salesforce's pages as dictionaries, typed, and handed to the ledger."""
    import csv
    import datetime as dt
    import io

    import pyarrow as pa
    import pyarrow.parquet as pq

    from leadline import workspace
    from leadline.schema import DATE_ONLY, OBJECTS
    from leadline.sources.salesforce.typed import schema
    from leadline.sources.staged import StagedLoad, StagedObject

    place, files, rows = Path(folder), list[Path](), 0
    made = workspace.create(place)
    typed, kinds = schema(OBJECT, columns), {name: OBJECTS[OBJECT][name] for name in columns}
    read: dict[str, Any] = {
        "bool": "true".__eq__,
        "date": dt.date.fromisoformat,
        "datetime": lambda text: dt.datetime.fromisoformat(text).replace(tzinfo=None),
    }
    for page in _pages(list(columns)):
        records = [
            {name: read.get(kinds[name], str)(text) if text else None for name, text in row.items()} | {DATE_ONLY: None}
            for row in csv.DictReader(io.StringIO(page, newline=""))
        ]
        files.append(place / f"page-{len(files)}.parquet")
        pq.write_table(pa.Table.from_pylist(records, typed), files[-1])
        rows += len(records)
    staged = StagedObject(OBJECT, tuple(files), {**kinds, DATE_ONLY: "text"}, rows)
    made.ledger.load(StagedLoad((staged,), (), dt.datetime.now(dt.UTC), "now", "full", "simple-salesforce"))


def drain(*columns: str) -> None:
    """In a process of its own: all pages from the org, thrown away."""
    import ssl

    import httpx

    org = json.loads(os.environ["BENCH_ORG"])
    base, head = f"{org['url']}/services/data/v67.0/jobs/query", {"Authorization": f"Bearer {org['access_token']}"}
    with httpx.Client(headers=head, verify=ssl.create_default_context(cafile=org["ca_file"]), timeout=600) as client:
        job = client.post(base, json={"operation": "queryAll", "query": _soql(list(columns))}).json()["id"]
        while client.get(f"{base}/{job}").json()["state"] != "JobComplete":
            pass
        locator: str | None = ""
        while locator != "null":
            asked = {"maxRecords": str(PAGE)} | ({"locator": locator} if locator else {})
            with client.stream("GET", f"{base}/{job}/results", params=asked) as answer:
                for _ in answer.iter_raw():
                    pass
                locator = answer.headers["Sforce-Locator"]


def main(*sizes: str) -> None:
    """Measure each size and keep the page."""
    before = os.getloadavg()[0]
    parts = [size_page(int(size.replace(",", "").replace("_", ""))) for size in sizes or map(str, SIZES)]
    KEPT.write_text(
        "\n".join([_HEAD.format(on=description(), before=before, after=os.getloadavg()[0], **AIMS), *parts]),
        encoding="utf-8",
    )
    print(f"Written: {KEPT}")
    shutil.rmtree(PLACE, ignore_errors=True)


def size_page(rows: int) -> str:
    """The figures of one size; the slow way of the peer is measured for the smaller one only."""
    own, ways = PLACE / "leadline", {IMPORTED: "import", BY_ROWS: "rows"}
    shutil.rmtree(PLACE, ignore_errors=True)
    runs: dict[str, Measured] = {}
    with served(rows) as org:
        given = environment(org)
        pulled(own, org, given)
        columns = columns_of(own)
        me = [sys.executable, "-m", "benchmarks.pull"]
        runs[OWN] = pulled(own, org, given)
        for name, way in ways.items():
            if rows > SIZES[0] and name == BY_ROWS:
                continue
            other = PLACE / way
            runs[name] = measured([*me, way, str(other), *columns], given)
            if digest(own, columns) != digest(other, columns):
                raise SystemExit(f"The ledgers differ: {name}.")
        runs["only received"] = measured([*me, "drain", *columns], given)
    return _table(rows, runs)


def _table(rows: int, runs: dict[str, Measured]) -> str:
    heads = ("", "seconds", "CPU seconds", "rows/s", "rows/CPU s", "peak MB", "× Leadline's seconds")
    lines = [f"## {rows:,} members", "", f"| {' | '.join(heads)} |", f"| ---{' | ---:' * (len(heads) - 1)} |"]
    for name, one in runs.items():
        figures = (f"{one.seconds:.1f}", f"{one.cpu:.1f}", f"{rows / one.seconds:,.0f}", f"{rows / one.cpu:,.0f}")
        ratio = f"{one.seconds / runs[OWN].seconds:.1f}"
        lines.append(f"| {' | '.join((name, *figures, f'{one.peak_mb:,.0f}', ratio))} |")
    return "\n".join([*lines, ""])


_HEAD = """# Pulling an org

Made by `make bench-pull`; do not edit. {on}.

Load average before {before:.1f}, after {after:.1f}, so seconds hold other work too; processor seconds do not.

Campaign members from a double of an org, over HTTPS on loopback, gzipped, into a ledger: whole processes, start
included. Aims: at least {rate:,} rows/s, at most {megabytes} MB at any size, at least {times} × as fast as simple-salesforce.
*Only received* is what the double serves to a client that does nothing with it. All ledgers are equal in
every value. simple-salesforce's bulk query hands over text; with Leadline's import behind it the two differ by
what comes before the ledger only, which is why the aim cannot be met on that way.
"""


if __name__ == "__main__":
    steps: dict[str, Callable[..., None]] = {"import": peer_import, "rows": peer_rows, "drain": drain}
    if sys.argv[1:] and sys.argv[1] in steps:
        steps[sys.argv[1]](*sys.argv[2:])
    else:
        main(*sys.argv[1:])
