"""Values of status fields: which ones a funnel maps, and how often they occur."""

from __future__ import annotations

import ibis
import ibis.expr.types as ir

from leadline.audit.check import Audited
from leadline.config import Funnel, StageSource


def value_sources(at: Audited) -> list[StageSource]:
    """Everything by which a funnel maps values of a field to a stage or an outcome."""
    return [one for funnel in at.settings.funnel.values() for one in _sources(funnel) if one.values]


def _sources(funnel: Funnel) -> list[StageSource]:
    ends = funnel.outcomes
    stages = [one for stage in funnel.stages for one in stage.sources]
    return [*stages, *ends.won, *ends.lost, *ends.disqualified, *ends.recycled]


def mapped_values(at: Audited, name: str, field: str) -> list[str]:
    """Values of a field that some funnel maps, sorted."""
    own = [one for one in value_sources(at) if (one.object, one.field) == (name, field)]
    return sorted({value for one in own for value in one.values or []})


def listed_values(at: Audited, values: ir.Table, most: int = 20) -> str:
    """The values of the column `value` with their counts, most frequent first."""
    counted = values.group_by("value").aggregate(count=values.count())
    rows = at.store.rows(counted.order_by(ibis.desc("count"), "value").limit(most))
    return ", ".join(f"{row['value']} ({row['count']:,})" for row in rows)


def plural(name: str) -> str:
    """An object's records in small letters: leads, opportunities."""
    word = name.lower()
    return f"{word[:-1]}ies" if word.endswith("y") else f"{word}s"
