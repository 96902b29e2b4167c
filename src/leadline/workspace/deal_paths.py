"""Path models on the closed opportunities of a workspace: the classical split of all conversions at once."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

from leadline.metrics.credit.base import Base
from leadline.metrics.credit.data_driven import CAMPAIGN, closed_deals
from leadline.metrics.query import Query, ask
from leadline.path_table.answer import answer
from leadline.path_table.reading import PathTable
from leadline.path_table.transitions import transitions

if TYPE_CHECKING:
    from leadline.maths.paths.models import Options
    from leadline.model.opened import Opened
    from leadline.results import Result


def deal_paths(
    opened: Opened,
    models: list[str],
    by: str,
    scope: str | None,
    options: Options,
    *,
    intervals: bool = False,
    chain: bool = False,
) -> Result:
    """Credit per campaign, or value of a dimension of campaigns, on the journeys of closed opportunities.

    With `chain` the transitions between campaigns in place of credit.
    """
    asked = ask(opened, Query(unit="opportunities"))
    settings = opened.settings.influence
    base = Base(scope or settings.scope, settings.look_back_days)
    closed = closed_deals(asked, base, by)
    given = closed.given
    names = _names(opened, closed.labels) if by == CAMPAIGN else [one or f"no {by}" for one in closed.labels]
    table = PathTable(
        given=given,
        names=names,
        rows=len(given.lengths),
        digits=opened.currency.digits,
        currency=opened.currency.code,
        has_value=True,
        has_nulls=True,
        notes=(
            "Won opportunities with a known amount convert, lost ones do not, open ones are out; "
            f"responses of scope {base.scope}, from {base.look_back} days before the creation up to the close.",
        ),
    )
    result = transitions(table, options) if chain else answer(table, models, options, intervals)
    return replace(
        result,
        as_of=opened.moment,
        known_at=opened.known_at,
        snapshot=opened.snapshot,
        timezone=opened.zone,
        unit="opportunities",
        filters={**result.filters, "scope": base.scope, "by": by},
    )


def _names(opened: Opened, labels: list[str | None]) -> list[str]:
    """Names of campaigns; with their id where several have one name, or where there is none."""
    campaigns = opened["campaigns"]
    found = opened.arrow(campaigns.select(CAMPAIGN, "campaign"))
    name_of = dict(zip(found[CAMPAIGN].to_pylist(), found["campaign"].to_pylist(), strict=True))
    often = Counter(name_of.values())
    named = [(name_of.get(str(label)), str(label)) for label in labels]
    return [name if name and often[name] == 1 else f"{name or 'campaign'} ({label})" for name, label in named]
