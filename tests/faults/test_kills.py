"""`kill -9` at any moment: every load is whole or absent, and the next run completes it."""

from __future__ import annotations

import multiprocessing
import os
import random
import signal
import time
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Any

import pytest

from leadline.errors import LedgerError
from leadline.ledger import STEPS, Ledger
from leadline.sources.staged import StagedLoad
from tests.ledger_loads import content, staged_load
from tests.scale import scaled

Content = dict[str, list[tuple[Any, ...]]]

PRELOAD = ["dlt", "dlt.destinations", "duckdb", "pyarrow.parquet", "leadline.ledger", "tests.ledger_loads"]


def weeks(folder: Path) -> list[StagedLoad]:
    """Three loads, the second in time handed over last: it is put into its place by a replay."""
    made = []
    for week in (0, 2, 1):
        leads = [{"Id": f"L{n}", "Status": f"S{n % (week + 1)}", "Rating": str(n)} for n in range(400 - week)]
        users = [{"Id": f"U{n}", "Name": f"N{week * n % 3}"} for n in range(20)]
        history = [{"Id": f"H{week}{n}", "LeadId": f"L{n}", "Field": "Status"} for n in range(20)]
        rows = {"Lead": leads, "User": users, "LeadHistory": history}
        made.append(staged_load(folder / f"week{week}", f"2026-01-0{week + 1}", rows, name=f"week {week}"))
    return made


class Bomb:
    """Ends its process the n-th time a step begins."""

    def __init__(self, step: str, occurrence: int) -> None:
        self.step, self.left = step, occurrence

    def begin(self, step: str, total: int | None = None, unit: str = "rows") -> None:
        self.left -= step == self.step
        if not self.left:
            os.kill(os.getpid(), signal.SIGKILL)

    def advance(self, count: int = 1) -> None:
        """Only steps end it."""


def take_all(workspace: Path, loads: list[StagedLoad], bomb: Bomb | None) -> None:
    """What a child does: all loads in the given order, those taken before included."""
    ledger = Ledger(workspace)
    for load in loads:
        ledger.load(load, progress=bomb)


class Run:
    """The loads, and what a reader may find: the content after none, one, two and all of them."""

    def __init__(self, folder: Path) -> None:
        self.loads = weeks(folder)
        self.context = multiprocessing.get_context("forkserver")
        self.context.set_forkserver_preload(PRELOAD)
        workspace = folder / "undisturbed"
        self.states: list[Content] = [{}]
        for load in self.loads:
            Ledger(workspace).load(load)
            self.states.append(content(workspace))
        started = time.monotonic()
        self.to_end(folder / "timed")
        self.seconds = time.monotonic() - started

    def start(self, workspace: Path, bomb: Bomb | None = None) -> ForkServerProcess:
        child = self.context.Process(target=take_all, args=(workspace, self.loads, bomb))
        child.start()
        return child

    def to_end(self, workspace: Path) -> None:
        """Run without disturbance; the content is that of all loads."""
        child = self.start(workspace)
        child.join(120)
        assert child.exitcode == 0
        assert seen(workspace) == self.states[-1]
        assert {path.name for path in workspace.iterdir()} == {"ledger.duckdb", "loads", ".writer.lock"}
        assert not [path for path in (workspace / "loads").iterdir() if path.name.startswith(".")]


def seen(workspace: Path) -> Content:
    """What a reader finds; nothing if no load counts yet."""
    if not Ledger(workspace).loads():
        with pytest.raises(LedgerError, match="Nothing has been imported"):
            content(workspace)
        return {}
    return content(workspace)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return Run(tmp_path_factory.mktemp("kills"))


@pytest.mark.parametrize("step", STEPS)
def test_a_kill_at_a_named_step(run: Run, tmp_path: Path, step: str):
    """At the second time a step begins: in the second load, or in the replay for the third."""
    child = run.start(tmp_path, Bomb(step, 2))
    child.join(120)
    assert child.exitcode == -signal.SIGKILL
    assert seen(tmp_path) in run.states[1:3]
    run.to_end(tmp_path)


def test_kills_at_random_moments(run: Run, tmp_path: Path):
    """Kills of one workspace after another, several of each; then an undisturbed run completes it."""
    chance = random.Random(7)
    kills, found, round_ = 0, set(), 0
    while kills < scaled(100):
        workspace = tmp_path / str(round_)
        round_ += 1
        for _ in range(chance.randint(1, 4)):
            child = run.start(workspace)
            child.join(chance.uniform(0, run.seconds * 1.05))
            child.kill()
            child.join()
            kills += child.exitcode == -signal.SIGKILL
            state = seen(workspace)
            assert state in run.states, f"kill {kills}: a load is there in part"
            found.add(run.states.index(state))
        run.to_end(workspace)
    assert len(found) > 1, "the kills all met one moment"


def test_losing_the_working_folder_of_dlt_loses_nothing(run: Run, tmp_path: Path):
    child = run.start(tmp_path, Bomb("merge", 2))
    child.join(120)
    assert child.exitcode == -signal.SIGKILL
    package = tmp_path / ".dlt"
    assert package.is_dir()
    for path in sorted(package.rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    run.to_end(tmp_path)
