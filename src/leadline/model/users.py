"""Users of the org, and what they stand for as the creators of records."""

from __future__ import annotations

from collections.abc import Mapping

import ibis
import ibis.expr.types as ir

from leadline.config import Settings
from leadline.model.source import Source

WRITER_FIELDS = ("Name", "Username", "ProfileId", "UserType")
"""What the keys of `[written_by]` are compared with, the first that matches holds."""

ROLE_FIELDS = ("UserRoleId", "Department")
"""What the keys of `[generated_by_role]` are compared with, the first that matches holds."""


def users(source: Source, settings: Settings) -> ir.Table:
    """One row per user.

    Columns: user_id, user (full name, or null), written_by (what the settings call the records this
    user creates, else the name, else the id), generated_by (the team the settings give the user's
    role or department, or null).
    """
    rows = source.with_deleted("User")
    named = rows.mutate(_name=full_name(rows))
    writer = _mapped(named, {"Name": "_name"}, WRITER_FIELDS, settings.written_by)
    return named.select(
        user_id="Id",
        user="_name",
        written_by=ibis.coalesce(writer, named["_name"], named.Id),
        generated_by=_mapped(named, {}, ROLE_FIELDS, settings.generated_by_role),
    )


def full_name(rows: ir.Table) -> ir.StringValue:
    """A user's name: as the record has it, else first and last name."""
    return ibis.coalesce(rows.Name, rows.FirstName.concat(" ", rows.LastName), rows.LastName)


def _mapped(
    rows: ir.Table, columns: Mapping[str, str], fields: tuple[str, ...], given: Mapping[str, str]
) -> ir.StringValue:
    """The value of the first field that the map names; null where it names none."""
    cases = [
        (rows[columns.get(field, field)] == key, ibis.literal(label))
        for field in fields
        for key, label in given.items()
    ]
    return ibis.cases(*cases) if cases else ibis.null("string")
