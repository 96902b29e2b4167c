"""A write-back under faults: killed at any request, refused rows, broken answers; nothing lost, nothing doubled."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from leadline.errors import SalesforceError
from leadline.workspace import Workspace
from leadline.writeback import planning, sending
from leadline_double.problems import ApiError
from leadline_double.server import Double
from tests.push_org import KilledError, Mortal, pulled, rows, settle_rows
from tests.scale import SCALE, costly, scaled

PEOPLE = 5
"""Contacts of a deal; they make ten rows of it."""
REFUSED_OF = 10
"""One row of so many is refused."""
KILLS = 4
"""Kills in a plan and its undoing: 200 at full scale."""
CALLS = 40
"""Calls that write a plan, whatever its size: more places to be killed at."""


@contextmanager
def stand(folder: Path, monkeypatch: pytest.MonkeyPatch, base: Path) -> Iterator[tuple[Workspace, Double, Mortal]]:
    """An org with rows of an earlier push, 5,000 to be written at full scale."""
    deals = max(20, round(500 * SCALE))
    with pulled(folder, deals, PEOPLE, monkeypatch, base) as made:
        settle_rows(made[1].org)
        batch = max(1, min(200, deals * 2 * PEOPLE // CALLS))
        monkeypatch.setattr(sending, "BATCH", batch)
        monkeypatch.setattr(planning, "BATCH", batch)
        yield made


class Refusing:
    """Refuses the same tenth of new and changed rows each time, and locks others for one try.

    Attributes:
        refused: what it refused, once for each row.
    """

    def __init__(self, seed: int) -> None:
        self.seed, self.refused = seed, set[str]()
        self._tried = Counter[str]()

    def __call__(self, name: str, operation: str, values: dict[str, Any]) -> ApiError | None:
        about = str([values.get(one) for one in ("Id", "OpportunityId", "CampaignId", "ContactId")])
        dice = random.Random(f"{self.seed} {about}").random() * REFUSED_OF
        self._tried[about] += 1
        if dice < 1:
            self.refused.add(about)
            return ApiError("FIELD_CUSTOM_VALIDATION_EXCEPTION", f"not {about}", fields=[])
        if dice < 1.5 and self._tried[about] == 1:
            return ApiError("UNABLE_TO_LOCK_ROW", "unable to obtain exclusive access", fields=[])
        return None


def until_done(work: Any, transport: Mortal, dice: random.Random, kills: int, journal: Path) -> tuple[Any, int]:
    """Do work again and again, killed at a random request that writes; how often it was killed."""
    killed = 0
    while True:
        transport.left = dice.randrange(4) if killed < kills else None
        transport.late = dice.random() < 0.5
        try:
            return work(), killed
        except KilledError:
            killed += 1
            if journal.exists() and dice.random() < 0.3:
                # What a cut in the middle of a line leaves.
                with journal.open("ab") as file:
                    file.write(b'{"event": "back", "ro')


def test_kills_refusals_and_undo(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
):
    """Killed before and behind requests, a tenth of the rows refused; then undone, killed again; four kills a round."""
    rounds, dice, done = scaled(50), random.Random(11), 0
    with stand(tmp_path / "here", monkeypatch, tmp_path_factory.getbasetemp()) as (made, double, transport):
        org, before = double.org, rows(double.org)
        for _ in range(rounds):
            rule = Refusing(done)
            double.service.row_rules[:] = [rule]
            plan = made.push.influence("even")
            wanted = plan.counts.written
            applied, count = until_done(
                lambda name=plan.id: made.push.apply(name),
                transport,
                dice,
                KILLS - KILLS // 4,
                plan.folder / "apply.jsonl",
            )
            done += count
            assert applied.differences == 0
            assert len(applied.refused) + applied.done == wanted
            assert {one.message for _, one in applied.refused} == {f"not {about}" for about in rule.refused}
            keys = Counter(
                (one["OpportunityId"], one["CampaignId"], one["ContactId"]) for one in org.live("CampaignInfluence")
            )
            assert set(keys.values()) == {1}
            double.service.row_rules.clear()
            undone, count = until_done(
                lambda name=plan.id: made.push.undo(name),
                transport,
                dice,
                KILLS // 4,
                plan.folder / "undo.jsonl",
            )
            done += count
            assert (undone.refused, undone.differences) == ((), 0)
            assert rows(org) == before
        # Fewer only if a run had fewer requests than it was to be killed at.
        assert done >= KILLS * rounds * 0.9


@pytest.mark.parametrize("seed", range(costly(30)))
def test_broken_answers(
    seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
):
    """A third of all requests meets a fault, among them answers lost behind a change that was made."""
    with stand(tmp_path / "here", monkeypatch, tmp_path_factory.getbasetemp()) as (made, double, _):
        org, before = double.org, rows(double.org)
        plan = made.push.influence("even")
        double.faults.random(seed, rate=0.33)
        applied = again(lambda: made.push.apply(plan.id))
        assert (applied.done, applied.refused, applied.differences) == (plan.counts.written, (), 0)
        double.faults.clear()
        assert made.push.influence("even").counts.written == 0
        double.faults.random(seed + 1000, rate=0.33)
        undone = again(lambda: made.push.undo(plan.id))
        assert (undone.refused, undone.differences) == ((), 0)
        assert rows(org) == before
        assert double.faults.log


def again(work: Any) -> Any:
    """Run a command until it ends well, as its message says."""
    for _ in range(20):
        try:
            return work()
        except SalesforceError:
            continue
    raise AssertionError("twenty runs were not enough")
