"""What should stand in custom fields of campaign members: fates of responses, and when their journey entered stages."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

import ibis
import ibis.expr.types as ir

from leadline.errors import UnknownNameError, UsageError
from leadline.metrics.query import Query, ask
from leadline.model.opened import Opened
from leadline.sources.sql_text import quoted
from leadline.writeback import present
from leadline.writeback.target import Form, Target

if TYPE_CHECKING:
    import duckdb

FATE: Final = "fate"


def forms(fields: Mapping[str, str]) -> dict[str, Form]:
    """The form of each field by what it is to hold: a fate is a text, a stage a date."""
    return {name: "text" if what == FATE else "date" for name, what in fields.items()}


def want(
    con: duckdb.DuckDBPyConnection, opened: Opened, target: Target, fields: Mapping[str, str], funnel: str | None
) -> None:
    """Fill the table `wanted` (key, image, id) of a connection: every member that is `present`, with its values.

    Members that are no response get nothing, so that what was written once and no longer holds goes.

    Args:
        fields: field of the org → `fate`, or the name of a stage.
        funnel: its name; None is the first one.

    Raises:
        UnknownNameError: no stage of that name.
        UsageError: a funnel of opportunities, which has no responses.
    """
    asked = ask(opened, Query(funnel=funnel))
    if not asked.funnel.of_people:
        raise UsageError(f"Funnel {asked.funnel_name!r} is one of opportunities: campaign members have no place in it.")
    answers = opened["responses"].filter(ibis._.funnel == asked.funnel_name)
    con.register("answers_in", opened.arrow(answers.select("response_id", "journey_id", "fate")))
    stages = {name: _stage(asked.funnel.stage_names, what) for name, what in fields.items() if what != FATE}
    con.register("entries_in", opened.arrow(_entries(opened, asked.funnel_name)))
    columns = {name: "f.fate" if what == FATE else f"{_place(name)}.day_iso" for name, what in fields.items()}
    joins = "".join(
        f" LEFT JOIN entries_in {_place(name)} ON {_place(name)}.journey_id = f.journey_id AND {_place(name)}.stage_no = {no}"
        for name, no in stages.items()
    )
    values = {name: f"{text}::VARCHAR" for name, text in columns.items()}
    con.execute(
        f"CREATE OR REPLACE TABLE wanted AS SELECT p.id AS key, {present.image(values)} AS image, p.id "
        f"FROM present p LEFT JOIN answers_in f ON f.response_id = p.id{joins}"
    )
    con.unregister("answers_in")
    con.unregister("entries_in")


def _place(name: str) -> str:
    return quoted(f"at {name}")


def _stage(names: list[str], name: str) -> int:
    folded = [one.casefold() for one in names]
    if name.casefold() not in folded:
        raise UnknownNameError("stage", name, [FATE, *names], "[salesforce.push.members]")
    return folded.index(name.casefold())


def _entries(opened: Opened, funnel: str) -> ir.Table:
    """When journeys entered stages, by day: journey_id, stage_no, day_iso."""
    entered = opened["journey_stages"].filter((ibis._.funnel == funnel) & ibis._.entered_day.notnull())
    days = opened["days"].select(entered_day="day", day_iso="day_iso")
    return entered.join(days, "entered_day").select("journey_id", "stage_no", "day_iso")
