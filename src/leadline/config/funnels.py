"""Funnels: ordered stages, what shows the entry into each, and what ends a journey."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal, get_args

from pydantic import Field

from leadline.config.base import TomlTable, tables, texts
from leadline.config_faults import Fault
from leadline.errors import did_you_mean

MILESTONE_OBJECTS: dict[str, tuple[str, ...]] = {
    "response": ("CampaignMember",),
    "created": ("Lead", "Contact", "Opportunity"),
    "converted": ("Lead",),
    "won": ("Opportunity",),
    "lost": ("Opportunity",),
    "closed": ("Opportunity",),
}
"""The objects that can show each milestone."""


class StageSource(TomlTable):
    """One thing that shows the entry into a stage.

    Exactly one of `values` (the field takes one of these values), `stamp` (the field holds the
    date of entry) and `milestone` (response, created, converted, won, lost, closed).
    """

    object: Literal["CampaignMember", "Lead", "Contact", "Opportunity"]
    field: str | None = None
    values: list[str] | None = None
    stamp: bool = False
    milestone: Literal["response", "created", "converted", "won", "lost", "closed"] | None = None

    @classmethod
    def _table_faults(cls, table: dict[str, Any]) -> Iterator[Fault]:
        has_values = table.get("values") is not None
        stamped = table.get("stamp", False) is not False
        milestone = table.get("milestone")
        if [has_values, stamped, milestone is not None].count(True) != 1:
            yield "", "give exactly one of values = [...], stamp = true and milestone = '...'"
        if (has_values or stamped) and not table.get("field"):
            yield "field", "is required beside values or stamp: the field that holds them"
        if has_values and table["values"] == []:
            yield "values", "must name at least one value"
        if milestone is not None and table.get("field"):
            yield "field", "does not go with a milestone; leave it out"
        owners = MILESTONE_OBJECTS.get(milestone, ()) if isinstance(milestone, str) else ()
        objects = get_args(cls.model_fields["object"].annotation)
        if owners and table.get("object") in objects and table["object"] not in owners:
            yield "milestone", f"belongs to object {' or '.join(owners)}"


class Stage(TomlTable):
    """One stage of a funnel, in order."""

    name: str = Field(min_length=1)
    sources: list[StageSource] = Field(alias="from", min_length=1)
    optional: bool = Field(
        False, description="May be skipped: reached by an entry of its own only, and skipping it breaks no order"
    )


class Outcomes(TomlTable):
    """What ends a journey. Won and lost default to the flags IsWon and IsClosed of the org."""

    won: list[StageSource] = Field(default_factory=list)
    lost: list[StageSource] = Field(default_factory=list)
    disqualified: list[StageSource] = Field(default_factory=list)
    recycled: list[StageSource] = Field(default_factory=list)


FIRST_RESPONSE = "first-response"
"""The key of `sla_days` beside the stages: the time from qualification to the first response."""


class Funnel(TomlTable):
    """Ordered stages and outcomes.

    A funnel with a source on CampaignMember, Lead or Contact is a funnel of people: its first
    stage is Inquiry, a response. Otherwise it is a funnel of opportunities.
    """

    stages: list[Stage] = Field(min_length=1, max_length=999)
    outcomes: Outcomes = Outcomes()
    look_back_days: int = Field(90, ge=0, description="How long before qualification a response can tip the journey")
    dormancy_days: int = Field(180, ge=1, description="Days without activity after which a journey ends")
    window_days: dict[str, int] = Field(
        default_factory=dict, description="Conversion window per transition 'A>B', in place of the learned one"
    )
    stuck_days: dict[str, int] = Field(
        default_factory=dict,
        description="Days per stage after which an open record is stuck, in place of the learned ones",
    )
    sla_days: dict[str, int] = Field(
        default_factory=dict,
        description="Days per stage within which a record has to leave it, as agreed; 'first-response' for the first response",
    )

    @property
    def of_people(self) -> bool:
        """Whether journeys of people run through this funnel."""
        return any(source.object != "Opportunity" for stage in self.stages for source in stage.sources)

    @property
    def stage_names(self) -> list[str]:
        """Names of the stages in funnel order."""
        return [stage.name for stage in self.stages]

    @classmethod
    def _table_faults(cls, table: dict[str, Any]) -> Iterator[Fault]:
        stages = tables(table.get("stages"))
        names = texts([stage.get("name") for stage in stages])
        if twice := sorted({name for name in names if names.count(name) > 1}):
            yield "stages", f"must have different names; twice: {', '.join(twice)}"
        yield from _shared_value_faults(stages)
        yield from _day_faults(table, "stuck_days", names)
        yield from _day_faults(table, "sla_days", [*names, FIRST_RESPONSE])
        yield from _day_faults(
            table, "window_days", [f"{a}>{b}" for at, a in enumerate(names) for b in names[at + 1 :]]
        )


def _shared_value_faults(stages: list[dict[str, Any]]) -> Iterator[Fault]:
    """One value of one field that enters two stages."""
    seen: dict[tuple[object, object, str], object] = {}
    for at, stage in enumerate(stages):
        for source in tables(stage.get("from")):
            for value in texts(source.get("values")):
                first = seen.setdefault((source.get("object"), source.get("field"), value), stage.get("name"))
                if first != stage.get("name"):
                    yield f"stages[{at}].from", f"maps the value {value!r}, which stage {first!r} maps already"


def _day_faults(table: dict[str, Any], key: str, known: list[str]) -> Iterator[Fault]:
    """Keys of a table of days that name no stage or transition of the funnel, and days below 1."""
    days = table.get(key)
    for name, value in days.items() if isinstance(days, dict) else ():
        if name not in known:
            what = "transition 'A>B'" if key == "window_days" else "stage"
            yield f"{key}.{name}", f"is no {what} of this funnel.{did_you_mean(name, known)}"
        if isinstance(value, int) and value < 1:
            yield f"{key}.{name}", "must be at least 1"
