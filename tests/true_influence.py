"""What really caused the deals of demo orgs, beside what path models say of the same people.

Orgs are told, not written: nothing here goes through files, so that hundreds of them take a minute.
A path is the campaign types of one journey's responses up to its SAL, from which the generator lets deals come.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import leadline
from leadline.demo.org import AS_OF, DemoOrg
from leadline.demo.params import CAMPAIGN_TYPES, SAL, SQL, Parameters
from leadline.demo.truth_events import BlockEvents, tracking_from
from leadline.demo.truth_law import Journey

TYPES = tuple(kind or "none" for kind in CAMPAIGN_TYPES)
PEOPLE = 6_000

AS_IT_IS = Parameters()
_ONLY_RESPONSES = replace(
    AS_IT_IS, base_deal=0.0, outbound_deal=0.0, direct_deal=0.0, second_deal=0.0, stuck_share=0.0, bulk_share=0.0
)
ONE_RESPONSE = replace(_ONLY_RESPONSES, response_stop=1.0)
"""Nothing but responses causes deals, and a journey has one response."""

ALL_ALIKE = replace(
    _ONLY_RESPONSES,
    lift=(0.2,) * len(TYPES),
    mql=(sum(AS_IT_IS.mql) / len(AS_IT_IS.mql),) * len(TYPES),
    slow_factor=1.0,
)
"""Nothing but responses causes deals, and each response as easily as any other."""


@dataclass(frozen=True)
class Measured:
    """Shares of caused deals by type and what models say; a row per org, a column per type.

    Attributes:
        true: what the generator caused.
        share, low, high: of each model.
    """

    true: NDArray[np.float64]
    share: dict[str, NDArray[np.float64]]
    low: dict[str, NDArray[np.float64]]
    high: dict[str, NDArray[np.float64]]

    def covered(self, model: str) -> NDArray[np.float64]:
        """By type: in how many orgs the interval of a model holds the share that the generator causes on average."""
        expected = self.true.mean(axis=0)
        inside = (self.low[model] <= expected) & (expected <= self.high[model])
        return np.asarray(inside.mean(axis=0), np.float64)

    def bias(self, model: str) -> NDArray[np.float64]:
        """By type: what a model says on average less what is caused on average."""
        return np.asarray(self.share[model].mean(axis=0) - self.true.mean(axis=0), np.float64)


def measure(parameters: Parameters, models: Sequence[str], seeds: Iterable[int]) -> Measured:
    """Ask models about the same kind of org with other seeds, with intervals."""
    true, rows = [], []
    for seed in seeds:
        won, lost, caused = told(replace(parameters, people=PEOPLE, seed=seed))
        true.append(caused)
        every = sorted({*won, *lost})
        result = leadline.paths(
            [list(path) for path in every],
            [won[path] for path in every],
            nulls=[lost[path] for path in every],
            model=list(models),
            intervals=True,
        )
        rows.append(result.table.to_pylist())
    return Measured(np.array(true), *({model: _column(rows, model, name) for model in models} for name in _COLUMNS))


_COLUMNS = ("share", "share_low", "share_high")


def _column(orgs: list[list[dict[str, Any]]], model: str, name: str) -> NDArray[np.float64]:
    found = []
    for rows in orgs:
        # With one model alone there is no column that says which.
        of = {row["state"]: row[name] for row in rows if row.get("model", model) == model}
        found.append([of[kind] for kind in TYPES])
    return np.array(found)


def told(parameters: Parameters) -> tuple[Counter[tuple[str, ...]], Counter[tuple[str, ...]], NDArray[np.float64]]:
    """Paths of journeys with a deal, of those without, and the share of each type in what caused deals."""
    org = DemoOrg(Path(), "csv", {}, parameters, AS_OF)
    kinds = org.world.campaigns["kind"]
    won, lost, caused = Counter[tuple[str, ...]](), Counter[tuple[str, ...]](), np.zeros(len(TYPES))
    blocks = list(org.stories())
    first_change = tracking_from(org.world, iter(blocks))
    for stories in blocks:
        for _, journeys in BlockEvents(org.world, stories, first_change).journeys():
            for journey in journeys:
                path = tuple(TYPES[kinds[campaign]] for campaign in _asked(journey))
                if path:
                    (lost if journey.first(SQL) is None else won)[path] += 1
        np.add.at(caused, kinds[stories.causes["campaign"]], stories.causes["share"])
    return won, lost, caused / caused.sum()


def _asked(journey: Journey) -> list[int]:
    """Campaigns of the responses that could cause its deal: those up to SAL, or up to the deal where SAL does not show."""
    end = journey.first(SAL) or journey.first(SQL)
    if end is None:
        return []
    timely = [one for one in journey.responses if one.moment.key <= end.key]
    return [one.campaign for one in sorted(timely, key=lambda one: (one.moment.key, one.member))]
