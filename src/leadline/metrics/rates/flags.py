"""Flags of stages as a Salesforce report knows them: on record or not, as of now, whenever they came.

A flag is set if the records show the stage itself, with a time or without one. A stage that is only
implied by a later one has no flag: in the org nobody ticked it.
"""

from __future__ import annotations

import ibis
import ibis.expr.types as ir

from leadline.errors import UnknownNameError, UsageError
from leadline.metrics import units
from leadline.metrics.query import Asked
from leadline.model.journey_stages import OBSERVED, UNTIMED
from leadline.model.responses import COUNTED_FATES

OPENED, CREATED, CLOSED, CLOSE_DATE = "opened", "created", "closed", "close_date"
DATE_FIELDS = (OPENED, CREATED, CLOSED, CLOSE_DATE)
"""Dates that decide a record's period; beside them the first entry into a stage, by its name."""

DATE_TEXT = {
    OPENED: "that opened",
    CREATED: "whose record was created",
    CLOSED: "that closed",
    CLOSE_DATE: "whose CloseDate lies",
}
"""How a date decides, in words: "units that opened in the period"."""


def flags(asked: Asked) -> ir.Table:
    """Flags that are set, one row each: unit_id, stage_no."""
    if asked.unit == "opportunities":
        own = units.of_funnel(asked, "opportunity_reached")
        shown = own.filter(own.known.isin([OBSERVED, UNTIMED]) & own.stage_no.isin(list(asked.stages)))
        return shown.select("stage_no", unit_id="opportunity_id")
    reached = units.of_funnel(asked, "journey_stages")
    shown = reached.filter(reached.known.isin([OBSERVED, UNTIMED])).select("journey_id", "stage_no")
    if asked.unit == "journeys":
        return shown.rename(unit_id="journey_id").select("unit_id", "stage_no")
    linked = units.linked_to(asked, shown).select("unit_id", "stage_no").distinct()
    if asked.unit != "responses":
        return linked
    # A response is its own Inquiry, whichever journey it lies in.
    counted = units.of_funnel(asked, "responses").filter(ibis._.fate.isin(COUNTED_FATES))
    own = counted.select(unit_id="response_id", stage_no=ibis.literal(0, "int64"))
    return ibis.union(linked.filter(linked.stage_no > 0), own.select("unit_id", "stage_no"))


def dates(asked: Asked, date_field: str) -> ir.Table:
    """The day that decides the period of every unit: unit_id, day (null: none).

    Args:
        asked: the question.
        date_field: one of DATE_FIELDS, or the name of a stage: the day of its first entry.

    Raises:
        UnknownNameError: neither of these.
        UsageError: a date that this unit does not have.
    """
    if date_field == OPENED or (date_field == CREATED and asked.unit in ("opportunities", "responses")):
        return _created_members(asked) if (date_field, asked.unit) == (CREATED, "responses") else _opened(asked)
    if date_field == CREATED:
        if asked.unit == "accounts":
            raise UsageError("Accounts have no creation of a record here; use --date-field opened.")
        people = asked.opened["people"].select("person_id", day="first_created_day")
        return units.units(asked).select("unit_id", "person_id").left_join(people, "person_id").select("unit_id", "day")
    if date_field in (CLOSED, CLOSE_DATE):
        if asked.unit != "opportunities":
            raise UsageError(f"--date-field {date_field} is a date of opportunities; ask with --unit opportunities.")
        deals = asked.opened["deals"]
        return deals.select(unit_id="opportunity_id", day="closed_day" if date_field == CLOSED else "close_day")
    return _entered(asked, date_field)


def _opened(asked: Asked) -> ir.Table:
    return units.units(asked).select("unit_id", day="opened_day")


def _created_members(asked: Asked) -> ir.Table:
    return asked.opened["members"].select(unit_id="response_id", day="created_day")


def _entered(asked: Asked, stage: str) -> ir.Table:
    names = [asked.stage_name(number) for number in asked.stages]
    if stage.casefold() not in {name.casefold() for name in names}:
        raise UnknownNameError("date field", stage, [*DATE_FIELDS, *names], f"unit {asked.unit}")
    number = asked.stage_number(stage)
    reached = units.stages(asked)
    first = reached.filter(reached.stage_no == number).select(_unit_id="unit_id", day="entered_day")
    every = units.units(asked).select("unit_id")
    return every.left_join(first, [("unit_id", "_unit_id")]).select("unit_id", "day")
