"""Writes an org as a folder of CSV files with API-style values, one file per object."""

from __future__ import annotations

import csv
import datetime as dt
from decimal import Decimal
from pathlib import Path

from leadline import schema
from tests.oracle.records import Org


def as_text(value: object) -> str:
    """A value the way Salesforce's API writes it into CSV."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dt.datetime):
        aware = value.replace(tzinfo=dt.UTC) if value.tzinfo is None else value.astimezone(dt.UTC)
        return aware.strftime("%Y-%m-%dT%H:%M:%S.") + f"{aware.microsecond // 1000:03d}Z"
    if isinstance(value, Decimal):
        return format(value, "f")
    return str(value)


def columns(name: str, rows: list[dict[str, object]]) -> list[str]:
    """Every column of the records in order of appearance; without records the columns of the object."""
    if not rows:
        return list(schema.OBJECTS[name])
    return list(dict.fromkeys(field for row in rows for field in row))


def write(org: Org, folder: Path) -> Path:
    """One `NAME.csv` per object into `folder`, which is made if it is not there."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, rows in org.items():
        fields = columns(name, rows)
        with (folder / f"{name}.csv").open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(fields)
            for row in rows:
                writer.writerow([as_text(row.get(field)) for field in fields])
    return folder
