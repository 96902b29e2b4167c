"""An org from files in API form (`Object.csv`, as `leadline demo` writes them)."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.csv as pa_csv

from leadline_double.clock import Clock
from leadline_double.org import Org
from leadline_double.schema import Field, every_field
from leadline_double.state import Record
from leadline_double.values import typed

_SHAPES: Final = (
    ("datetime", re.compile(r"\d{4}-\d\d-\d\dT[0-9:.]+Z")),
    ("date", re.compile(r"\d{4}-\d\d-\d\d")),
    ("boolean", re.compile(r"true|false")),
    ("double", re.compile(r"-?\d+(\.\d+)?")),
)


def _table(path: Path) -> pa.Table:
    # The first line is the header; every column is text, an empty value outside quotes is null.
    with path.open(encoding="utf-8") as lines:
        names = lines.readline().strip().replace('"', "").split(",")
    return pa_csv.read_csv(
        path,
        parse_options=pa_csv.ParseOptions(newlines_in_values=True),
        convert_options=pa_csv.ConvertOptions(
            column_types=dict.fromkeys(names, pa.string()),
            strings_can_be_null=True,
            quoted_strings_can_be_null=False,
            null_values=[""],
        ),
    )


def _kind(texts: list[str | None]) -> str:
    present = {text for text in texts if text is not None}
    return next((kind for kind, shape in _SHAPES if present and all(map(shape.fullmatch, present))), "string")


def _field_for(org: Org, object_name: str, name: str, texts: list[str | None]) -> Field:
    fields = org.objects[object_name].fields
    if name not in fields:
        known = every_field(object_name).get(name)
        if known is not None:
            fields[name] = known
        else:
            org.add_field(object_name, name, _kind(texts))
    return fields[name]


def _values(field: Field, texts: list[str | None]) -> list[Any]:
    """Equal texts become one value, which keeps large orgs small."""
    # What was stored once is not checked against lengths and picklists again.
    lenient = replace(field, length=0, restricted=False, scale=None)
    known = {text: typed(lenient, text) for text in set(texts)}
    return [known[text] for text in texts]


def load_object(org: Org, object_name: str, path: Path, *, only_loaded: bool = True) -> None:
    """Add the records of one file as they are; nothing follows, no stamp moves.

    Args:
        only_loaded: hide the fields that the file lacks, so that the org shows what the files show.
    """
    table = _table(path)
    columns = {name: table[name].to_pylist() for name in table.column_names}
    fields = {name: _field_for(org, object_name, name, texts) for name, texts in columns.items()}
    typed_columns = [_values(fields[name], texts) for name, texts in columns.items()]
    shape = org.objects[object_name]
    blank: Record = dict.fromkeys(shape.fields)
    names = list(columns)
    rows = [blank | dict(zip(names, cells, strict=True)) for cells in zip(*typed_columns, strict=True)]
    org.tables[object_name].update({row["Id"]: row for row in rows})
    org.unlink(object_name)
    gone = [(row["Id"], row["SystemModstamp"]) for row in rows if row.get("IsDeleted") and row.get("SystemModstamp")]
    org.delete_log[object_name].extend(gone)
    if only_loaded:
        shape.hidden_fields |= set(shape.fields) - set(names)
    org.version += 1


def org_of_files(folder: Path, *, clock: Clock | None = None, only_loaded: bool = True) -> Org:
    """An org from a folder of `Object.csv`; its clock stands an hour after the newest stamp.

    Deleted records stay in sight of queryAll however old they are. Objects without a file are hidden.
    """
    org = Org(Clock(dt.datetime(2000, 1, 1, tzinfo=dt.UTC)), furnished=False)
    for path in sorted(folder.glob("*.csv")):
        if path.stem in org.objects:
            load_object(org, path.stem, path, only_loaded=only_loaded)
    for name, rows in org.tables.items():
        org.objects[name].hidden = not rows
    stamps = [
        row["SystemModstamp"] for rows in org.tables.values() for row in rows.values() if row.get("SystemModstamp")
    ]
    org.clock = clock or Clock(max(stamps) + dt.timedelta(hours=1))
    org.clock.hear(org.settle)
    org.organization_id = next(iter(org.tables["Organization"]), "")
    users = org.tables["User"]
    org.user_id = next(iter(users), "")
    org.user_name = users[org.user_id]["Username"] if users else org.user_name
    return org
