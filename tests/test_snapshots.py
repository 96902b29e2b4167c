"""Publishing is whole or nothing; readers get one sound state or are told why not."""

from __future__ import annotations

import multiprocessing
import random
import shutil
import stat
import time
from collections.abc import Iterator
from multiprocessing.synchronize import Event
from pathlib import Path
from typing import Any

import duckdb
import pytest

from leadline import engines, locks
from leadline.errors import SnapshotError, UnknownNameError, WriterBusyError
from leadline.snapshots import KEPT, Snapshots, content_hash, files
from tests.scale import scaled
from tests.snapshot_files import builder, describe, meta_of, number_in


@pytest.fixture
def snapshots(tmp_path: Path) -> Snapshots:
    return Snapshots(tmp_path)


def read(snapshots: Snapshots, *, thorough: bool = False) -> tuple[int, list[str]]:
    """The number in the current snapshot and the codes of what was found."""
    current, con = snapshots.open_current(engines.reader, thorough=thorough)
    with con:
        return number_in(con), [finding.code for finding in current.findings]


def test_what_is_published_is_read(snapshots: Snapshots):
    published = snapshots.publish(builder(1))
    assert not published.repeated
    snapshot = published.snapshot
    assert snapshots.current().snapshot == snapshot
    assert read(snapshots) == (1, [])
    assert snapshot.id.startswith("20260101T010000Z-")
    assert (snapshot.known_at.isoformat(), snapshot.frozen) == ("2026-01-01T01:00:00+00:00", False)
    assert snapshot.size_bytes == snapshot.path.stat().st_size
    assert stat.S_IMODE(snapshot.path.stat().st_mode) == 0o444
    with engines.reader(snapshot.path) as con:
        meta = dict(con.execute("SELECT key, value FROM _meta").fetchall())
    assert meta == meta_of(1) | {"content_hash": snapshot.content_hash, "snapshot": snapshot.id}


def test_nothing_published_says_what_to_do(snapshots: Snapshots):
    with pytest.raises(SnapshotError, match="leadline import PATH"):
        snapshots.current()
    assert snapshots.list() == ()


def test_the_same_content_again_is_the_same_snapshot(snapshots: Snapshots):
    first = snapshots.publish(builder(1)).snapshot
    second = snapshots.publish(builder(2)).snapshot
    again = snapshots.publish(builder(1))
    assert again.repeated
    assert (again.snapshot.id, again.snapshot.path.stat().st_ino) == (first.id, first.path.stat().st_ino)
    assert read(snapshots) == (1, [])
    assert [each.id for each in snapshots.list()] == [first.id, second.id]


def test_other_definitions_are_another_snapshot(snapshots: Snapshots):
    first = snapshots.publish(builder(1)).snapshot
    second = snapshots.publish(lambda path: builder(1)(path) | {"definitions": "2"}).snapshot
    assert (first.content_hash, first.id != second.id) == (second.content_hash, True)


def test_the_newest_three_and_the_frozen_stay(snapshots: Snapshots):
    first = snapshots.publish(builder(1)).snapshot
    assert snapshots.freeze(first.id).frozen
    published = [snapshots.publish(builder(number)).snapshot.id for number in range(2, 8)]
    assert [each.id for each in snapshots.list()] == [*reversed(published[-KEPT:]), first.id]
    assert [each.frozen for each in snapshots.list()] == [False] * KEPT + [True]
    assert len(list(snapshots.folder.iterdir())) == 2 * (KEPT + 1) + 2
    assert snapshots.get(first.id).id == first.id
    with pytest.raises(UnknownNameError, match="Did you mean"):
        snapshots.get(first.id[:-1] + "x")
    with pytest.raises(UnknownNameError):
        snapshots.freeze("none")


def test_a_damaged_snapshot_is_not_frozen(snapshots: Snapshots):
    key = snapshots.publish(builder(1)).snapshot.id
    damage(snapshots.get(key).path, b"x", 5000)
    assert "changed after" in snapshots.check(key)
    with pytest.raises(SnapshotError, match="not frozen"):
        snapshots.freeze(key)


def broken_builds() -> Iterator[Any]:
    def nothing(path: Path) -> dict[str, str]:
        return meta_of(1)

    def without_tables(path: Path) -> dict[str, str]:
        engines.writer(path).close()
        return meta_of(1)

    def with_a_table_missing(path: Path) -> dict[str, str]:
        with engines.writer(path) as con:
            describe(con, "one")
        return meta_of(1)

    def without_moment(path: Path) -> dict[str, str]:
        return {key: value for key, value in builder(1)(path).items() if key != "known_at"}

    yield pytest.param(nothing, "made no file", id="no file")
    yield pytest.param(without_tables, "made no table _columns and _tables", id="no tables")
    yield pytest.param(with_a_table_missing, "'one'", id="table missing")
    yield pytest.param(without_moment, "does not say known_at", id="no moment")


@pytest.mark.parametrize(("build", "message"), list(broken_builds()))
def test_a_build_that_is_no_snapshot_is_not_published(snapshots: Snapshots, build: Any, message: str):
    snapshots.publish(builder(7))
    with pytest.raises(SnapshotError, match=message):
        snapshots.publish(build)
    assert read(snapshots) == (7, [])
    assert not list(snapshots.folder.glob(".tmp*"))


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE one SET v = 9 WHERE k = 3",
        "UPDATE one SET k = CASE k WHEN 3 THEN 4 ELSE 3 END, v = v + CASE k WHEN 3 THEN 1 ELSE -1 END WHERE k IN (3, 4)",
        "UPDATE one SET v = NULL WHERE k = 3",
        "DELETE FROM one WHERE k = 3",
        "INSERT INTO one SELECT * FROM one WHERE k = 3",
        "ALTER TABLE one RENAME v TO w",
        "DROP TABLE two",
        "CREATE TABLE three AS SELECT 1 AS k",
        "DELETE FROM _tables WHERE \"table\" = 'two'",
        "UPDATE _meta SET value = 'x' WHERE key = 'config'",
    ],
)
def test_what_changes_after_it_was_hashed_is_not_published(
    snapshots: Snapshots, monkeypatch: pytest.MonkeyPatch, change: str
):
    """Writing `_meta` comes after the content hash; whatever else it did to the file is seen."""
    snapshots.publish(builder(7))
    write = files._write_meta

    def spoiling(draft: Path, meta: dict[str, str]) -> dict[str, str]:
        written = write(draft, meta)
        with engines.writer(draft) as con:
            con.execute(change)
        return written

    monkeypatch.setattr(files, "_write_meta", spoiling)
    with pytest.raises(SnapshotError, match="reads back"):
        snapshots.publish(builder(8))
    assert read(snapshots) == (7, [])


def test_a_build_that_is_still_open_is_not_published(snapshots: Snapshots):
    """Its rows may not be in the file yet."""
    held = []

    def left_open(path: Path) -> dict[str, str]:
        meta = builder(1)(path)
        held.append(engines.writer(path))
        held[0].execute("UPDATE one SET v = 2")
        return meta

    with pytest.raises(SnapshotError, match="left its file open"):
        snapshots.publish(left_open)
    held[0].close()


def test_a_build_that_fails_leaves_nothing(snapshots: Snapshots):
    def fail(path: Path) -> dict[str, str]:
        builder(1)(path)
        path.with_name(path.name + ".tmp").mkdir()
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        snapshots.publish(fail)
    assert list(snapshots.folder.iterdir()) == []


def test_left_overs_of_a_killed_build_are_removed(snapshots: Snapshots):
    snapshots.folder.mkdir()
    for name in (".tmp-abc.duckdb", ".tmp-abc.duckdb.wal"):
        (snapshots.folder / name).write_text("x")
    (snapshots.folder / ".tmp-abc.duckdb.tmp").mkdir()
    snapshots.publish(builder(1))
    assert not list(snapshots.folder.glob(".tmp*"))


def hold(workspace: Path, ready: Event, done: Event) -> None:
    with locks.writing(workspace):
        ready.set()
        done.wait(60)


def test_a_second_publisher_is_refused_and_readers_are_not(snapshots: Snapshots):
    snapshots.publish(builder(1))
    context = multiprocessing.get_context("spawn")
    ready, done = context.Event(), context.Event()
    other = context.Process(target=hold, args=(snapshots.workspace, ready, done))
    other.start()
    try:
        assert ready.wait(60)
        with pytest.raises(WriterBusyError, match=f"process {other.pid} "):
            snapshots.publish(builder(2))
        assert read(snapshots) == (1, [])
    finally:
        done.set()
        other.join()


# --- the content hash ---------------------------------------------------------------------------


def hash_of(*statements: str, threads: int = 2) -> str:
    with engines.writer(":memory:", threads=threads) as con:
        describe(con, "t")
        for statement in statements:
            con.execute(statement)
        return content_hash(con)


ROWS = "SELECT range AS k, range % 7 AS n, 'x' || range AS text, range / 3 AS share FROM range(300_000)"


def test_content_is_a_set_of_rows_with_named_columns():
    reference = hash_of(f"CREATE TABLE t AS {ROWS}")
    assert hash_of(f"CREATE TABLE t AS {ROWS} ORDER BY hash(k)", threads=1) == reference
    assert hash_of(f"CREATE TABLE t AS SELECT share, text, n, k FROM ({ROWS})") == reference
    halves = [f"INSERT INTO t SELECT * FROM ({ROWS}) WHERE k % 2 = {rest}" for rest in (1, 0)]
    assert hash_of(f"CREATE TABLE t AS SELECT * FROM ({ROWS}) LIMIT 0", *halves) == reference
    assert hash_of(f"CREATE TABLE t AS {ROWS}", "CREATE TABLE other AS SELECT 1", "DROP TABLE _columns") == reference


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE t SET n = n + 1 WHERE k = 77",
        "UPDATE t SET text = NULL WHERE k = 77",
        "UPDATE t SET text = '' WHERE k = 77",
        "DELETE FROM t WHERE k = 77",
        "INSERT INTO t SELECT * FROM t WHERE k = 77",
        "ALTER TABLE t RENAME COLUMN n TO m",
        "ALTER TABLE t ALTER n TYPE INTEGER",
        "UPDATE t SET n = CASE k WHEN 1 THEN 2 ELSE 1 END WHERE k IN (1, 2)",
        "INSERT INTO _tables VALUES ('u', '', '')",
    ],
)
def test_every_change_of_content_changes_the_hash(change: str):
    extra = "CREATE TABLE u AS SELECT 1"
    assert hash_of(f"CREATE TABLE t AS {ROWS}", extra, change) != hash_of(f"CREATE TABLE t AS {ROWS}", extra)


def test_rows_that_only_look_alike_differ():
    def row(*values: str | None) -> str:
        texts = ", ".join("NULL" if value is None else engines.literal(value) for value in values)
        return f"CREATE TABLE t AS SELECT * FROM (VALUES ({texts})) AS v (a, b)"

    alike = [("a|b", "c"), ("a", "b|c"), ("a|b|c", ""), ("a|b|c", None), ("", ""), (None, ""), ("", None), ("|", "")]
    assert len({hash_of(row(*values)) for values in alike}) == len(alike)


def test_the_hash_is_the_same_in_every_version():
    """A fixed value: a change of the algorithm, or of how DuckDB writes values, is a change of every content hash."""
    values = "1, TRUE, 0.1::DOUBLE, 'ä|', NULL::VARCHAR, DATE '2024-02-29', TIMESTAMP '2024-02-29 01:02:03.4', 1.50::DECIMAL(9,2)"
    assert hash_of(f"CREATE TABLE t AS SELECT * FROM (VALUES ({values})) AS v (a, b, c, d, e, f, g, h)") == EXPECTED


EXPECTED = "689c511115f0c2ccbb79bcfc96711bcdf83d07a84c6227cf03ca17ddcb565147"


# --- readers while others publish ---------------------------------------------------------------


def publish_many(workspace: Path, count: int) -> None:
    snapshots = Snapshots(workspace)
    for number in range(1, count + 1):
        snapshots.publish(builder(number, rows=1 + number % 7))


def read_until(workspace: Path, last: int, results: Any) -> None:
    """Read until the last number shows; hands over reads, and errors or steps back in words."""
    snapshots, newest, reads, faults = Snapshots(workspace), 0, 0, []
    deadline = time.monotonic() + 1800
    while newest < last and time.monotonic() < deadline:
        try:
            number, codes = read(snapshots)
        except (AssertionError, SnapshotError, duckdb.Error, OSError) as error:
            faults.append(f"{type(error).__name__}: {error}")
            break
        if codes or number < newest:
            faults.append(f"{number} after {newest}, {codes}")
        newest, reads = max(number, newest), reads + 1
        time.sleep(0.05)
    results.put((reads, newest, faults))


def test_readers_never_see_two_states_at_once(snapshots: Snapshots):
    count = scaled(1000)
    snapshots.publish(builder(0))
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["duckdb", "leadline.snapshots", "leadline.engines", "tests.snapshot_files"])
    results = context.Queue()
    readers = [context.Process(target=read_until, args=(snapshots.workspace, count, results)) for _ in range(4)]
    for reader in readers:
        reader.start()
    publish_many(snapshots.workspace, count)
    found = [results.get(timeout=1800) for _ in readers]
    for reader in readers:
        reader.join()
    assert [(newest, faults) for _, newest, faults in found] == [(count, [])] * 4
    assert all(reads >= 2 for reads, _, _ in found)
    assert len(snapshots.list()) == KEPT


# --- damage -------------------------------------------------------------------------------------


def damage(path: Path, new: bytes, position: int) -> None:
    path.chmod(0o644)
    with path.open("r+b") as file:
        file.seek(position)
        file.write(new)


def spoil(path: Path, chance: random.Random) -> None:
    """One fault: a few flipped bits, a block of zeros or noise, a file cut short, lengthened, emptied or gone."""
    path.chmod(0o644)
    data = bytearray(path.read_bytes())
    kind = chance.choice(["flip", "flip", "flip", "zeros", "noise", "cut", "longer", "empty", "gone"])
    start = chance.randrange(len(data))
    length = min(chance.choice([16, 4096, 262144]), len(data) - start)
    if kind == "flip":
        for _ in range(chance.choice([1, 1, 8])):
            data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
    elif kind == "zeros":
        data[start : start + length] = bytes(length)
    elif kind == "noise":
        data[start : start + length] = chance.randbytes(length)
    elif kind == "cut":
        del data[start:]
    elif kind == "longer":
        data += chance.randbytes(100)
    elif kind == "empty":
        data.clear()
    path.write_bytes(bytes(data))
    if kind == "gone":
        path.unlink()


@pytest.fixture(scope="module")
def two_states(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with the numbers 1 and 2 published, 2 being current."""
    workspace = tmp_path_factory.mktemp("two")
    for number in (1, 2):
        Snapshots(workspace).publish(builder(number, rows=40_000))
    return workspace


@pytest.mark.parametrize("checked", ["whole", "by block"])
def test_a_damaged_snapshot_is_never_a_wrong_answer(
    two_states: Path, tmp_path: Path, checked: str, monkeypatch: pytest.MonkeyPatch
):
    """Right, or the state before with a finding; where the file is not read whole, also refused by DuckDB's block checks."""
    if checked == "by block":
        monkeypatch.setattr(files, "READ_WHOLE", 0)
    seen = {"right": 0, "fallen back": 0, "refused": 0}
    for case in range(scaled(500)):
        workspace = tmp_path / str(case)
        shutil.copytree(two_states, workspace)
        chance = random.Random(f"{checked} {case}")
        snapshots = Snapshots(workspace)
        victim = chance.choice(
            [snapshots.list()[0].path] * 3
            + [snapshots.list()[0].path.with_suffix(".json"), snapshots.folder / "current"]
        )
        spoil(victim, chance)
        try:
            number, codes = read(snapshots)
        except duckdb.Error:
            assert checked == "by block"
            number, codes = read(snapshots, thorough=True)
            assert (number, codes) == (1, ["snapshot-damaged"])
            seen["refused"] += 1
        else:
            assert (number, codes) in [(2, []), (2, ["snapshot-damaged"]), (1, ["snapshot-damaged"])], (case, victim)
            seen["right" if number == 2 else "fallen back"] += 1
        shutil.rmtree(workspace)
    assert seen["right"]
    assert seen["fallen back"]


def test_when_all_are_damaged_it_is_said_what_is_wrong(snapshots: Snapshots):
    keys = [snapshots.publish(builder(number)).snapshot.id for number in (1, 2)]
    for each in snapshots.list():
        damage(each.path, b"xxxx", 4200)
    with pytest.raises(SnapshotError, match="leadline build") as refusal:
        snapshots.current()
    assert all(f"{key}: its file was changed" in str(refusal.value) for key in keys)
    assert not snapshots.publish(builder(2)).repeated
    assert read(snapshots) == (2, [])


def test_a_lost_description_is_read_from_the_file(snapshots: Snapshots):
    published = snapshots.publish(builder(1)).snapshot
    published.path.with_suffix(".json").unlink()
    found = snapshots.current().snapshot
    assert (found.id, found.as_of, found.content_hash) == (published.id, published.as_of, published.content_hash)


def test_a_file_under_a_false_description_is_not_taken(snapshots: Snapshots):
    published = snapshots.publish(builder(1)).snapshot
    description = published.path.with_suffix(".json")
    description.write_text(description.read_text().replace("2026-01-01T01", "2026-01-01T02"))
    assert snapshots.current().snapshot.as_of == published.as_of
