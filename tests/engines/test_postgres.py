"""The same demo org on DuckDB and on PostgreSQL: one content, equal metrics, and no reader sees half a snapshot."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from leadline import engines
from leadline.config import parse
from leadline.errors import ConfigError, UsageError, WriterBusyError
from leadline.warehouse.engine import Entry
from leadline.warehouse.postgres import Postgres
from leadline.warehouse.published import WarehouseSnapshots
from leadline.workspace import Workspace, create
from tests.demo_workspace import imported
from tests.engines.server import postgres
from tests.engines.suite import SUITE, Asked, check_equal

SYNCED = "_fivetran_synced"
KINDS = {"VARCHAR": "text", "DOUBLE": "double precision", "TIMESTAMP": "timestamptz"}
READERS, PUBLISHES = 8, 4


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with postgres() as url:
        yield url


@pytest.fixture(scope="module")
def both(server: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Workspace, Workspace]]:
    """One demo org published twice: from files by DuckDB, and from tables as Fivetran names them by PostgreSQL."""
    folder = tmp_path_factory.mktemp("engines")
    own = imported(folder, people=500, seed=7).workspace
    path = own.folder / "leadline.toml"
    # People are compared with each other by DuckDB only.
    text = path.read_text(encoding="utf-8").replace("[matching]\n", "[matching]\nduplicates = false\n")
    path.write_text(text, encoding="utf-8")
    own.build()
    loaded(own, server)
    other = folder / "warehouse"
    other.mkdir()
    table = f'\n[warehouse]\nengine = "postgres"\nurl = "{server}"\nsource = "salesforce"\n'
    (other / "leadline.toml").write_text(path.read_text(encoding="utf-8") + table, encoding="utf-8")
    (other / "numbers.json").write_bytes((own.folder / "numbers.json").read_bytes())
    warehouse = Workspace(other)
    warehouse.build()
    yield own, warehouse
    assert isinstance(warehouse.snapshots, WarehouseSnapshots)
    warehouse.snapshots.engine.close()


def loaded(workspace: Workspace, url: str) -> None:
    """The ledger's records as a loader would write them: snake_case, a deletion mark, the time of loading."""
    with engines.writer(":memory:") as con, psycopg.connect(url, autocommit=True) as to:
        workspace.ledger.attach(con)
        to.execute("SET TimeZone = 'UTC'")
        to.execute("CREATE SCHEMA salesforce")
        (at,) = con.execute("SELECT max(extracted_at) FROM src._loads").fetchone() or (None,)
        columns: dict[str, list[tuple[str, str]]] = {}
        for name, column, kind in con.execute(
            "SELECT table_name, column_name, data_type FROM duckdb_columns() WHERE schema_name = 'src' ORDER BY column_index"
        ).fetchall():
            if not name.startswith("_") and not name.endswith("__versions") and column != "_date_only":
                columns.setdefault(name, []).append((column, kind))
        for name, held in columns.items():
            named = ", ".join(f'"{snake(column)}" {KINDS.get(kind, kind)}' for column, kind in held)
            table = f'salesforce."{snake(name)}"'
            to.execute(f"CREATE TABLE {table} ({named}, _fivetran_deleted boolean, {SYNCED} timestamptz)".encode())
            wanted = ", ".join(engines.quoted(column) for column, _ in held)
            rows = con.execute(f"SELECT {wanted} FROM src.{engines.quoted(name)}").fetchall()
            with to.cursor().copy(f"COPY {table} FROM STDIN".encode()) as copy:
                for row in rows:
                    copy.write_row((*row, False, at))


def snake(name: str) -> str:
    return "".join(f"_{c.lower()}" if c.isupper() and at else c.lower() for at, c in enumerate(name)).replace("__", "_")


def test_one_content_on_both(both: tuple[Workspace, Workspace]):
    own, warehouse = (workspace.snapshots.current().snapshot for workspace in both)
    assert warehouse.content_hash == own.content_hash
    assert warehouse.id == own.id


@pytest.mark.parametrize("asked", SUITE, ids=lambda asked: asked.name)
def test_equal_cell_by_cell(both: tuple[Workspace, Workspace], asked: Asked):
    check_equal(asked, "postgres", *both)


def test_no_reader_sees_half_a_snapshot(server: str):
    """Readers take the pointer and count two tables of what it names, while a writer publishes again and again."""
    writer = Postgres(server, "salesforce", "torn")
    torn: list[object] = []
    seen: set[str] = set()
    done = threading.Event()

    def publish(number: int) -> None:
        with writer.writing():
            draft = writer.draft(f"{number}")
            writer.begin(draft)
            for name in ("one", "two"):
                writer.con.execute(
                    f'CREATE TABLE "{draft}".{name} AS SELECT {number} AS n FROM generate_series(1, 500)'.encode()
                )
            writer.place(draft, Entry(f"s{number}", number, {}))

    def read() -> None:
        with psycopg.connect(server, autocommit=True) as con:
            while not done.is_set():
                (key,) = con.execute('SELECT id FROM torn."current"').fetchone() or ("",)
                query = f'SELECT count(*), min(n), max(n) FROM (SELECT n FROM "torn_{key}".one UNION ALL SELECT n FROM "torn_{key}".two) AS t'
                found = con.execute(query.encode()).fetchone()
                seen.add(key)
                if found != (1000, int(key[1:]), int(key[1:])):
                    torn.append((key, found))

    publish(1)
    threads = [threading.Thread(target=read) for _ in range(READERS)]
    for thread in threads:
        thread.start()
    for number in range(2, 2 + PUBLISHES):
        publish(number)
    done.set()
    for thread in threads:
        thread.join()
    writer.close()
    assert torn == []
    assert len(seen) > 1


def test_one_writer_at_a_time(server: str):
    first, second = (Postgres(server, "salesforce", "busy") for _ in range(2))
    with first.writing(), pytest.raises(WriterBusyError), second.writing():
        pass
    first.close()
    second.close()


def test_the_settings_hold_no_password():

    with pytest.raises(ConfigError, match="holds a password"):
        parse('[warehouse]\nengine = "postgres"\nurl = "postgresql://me:word@host/db"\nsource = "s"\n')


def test_records_are_not_loaded_where_nothing_is_built_of_them(tmp_path: Path):
    workspace = create(tmp_path / "workspace")
    (workspace.folder / "leadline.toml").write_text(
        '[warehouse]\nengine = "postgres"\nurl = "postgresql://somewhere/db"\nsource = "crm"\n'
    )
    (tmp_path / "Lead.csv").write_text("Id,Status\n00Q000000000001AAA,Open\n")
    with pytest.raises(UsageError, match="in no number"):
        workspace.sources.import_files(tmp_path / "Lead.csv")
    with pytest.raises(UsageError, match="in no number"):
        workspace.org.pull()
    assert not (workspace.folder / "ledger.duckdb").exists()
