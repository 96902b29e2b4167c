"""Stories for the page: events day by day, and credit in a table whose columns are models."""

from __future__ import annotations

import datetime as dt
import json
import re
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from leadline import dates
from leadline.model import responses
from leadline.web import locale
from leadline.web.access.masking import scrubbed

if TYPE_CHECKING:
    from leadline.explain.stories import Story


@dataclass(frozen=True, slots=True)
class Day:
    """A day of a story with its events in order; `day` is None for what has no time."""

    day: dt.date | None
    events: tuple[dict[str, Any], ...]
    after_days: int | None
    """Days since the day of events before it."""


@dataclass(frozen=True, slots=True)
class CreditRow:
    """One touch, or what is left of an amount, under every model; absent where a model does not look at it.

    Attributes:
        label: the campaign, or what the money waits for.
        kind: campaign, pending, unattributed or left out.
        amounts: model → amount as text; points: model → points.
    """

    label: str
    kind: str
    opportunity_id: str
    response_id: str
    person_id: str
    why: str
    amounts: dict[str, str]
    points: dict[str, int]


@dataclass(frozen=True, slots=True)
class Credit:
    """Credit of a story: models in order, rows, and per opportunity and model what the rows add up to."""

    models: tuple[str, ...]
    rows: tuple[CreditRow, ...]
    left_out: tuple[CreditRow, ...]
    totals: dict[str, str]


_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z")
NO_FATES = frozenset({responses.AFTER_AS_OF, responses.EXCLUDED, responses.NO_DATE, responses.DUPLICATE})
"""Fates of responses that count for nothing."""

NO_CREDIT = "no credit"
"""What a story says of a response that no model looks at."""


def hidden_people(story: Story) -> Story:
    """The story with stand-ins for everything that tells who somebody is."""

    def clean(value: Any) -> Any:
        return json.loads(scrubbed(json.dumps(value, ensure_ascii=False)))

    return replace(
        story,
        title=clean(story.title),
        facts=clean(story.facts),
        events=tuple(clean(list(story.events))),
        credits=tuple(clean(list(story.credits))),
        notes=tuple(clean(list(story.notes))),
    )


def days_of(story: Story, zone: str) -> tuple[Day, ...]:
    """Events of a story by local day; what has no time comes last."""
    found: dict[dt.date | None, list[dict[str, Any]]] = {}
    for event in story.events:
        moment = None if event["at"] is None else dt.datetime.fromisoformat(event["at"])
        local = None if moment is None else dates.in_zone(moment, zone).date()
        why = None if event["why"] is None else _INSTANT.sub(lambda told: locale.moment(told[0], zone), event["why"])
        found.setdefault(local, []).append({**event, "why": why, "out": _left_out(event)})
    days: list[Day] = []
    before: dt.date | None = None
    for day, events in found.items():
        gap = None if day is None or before is None else (day - before).days
        days.append(Day(day, tuple(events), gap))
        before = day or before
    return tuple(days)


def _left_out(event: dict[str, Any]) -> bool:
    """Whether an event is a response that counts for nothing, or earns nothing."""
    return event["fate"] in NO_FATES or NO_CREDIT in (event["why"] or "")


def credit_table(story: Story) -> Credit:
    """Credit with a column per model: touches in order of time, then what is pending and unattributed."""
    models = tuple(dict.fromkeys(row["model"] for row in story.credits if row["model"]))
    found: dict[tuple[str, ...], CreditRow] = {}
    for row in story.credits:
        kind = "left out" if row["model"] is None else row["bucket"]
        why = (row["why"] or "") if kind != "campaign" else ""
        key = (row["opportunity_id"], kind, row["response_id"] or "", why if kind != "campaign" else "")
        if key not in found:
            found[key] = CreditRow(
                label=row["campaign"] or "",
                kind=kind,
                opportunity_id=row["opportunity_id"],
                response_id=row["response_id"] or "",
                person_id=row["person_id"] or "",
                why=why,
                amounts={},
                points={},
            )
        if row["model"] is not None:
            found[key].amounts[row["model"]] = row["amount"]
            if row["points"] is not None:
                found[key].points[row["model"]] = row["points"]
    rows = sorted(found.values(), key=lambda one: _ORDER[one.kind])
    kept = tuple(one for one in rows if one.kind != "left out")
    sums = {
        model: sum((Decimal(one.amounts[model]) for one in kept if model in one.amounts), Decimal(0))
        for model in models
    }
    return Credit(
        models,
        kept,
        tuple(one for one in rows if one.kind == "left out"),
        {name: str(value) for name, value in sums.items()},
    )


_ORDER = {"campaign": 0, "pending": 1, "unattributed": 2, "left out": 3}
