"""What stands in the org: its records as texts that can be compared, on disk."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from leadline.sources.salesforce import reading, rest, shapes
from leadline.sources.salesforce.session import Session
from leadline.sources.sql_text import file_list, quoted
from leadline.writeback.target import Form, Target

if TYPE_CHECKING:
    import duckdb


def read(
    session: Session,
    target: Target,
    folder: Path,
    con: duckdb.DuckDBPyConnection,
    bulk_from: int,
    heard: Callable[[int], None] = lambda rows: None,
) -> None:
    """Read the records of a target into the table `present` of a connection: id, key, image, extra.

    Args:
        folder: for pages while they come; it is emptied before and after.
        bulk_from: from how many rows on the Bulk API is used.
        heard: called with the rows of each page.

    Raises:
        SalesforceError: as calls do.
    """
    shape = shapes.describe(session, target.object)
    fields = ("Id", *(["IsDeleted"] if "IsDeleted" in shape.fields else []), *target.fields, *target.extra)
    shutil.rmtree(folder, ignore_errors=True)
    soql = f"SELECT {', '.join(fields)} FROM {target.object}{target.condition}"
    count = rest.count(session, target.object, target.condition)
    files = reading.query(session, shape, fields, soql, folder, count, bulk_from, heard)
    con.execute("CREATE OR REPLACE TABLE present (id VARCHAR, key VARCHAR, image VARCHAR, extra VARCHAR)")
    if files:
        alive = " WHERE NOT coalesce(IsDeleted, false)" if "IsDeleted" in fields else ""
        values = {name: value(quoted(name), form, target.scale) for name, form in target.forms.items()}
        extra = {name: value(quoted(name), "text", 0) for name in target.extra}
        con.execute(
            f"INSERT INTO present SELECT Id, {key(values, target)}, {image(values)}, {image(extra) if extra else 'NULL'} "
            f"FROM read_parquet({file_list(files)}){alive}"
        )
    shutil.rmtree(folder, ignore_errors=True)


def value(column: str, form: Form, scale: int) -> str:
    """The SQL of a value as comparable text."""
    return f"printf('%.{scale}f', {column}::DOUBLE)" if form == "percent" else f"nullif({column}::VARCHAR, '')"


def image(values: Mapping[str, str]) -> str:
    """The SQL of a record's fields as one text of JSON, in the order given."""
    inside = ", ".join(f"{quoted(name)} := {text}" for name, text in values.items())
    return f"to_json(struct_pack({inside}))::VARCHAR"


def key(values: Mapping[str, str], target: Target) -> str:
    """The SQL of what tells two records of ours apart; nothing where records are only changed."""
    if not target.key:
        return "NULL::VARCHAR"
    return "concat_ws('|', " + ", ".join(f"coalesce({values[name]}, '')" for name in target.key) + ")"
