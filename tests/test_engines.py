"""Readers answer questions about one snapshot and reach nothing else of the machine."""

from __future__ import annotations

from pathlib import Path

import duckdb
import ibis
import pyarrow as pa
import pytest

from leadline import engines
from leadline.errors import SnapshotError, UsageError


@pytest.fixture
def snapshot(tmp_path: Path) -> Path:
    path = tmp_path / "it's [one].duckdb"
    with engines.writer(path) as con:
        con.execute("CREATE TABLE numbers AS SELECT range AS n FROM range(1000)")
    return path


PROBES = {
    "read a text": "SELECT * FROM read_text('/etc/hostname')",
    "list a folder": "SELECT * FROM glob('/etc/*')",
    "read a CSV": "SELECT * FROM '{folder}/other.csv'",
    "read the snapshot's bytes": "SELECT * FROM read_blob('{snapshot}')",
    "write a file": "COPY (SELECT 1) TO '{folder}/out.csv'",
    "overwrite the snapshot": "COPY (SELECT 1) TO '{snapshot}' (USE_TMP_FILE false)",
    "plant a log": "COPY (SELECT 1) TO '{snapshot}.wal'",
    "write into the spill folder": "COPY (SELECT 1) TO '{snapshot}.tmp' (USE_TMP_FILE false)",
    "attach another database": "ATTACH '{folder}/other.duckdb' AS other (READ_ONLY)",
    "make a database": "ATTACH '{folder}/new.duckdb' AS new",
    "attach the snapshot for writing": "ATTACH '{snapshot}' AS again",
    "export": "EXPORT DATABASE '{folder}/export'",
    "read from the network": "SELECT * FROM 'https://example.com/a.parquet'",
    "install an extension": "INSTALL httpfs",
    "load an extension": "LOAD httpfs",
    "read a Python variable": "SELECT * FROM secret_table",
    "read the environment": "SELECT getenv('HOME')",
    "keep a secret": "CREATE PERSISTENT SECRET s (TYPE s3)",
    "raise the memory limit": "SET memory_limit = '100GB'",
    "open up again": "SET enable_external_access = true",
    "unlock": "RESET lock_configuration",
    "log to a file": "CALL enable_logging(storage := 'file', storage_path := '{folder}/log')",
    "profile to a file": "SET profile_output = '{folder}/profile.json'",
    "move the spill folder": "SET temp_directory = '{folder}'",
}


@pytest.mark.parametrize("kind", ["reader", "scratch", "ibis_reader", "ibis_scratch"])
def test_the_machine_is_out_of_reach(snapshot: Path, kind: str):
    (snapshot.parent / "other.csv").write_text("a\n1\n")
    engines.writer(snapshot.parent / "other.duckdb").close()
    con = getattr(engines, kind)(snapshot)
    con = getattr(con, "con", con)
    secret_table = pa.table({"secret": [1]})
    before = {path: path.read_bytes() for path in snapshot.parent.iterdir()}
    for what, probe in PROBES.items():
        sql = probe.format(folder=snapshot.parent, snapshot=str(snapshot).replace("'", "''"))
        with pytest.raises(duckdb.Error):
            pytest.fail(f"{what}: {con.execute(sql).fetchall()}")
    assert {path: path.read_bytes() for path in snapshot.parent.iterdir()} == before
    assert secret_table.num_rows == 1
    assert con.execute("SELECT sum(n) FROM snap.numbers").fetchone() == (499500,)


def test_a_reader_reads_and_cannot_write(snapshot: Path):
    con = engines.reader(snapshot, memory_limit="200MB", threads=1)
    assert con.execute("SELECT count(*) FROM numbers").fetchone() == (1000,)
    for statement in ("CREATE TABLE more AS SELECT 1", "DELETE FROM numbers", "INSERT INTO numbers VALUES (1)"):
        with pytest.raises(duckdb.Error, match="read-only"):
            con.execute(statement)
    settings = "current_setting('TimeZone'), current_setting('threads'), current_setting('memory_limit')"
    assert con.execute(f"SELECT {settings}").fetchone() == ("UTC", 1, "190.7 MiB")


def test_several_readers_of_one_file_live_in_one_process(snapshot: Path):
    readers = [engines.reader(snapshot) for _ in range(3)]
    assert [con.execute("SELECT max(n) FROM numbers").fetchone() for con in readers] == [(999,)] * 3
    cursor = readers[0].cursor()
    assert cursor.execute("SELECT max(n), current_setting('TimeZone') FROM snap.numbers").fetchone() == (999, "UTC")


def test_ibis_reads_through_the_same_wall(snapshot: Path):
    backend = engines.ibis_reader(snapshot)
    numbers = backend.table("numbers")
    asked = ibis.memtable(pa.table({"n": [1, 2, 5000]}))
    assert backend.to_pyarrow(numbers.join(asked, "n").count()).as_py() == 2
    assert backend.raw_sql("SELECT current_setting('lock_configuration')").fetchone() == (True,)


def test_scratch_makes_tables_beside_the_snapshot(snapshot: Path):
    con = engines.scratch(snapshot)
    con.execute("CREATE TABLE even AS SELECT n FROM snap.numbers WHERE n % 2 = 0")
    assert con.execute("SELECT count(*) FROM even").fetchone() == (500,)
    with pytest.raises(duckdb.Error, match="read-only"):
        con.execute("CREATE TABLE snap.more AS SELECT 1")
    backend = engines.ibis_scratch(snapshot)
    numbers = backend.table("numbers", database=(engines.SNAPSHOT_NAME, "main"))
    backend.create_table("odd", numbers.filter(numbers.n % 2 == 1))
    assert backend.to_pyarrow(backend.table("odd").count()).as_py() == 500


BIG = "SELECT count(*) FROM (SELECT DISTINCT md5(range::VARCHAR) FROM range(1_000_000))"


def test_scratch_spills_only_where_it_is_told_to(snapshot: Path, tmp_path: Path):
    spill = tmp_path / "spill"
    with pytest.raises(duckdb.OutOfMemoryException):
        engines.scratch(snapshot, memory_limit="50MB", threads=1).execute(BIG)
    con = engines.scratch(snapshot, memory_limit="50MB", threads=1, spill=spill)
    assert con.execute(BIG).fetchone() == (1_000_000,)
    with pytest.raises(duckdb.PermissionException):
        con.execute("SELECT * FROM read_text('/etc/hostname')")


def test_an_in_memory_writer_leaves_the_current_folder_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(duckdb.OutOfMemoryException):
        engines.writer(":memory:", memory_limit="50MB", threads=1).execute(BIG)
    assert list(tmp_path.iterdir()) == []
    con = engines.writer(":memory:", memory_limit="50MB", threads=1, spill=tmp_path / "spill")
    assert con.execute(BIG).fetchone() == (1_000_000,)


def test_default_limits_are_those_of_the_machine_or_five_gigabytes():
    con = engines.writer(":memory:")
    (limit,) = con.execute("SELECT current_setting('memory_limit')").fetchone() or ("",)
    with duckdb.connect() as plain:
        (own,) = plain.execute("SELECT current_setting('memory_limit')").fetchone() or ("",)
    assert limit in {"5.0 GiB", own}
    assert con.execute("SELECT current_setting('autoinstall_known_extensions')").fetchone() == (False,)


@pytest.mark.parametrize("kind", ["reader", "scratch", "ibis_reader", "ibis_scratch"])
def test_what_is_no_snapshot_says_so(tmp_path: Path, kind: str):
    opener = getattr(engines, kind)
    with pytest.raises(SnapshotError, match=r"no snapshot at .*leadline build"):
        opener(tmp_path / "none.duckdb")
    (tmp_path / "text.duckdb").write_text("no database" * 1000)
    with pytest.raises(SnapshotError, match=r"cannot be opened .*leadline build"):
        opener(tmp_path / "text.duckdb")


def test_a_path_duckdb_cannot_use_is_refused(tmp_path: Path):
    with pytest.raises(UsageError, match="question mark"):
        engines.writer(tmp_path / "why?.duckdb")


def test_names_and_texts_are_escaped(tmp_path: Path):
    con = engines.writer(":memory:")
    text, name = engines.literal("it's"), engines.quoted('a "b"')
    assert con.execute(f"SELECT {name} FROM (SELECT {text} AS {name})").fetchone() == ("it's",)
    paths = [tmp_path / name for name in ("a[1]*.parquet", "a1x.parquet")]
    for number, path in enumerate(paths):
        con.execute(f"COPY (SELECT {number} AS n) TO {engines.literal(path)}")
    assert con.execute(f"SELECT n FROM read_parquet({engines.file_list(paths[:1])})").fetchall() == [(0,)]
