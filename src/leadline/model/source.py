"""The raw records as the model sees them: every field of `schema`, absent ones as nulls.

`Source.has` tells an absent column from an empty one, so that what rests on it is "not
available" rather than zero.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import ibis
import ibis.expr.types as ir

from leadline.model.nothing import nothing
from leadline.schema import DATE_ONLY, OBJECTS, Kind

TYPES: dict[Kind, str] = {
    "id": "string",
    "text": "string",
    "bool": "boolean",
    "integer": "int64",
    "number": "float64",
    "decimal": "decimal(28, 8)",
    "rate": "decimal(28, 12)",
    "date": "date",
    "datetime": "timestamp(6)",
}


class Source:
    """Objects of a ledger as Ibis tables with a complete set of columns.

    Args:
        tables: object name → table of its newest records, one row per Id.
        versions: object name → table of all versions with `_valid_from`, `_valid_to`.
    """

    def __init__(self, tables: Mapping[str, ir.Table], versions: Mapping[str, ir.Table] | None = None) -> None:
        self._tables = dict(tables)
        self._versions = dict(versions or {})

    def objects(self) -> list[str]:
        """Names of the objects the ledger holds."""
        return sorted(self._tables)

    def has(self, name: str, column: str | None = None) -> bool:
        """Whether the source holds this object (and this column of it)."""
        return name in self._tables and (column is None or column in self._tables[name].columns)

    def table(self, name: str) -> ir.Table:
        """Newest records of an object that are not deleted."""
        records = self.with_deleted(name)
        if "IsDeleted" not in records.columns:
            return records
        deleted = records.IsDeleted
        if deleted.type().is_string():
            # A column the schema does not know for this object came as it stood in the file.
            deleted = deleted.strip().lower().isin(["true", "1"])
        return records.filter(~deleted.fill_null(False))

    def with_deleted(self, name: str) -> ir.Table:
        """Newest records of an object, those marked deleted included."""
        if name not in self._tables:
            return _complete(_nothing(name), name)
        return _complete(self._tables[name], name)

    def versions(self, name: str) -> ir.Table | None:
        """All versions of the records of an object, or None if it is not versioned."""
        return _complete(self._versions[name], name) if name in self._versions else None


def _nothing(name: str) -> ir.Table:
    return nothing(ibis.schema({column: TYPES[kind] for column, kind in OBJECTS[name].items()}))


def _complete(table: ir.Table, name: str) -> ir.Table:
    wanted: dict[str, str] = {column: TYPES[kind] for column, kind in OBJECTS.get(name, {}).items()}
    wanted[DATE_ONLY] = "string"
    return table.mutate(**{column: ibis.null(kind) for column, kind in _absent(table.columns, wanted)})


def _absent(present: Iterable[str], wanted: dict[str, str]) -> list[tuple[str, str]]:
    held = set(present)
    return [(column, kind) for column, kind in wanted.items() if column not in held]
