"""What is asked of each object: all of it, or what changed since its mark; and what must not be passed over.

The window of changes is `since <= stamp < until`. `until` lies a margin before the org's clock, and
`since` an overlap before the mark, because a record becomes visible when its transaction ends, with
the stamp of some moment before. What comes twice is one record in the ledger, by its Id.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from leadline.config import SalesforceSettings
from leadline.errors import FieldsChangedError
from leadline.findings import Finding
from leadline.schema import OBJECTS
from leadline.sources.salesforce.marks import Mark
from leadline.sources.salesforce.shapes import ObjectShape

WHOLE: Final = frozenset(
    {
        "Organization",
        "RecordType",
        "OpportunityStage",
        "LeadStatus",
        "CurrencyType",
        "DatedConversionRate",
        "CampaignInfluenceModel",
    }
)
"""Small objects without a trace of deletion: read whole at every pull."""

_ALL_METRICS: Final = ("volume", "conversion", "velocity", "influence")

_GROUPS: Final = {
    **dict.fromkeys(("int", "long", "double", "currency", "percent"), "number"),
    **dict.fromkeys(("date", "datetime", "boolean"), ""),
}
"""Types that are one to the ledger; all others are texts."""


@dataclass(frozen=True, slots=True)
class ObjectPlan:
    """What is asked of one object.

    Attributes:
        fields: those to read, Id first.
        since: first moment of the window; None: the object is read whole.
        until: the moment up to which the ledger will be complete.
    """

    shape: ObjectShape
    fields: tuple[str, ...]
    since: dt.datetime | None
    until: dt.datetime

    @property
    def name(self) -> str:
        """The object."""
        return self.shape.name

    @property
    def whole(self) -> bool:
        """Whether all of its records are asked for, so that an absent one is gone."""
        return self.since is None

    @property
    def soql(self) -> str:
        """The query."""
        return f"SELECT {', '.join(self.fields)} FROM {self.name}{self.condition if not self.whole else ''}"

    @property
    def condition(self) -> str:
        """` WHERE` with the window; of an object read whole its upper end only, to count by."""
        cursor = self.shape.cursor
        if cursor is None:
            return ""
        lower = "" if self.since is None else f"{cursor} >= {soql_moment(self.since)} AND "
        return f" WHERE {lower}{cursor} < {soql_moment(self.until)}"

    def mark(self, before: Mark | None) -> Mark:
        """What the object's mark becomes once the ledger holds this."""
        types = {name: self.shape.fields[name].type for name in self.fields}
        return Mark(self.until, self.until if self.whole or before is None else before.whole_at, types)


def soql_moment(moment: dt.datetime) -> str:
    """A moment as SOQL writes it."""
    return f"{moment.astimezone(dt.UTC):%Y-%m-%dT%H:%M:%SZ}"


def until_of(clock: dt.datetime, margin: dt.timedelta, marks: Iterable[Mark]) -> dt.datetime:
    """The end of a pull's windows: whole seconds, a margin before the org's clock, after every mark.

    Where the last pull was within the margin, the end comes nearer to the clock; the overlap of
    the next pull makes up for that.
    """
    newest = max((mark.until for mark in marks), default=None)
    until = (clock - margin).replace(microsecond=0)
    return until if newest is None else max(until, newest + dt.timedelta(seconds=1))


def plan(
    shape: ObjectShape,
    fields: tuple[str, ...],
    mark: Mark | None,
    until: dt.datetime,
    settings: SalesforceSettings,
    *,
    full: bool = False,
) -> ObjectPlan:
    """The plan of one object: whole where asked, due, or unavoidable, else a window of changes."""
    whole = (
        full
        or mark is None
        or shape.cursor is None
        or shape.name in WHOLE
        or _is_due(shape, fields, mark, until, settings)
    )
    since = None if whole or mark is None else mark.until - dt.timedelta(minutes=settings.overlap_minutes)
    return ObjectPlan(shape, fields, since, until)


def _is_due(
    shape: ObjectShape, fields: tuple[str, ...], mark: Mark, until: dt.datetime, settings: SalesforceSettings
) -> bool:
    """Whether an object is to be read whole again: by age, for its formulas, or for fields it never read."""
    has_formulas = any(shape.fields[name].calculated for name in fields)
    days = min(settings.full_days, settings.formula_days) if has_formulas else settings.full_days
    return until - mark.whole_at >= dt.timedelta(days=days) or bool(set(fields) - mark.fields.keys())


def changes(
    marks: Mapping[str, Mark], shapes: Mapping[str, ObjectShape], settings: SalesforceSettings, *, accept: bool
) -> list[Finding]:
    """Fields and objects that earlier pulls read and this one cannot read as they were.

    Raises:
        FieldsChangedError: there are some, and the settings say to stop.
    """
    gone = {name: _changed_fields(mark, shapes[name]) for name, mark in marks.items() if name in shapes}
    hidden = sorted(marks.keys() - shapes.keys())
    told = [f"{name}: {', '.join(fields)}" for name, fields in sorted(gone.items()) if fields]
    told += [f"{name}: the whole object" for name in hidden]
    if told and settings.on_field_change == "stop" and not accept:
        raise FieldsChangedError(
            "What earlier pulls read is gone, hidden from the integration user, or of another type:\n  - "
            + "\n  - ".join(told)
            + "\nNothing was changed. Give the user the right to read it; or go on without: leadline pull --accept-changes "
            '(always: on_field_change = "evolve" in [salesforce]).'
        )
    found = [
        Finding(
            "org-fields-changed",
            "warning",
            f"{name}: {', '.join(fields)} can no longer be read as before; records keep the values they had.",
            name,
            moves=_ALL_METRICS,
            remedy="Let the integration user read the fields, or take them out of the settings.",
        )
        for name, fields in sorted(gone.items())
        if fields
    ]
    return found + [_hidden(name) for name in hidden]


def _hidden(name: str) -> Finding:
    return Finding(
        "org-object-hidden",
        "warning",
        f"{name} can no longer be read; its records stay as they were.",
        name,
        moves=_ALL_METRICS,
        remedy="Let the integration user read the object.",
    )


def _changed_fields(mark: Mark, shape: ObjectShape) -> list[str]:
    """Names of fields that are gone, and those of another type with both types."""
    gone = [f"{name} (gone)" for name in mark.fields if name not in shape.fields]
    recast = [
        f"{name} ({before} is now {shape.fields[name].type})"
        for name, before in mark.fields.items()
        if name in shape.fields and _group(before) != _group(shape.fields[name].type)
    ]
    return gone + recast


def _group(salesforce_type: str) -> str:
    return _GROUPS.get(salesforce_type, "text") or salesforce_type


def wanted_objects(settings: SalesforceSettings, visible: frozenset[str]) -> list[str]:
    """The objects to read: those of the settings, else all that Leadline knows, as far as they can be seen."""
    return [name for name in (settings.objects or list(OBJECTS)) if name in visible]
