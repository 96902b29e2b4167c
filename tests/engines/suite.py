"""What every engine is asked: one list of questions over all metrics, and what an engine is known not to do.

A gap is one of three kinds, and the test of it holds the error a user meets:

    notimpl  the engine, or Ibis for it, cannot
    notyet   Leadline does not do it there yet
    never    it is not meant to be done there
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import pytest

from leadline.errors import LeadlineError, UsageError
from leadline.workspace import Workspace


@dataclass(frozen=True)
class Gap:
    """Why an engine does not answer, and the error that says so."""

    kind: Literal["notimpl", "notyet", "never"]
    error: type[LeadlineError]
    says: str


@dataclass(frozen=True)
class Asked:
    """One question; `gaps` by engine, and `quick` if the everyday tests ask it on slow engines too."""

    name: str
    ask: Callable[[Workspace], Any]
    gaps: Mapping[str, Gap] = field(default_factory=dict)
    quick: bool = False
    empty: bool = False
    """The demo org is too small for rows: equal are the notes and the columns."""


FIRST, LAST = dt.date(2025, 7, 1), dt.date(2026, 1, 1)
"""A period the demo org has numbers in, with one of the same length before it."""

NO_EFFECTS = Gap("notyet", UsageError, "audit --quick")
NO_FREEZE = Gap("notyet", UsageError, "where none can be frozen")


def both(gap: Gap) -> dict[str, Gap]:
    """A gap of every warehouse."""
    return {"postgres": gap, "spark": gap}


SUITE = (
    Asked("volume", lambda w: w.metrics.volume(by=["campaign_type"], grain="quarter"), quick=True),
    Asked("volume earlier", lambda w: w.metrics.volume(view="cohort", as_of="2026-03-01")),
    Asked("volume standing of accounts", lambda w: w.metrics.volume(view="standing", unit="accounts")),
    Asked("volume of two dimensions", lambda w: w.metrics.volume(by=["campaign_type", "lead_source"], unit="people")),
    Asked("volume of campaigns that touched", lambda w: w.metrics.volume(by=["campaign"], touched=True)),
    Asked("volume by the days of fields", lambda w: w.metrics.volume(unit="opportunities", close_date="field")),
    Asked("pipeline", lambda w: w.metrics.pipeline(by=["generated_by"])),
    Asked("pipeline movements", lambda w: w.metrics.pipeline(view="movements", start=FIRST, end=LAST)),
    Asked("comparison", lambda w: w.metrics.comparison(compare="last-year", grain="quarter", start=FIRST, end=LAST)),
    Asked("fates", lambda w: w.metrics.fates()),
    Asked("newness", lambda w: w.metrics.newness(by=["campaign_type"])),
    Asked("conversion", lambda w: w.metrics.conversion(by=["campaign_type"]), quick=True),
    Asked("conversion in a window", lambda w: w.metrics.conversion(window_days=90, grain="month")),
    Asked("conversion of the period", lambda w: w.metrics.conversion(convention="period", grain="quarter")),
    Asked("conversion matrix", lambda w: w.metrics.conversion_matrix()),
    Asked("conversion triangle", lambda w: w.metrics.conversion_triangle(grain="quarter")),
    Asked("conversion change", lambda w: w.metrics.conversion_change(by=["campaign_type"], start=FIRST, end=LAST)),
    Asked("problems", lambda w: w.metrics.problems(by=["campaign_type"]), empty=True),
    Asked("velocity", lambda w: w.metrics.velocity(by=["campaign_type"]), quick=True),
    Asked("velocity in working days", lambda w: w.metrics.velocity(days="working", measure="first")),
    Asked("velocity of slow stages", lambda w: w.metrics.velocity(show="slow")),
    Asked("distribution of days", lambda w: w.metrics.velocity(show="distribution")),
    Asked("cycle", lambda w: w.metrics.velocity(measure="cycle")),
    Asked("stuck", lambda w: w.metrics.velocity(stuck=True)),
    Asked("influence", lambda w: w.metrics.influence(models=["even", "position"]), quick=True),
    Asked("influence by type", lambda w: w.metrics.influence(models=["first", "last"], by=["campaign_type"])),
    Asked("influence of Markov", lambda w: w.metrics.influence(models=["markov"])),
    Asked("influence of the account", lambda w: w.metrics.influence(scope="account", window="sourced", date="closed")),
    Asked("models beside each other", lambda w: w.metrics.compare_models(models=["first", "last", "even"])),
    Asked("sensitivity", lambda w: w.metrics.sensitivity(varied="look-back")),
    Asked("return", lambda w: w.metrics.roi()),
    Asked("return over time", lambda w: w.metrics.roi_trend()),
    Asked("lift", lambda w: w.metrics.lift()),
    Asked("Salesforce's own influence", lambda w: w.metrics.salesforce()),
    Asked("suggested roles", lambda w: w.metrics.suggested_roles()),
    Asked("formula", lambda w: w.metrics.formula("win_rate", by=["campaign_type"])),
    Asked("paths", lambda w: w.paths(["markov", "shapley_coverage"], by="campaign_type")),
    Asked("reverse funnel", lambda w: w.metrics.reverse(amount=1_000_000)),
    Asked("conversion of Salesforce's summary", lambda w: w.metrics.conversion(convention="summary")),
    Asked("findings", lambda w: w.audit.table(effects=False)),
    Asked("findings with effects", lambda w: w.audit.table(), both(NO_EFFECTS)),
    Asked("freeze", lambda w: w.freeze("kept"), both(NO_FREEZE)),
    Asked("transitions", lambda w: w.paths(by="campaign_type", transitions=True)),
)


def told(answer: Any) -> dict[str, Any]:
    """An answer as a user gets it; the way from the records to the model is each engine's own."""
    said: dict[str, Any] = json.loads(answer.to_json())
    said.pop("lineage", None)
    return said


def check_equal(asked: Asked, engine: str, own: Workspace, other: Workspace) -> None:
    """The same answer on both; or the error of a known gap."""
    gap = asked.gaps.get(engine)
    if gap:
        with pytest.raises(gap.error, match=gap.says):
            asked.ask(other)
        return
    expected, found = told(asked.ask(own)), told(asked.ask(other))
    assert expected["rows"] or asked.empty, "a question without rows compares nothing"
    for part in expected:
        assert found[part] == expected[part], part
    assert set(found) == set(expected)
