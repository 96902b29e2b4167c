"""Where nothing is planted hardly anything is reported: one count over every ranking, on the same orgs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from scipy import stats

from leadline.metrics.query import Query
from leadline.metrics.rates.problems import DISCOVERY_RATE, problems
from leadline.metrics.velocity import velocity
from leadline.results import Result
from tests.demo_model import modelled
from tests.scale import costly, kept

PEOPLE = 2_000
ORGS = 100
ALLOWED = 16
"""Of 100 orgs: what a true 10 % exceeds in one of fifty."""


def rows(result: Result) -> list[dict[str, Any]]:
    return result.table.to_pylist()


def alarms(folder: Path, seed: int) -> set[str]:
    """Which rankings report anything in a demo org where nothing was planted."""
    org = modelled(folder, people=PEOPLE, seed=seed, planted=False)
    found = {
        "problem areas": bool(rows(problems(org, Query()))),
        "slow transitions": any(row["slow"] for row in rows(velocity(org, Query(), show="slow"))),
        "stuck campaigns": any(row["stands_out"] for row in rows(velocity(org, Query(by=("campaign",)), stuck=True))),
    }
    org.backend.disconnect()
    return {name for name, raised in found.items() if raised}


def test_few_orgs_raise_any_alarm_where_nothing_was_planted(tmp_path: Path) -> None:
    """Nobody is slow, stuck or poor by design: an org counts once, whichever of the rankings raised an alarm."""
    orgs = costly(ORGS)
    raised = {seed: found for seed in range(1, orgs + 1) if (found := alarms(tmp_path, seed))}
    kept("orgs with any false alarm", len(raised))
    for name in ("problem areas", "slow transitions", "stuck campaigns"):
        kept(f"orgs with a false alarm: {name}", sum(name in found for found in raised.values()))
    allowed = ALLOWED if orgs == ORGS else stats.binom.ppf(0.98, orgs, DISCOVERY_RATE)
    assert len(raised) <= allowed, raised
