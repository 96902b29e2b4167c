"""Lists lead back to the org: every row has the id of its record and, where the org's address is known, a link."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from leadline.results import Column, Result

if TYPE_CHECKING:
    from leadline.config import Settings

RECORD = Column("record_id", "text", help="Salesforce id of its record")
LINK = Column("link", "text", help="The record in the org")


def org_address(settings: Settings) -> str | None:
    """The address under which records of the org open: its own domain, where `[salesforce] domain` names one."""
    domain = settings.salesforce.domain
    return f"https://{domain}/" if "." in domain else None


def linked(result: Result, settings: Settings) -> Result:
    """A result whose list has ids and links."""
    if result.list_records is None:
        return result
    made, address = result.list_records, org_address(settings)
    return replace(result, list_records=lambda: _with_links(made(), address))


def _with_links(listed: Result, address: str | None) -> Result:
    found = listed
    if "record_id" not in found.table.column_names and "unit_id" in found.table.column_names:
        found = _after(found, "unit_id", RECORD, _records(found))
    if address is not None and "record_id" in found.table.column_names:
        ids = found.table.column("record_id")
        found = _after(found, "record_id", LINK, pc.binary_join_element_wise(pa.scalar(address), ids, ""))
    return found


def _records(listed: Result) -> pa.ChunkedArray:
    """Records of units: a journey is its person's."""
    if listed.unit == "journeys" and "person_id" in listed.table.column_names:
        return listed.table.column("person_id")
    return listed.table.column("unit_id")


def _after(listed: Result, name: str, column: Column, values: pa.ChunkedArray) -> Result:
    at = listed.table.column_names.index(name) + 1
    columns = (*listed.columns[:at], column, *listed.columns[at:])
    return replace(listed, columns=columns, table=listed.table.add_column(at, column.name, values))
