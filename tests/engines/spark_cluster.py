"""The same demo org on DuckDB and on a Spark cluster, of which a worker is killed in the middle of the build."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from leadline.model import catalogue
from leadline.progress import Silent
from leadline.warehouse.published import WarehouseSnapshots
from leadline.warehouse.spark import CURRENT, DESCRIPTION
from leadline.workspace import Workspace
from tests.engines.cluster import LOOPBACK, SMALL, Cluster, Process, cluster
from tests.engines.spark_org import loaded, without_duplicates, workspace
from tests.engines.suite import SUITE, Asked, check_equal

PEOPLE = 60
"""Spark's time goes into planning, whatever the number of rows."""

KILLED_AFTER = 20
"""Steps of the build before a worker is killed; a build has over twice as many."""


@dataclass
class Built:
    """One org on both engines, and what was seen while the cluster built it."""

    own: Workspace
    other: Workspace
    steps: int = 0
    killed: list[Process] = field(default_factory=list)
    halves: list[str] = field(default_factory=list)
    looks: int = 0


class Killer(Silent):
    """Hears of each table that was made, and kills a worker in the middle."""

    def __init__(self, worker: Process, seen: Built) -> None:
        self.worker, self.seen = worker, seen

    def advance(self, count: int = 1) -> None:
        self.seen.steps += 1
        if self.seen.steps == KILLED_AFTER:
            self.worker.kill()
            self.seen.killed.append(self.worker)


@pytest.fixture(scope="module")
def spark(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with cluster(tmp_path_factory.mktemp("cluster")) as made:
        yield made


@pytest.fixture(scope="module")
def built(spark: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Built]:
    folder = tmp_path_factory.mktemp("spark")
    own = without_duplicates(folder, PEOPLE)
    loaded(own, folder / "tables")
    other = workspace(folder, own, spark.url, {**SMALL, **LOOPBACK})
    seen = Built(own, other)
    done = threading.Event()
    watcher = threading.Thread(target=watch, args=(folder / "published", seen, done))
    watcher.start()
    try:
        other.build(progress=Killer(spark.workers[0], seen))
    finally:
        done.set()
        watcher.join()
    yield seen
    assert isinstance(other.snapshots, WarehouseSnapshots)
    other.snapshots.engine.close()


def watch(folder: Path, seen: Built, done: threading.Event) -> None:
    """Look at what the pointer names, again and again: it must be whole."""
    while not done.wait(0.05):
        seen.looks += 1
        pointer = folder / CURRENT
        if not pointer.exists():
            continue
        home = folder / pointer.read_text().strip()
        missing = {table.name for table in catalogue.PUBLISHED} - {
            path.parent.name.removeprefix("own") for path in home.glob("*/_SUCCESS")
        }
        if missing or not (home / DESCRIPTION).exists():
            seen.halves.append(f"{home.name}: {sorted(missing)}")


def test_the_build_outlives_a_worker(built: Built):
    assert built.steps > 2 * KILLED_AFTER
    assert len(built.killed) == 1
    assert built.looks > built.steps, "the pointer was looked at between most steps"
    assert built.halves == []


def test_one_content_on_both(built: Built):
    own, cluster = (workspace.snapshots.current().snapshot for workspace in (built.own, built.other))
    assert cluster.content_hash == own.content_hash
    assert cluster.id == own.id


@pytest.mark.parametrize("asked", [one for one in SUITE if one.quick], ids=lambda asked: asked.name)
def test_equal_cell_by_cell(built: Built, asked: Asked):
    check_equal(asked, "spark", built.own, built.other)
