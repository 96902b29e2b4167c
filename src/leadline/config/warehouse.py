"""Where the model is built: on this machine, or on an engine that holds the records already."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Literal

from pydantic import Field

from leadline.config.base import TomlTable
from leadline.config_faults import Fault
from leadline.errors import UsageError, did_you_mean
from leadline.schema import OBJECTS


class WarehouseSettings(TomlTable):
    """The engine that builds and answers, and what a loader calls its tables. Secrets never stand here."""

    engine: Literal["duckdb", "postgres", "spark"] = Field(
        "duckdb", description="Where the model is built and asked: on this machine (duckdb), or in the warehouse"
    )
    url: str | None = Field(
        None,
        description="PostgreSQL: connection URL without password (libpq takes it from PGPASSWORD or its password file). "
        "Spark: the master, e.g. 'local[2]', 'spark://host:7077', or 'sc://host:15002' for Spark Connect",
    )
    source: str | None = Field(
        None,
        description="PostgreSQL: schema the loader writes to. Spark: folder with a folder of Parquet files per table",
    )
    snapshots: str | None = Field(
        None, description="PostgreSQL: first part of the names of Leadline's schemas. Spark: folder of the snapshots"
    )
    tables: dict[str, str] = Field(
        default_factory=dict, description="Object = name of its table, where that is another name"
    )
    columns: dict[str, str] = Field(
        default_factory=dict, description="'Object.Field' = column of its table, where that is another name"
    )
    deleted: str | None = Field(
        None,
        description="Column that marks a deleted row: true, or the time of its deletion; default: the loader's own",
    )
    valid_from: str | None = Field(
        None, description="Column with the time from which a version holds; default: the loader's own"
    )
    valid_to: str | None = Field(
        None, description="Column with the time until which a version holds; default: the loader's own"
    )
    synced: str | None = Field(
        None, description="Column with the time a row was loaded, for known-at; default: the loader's own"
    )
    options: dict[str, str] = Field(default_factory=dict, description="Spark: settings of the session")

    def require_own_records(self) -> None:
        """Refuse to load records that no snapshot would ever be made of.

        Raises:
            UsageError: the model is built from the tables of a warehouse.
        """
        if self.engine != "duckdb":
            raise UsageError(
                f"[warehouse] engine = {self.engine!r} in leadline.toml builds from the tables of the warehouse; records "
                "loaded here would be in no number. Load them in a workspace of their own, or take [warehouse] out."
            )

    @classmethod
    def _table_faults(cls, table: dict[str, Any]) -> Iterator[Fault]:
        engine = table.get("engine", "duckdb")
        if engine in ("postgres", "spark"):
            for key in ("url", "source"):
                if not table.get(key):
                    yield key, f"is missing; engine {engine!r} needs it"
        if engine == "spark" and not table.get("snapshots"):
            yield "snapshots", "is missing; engine 'spark' needs a folder for its snapshots"
        url = table.get("url")
        if isinstance(url, str) and re.search(r"://[^/@]*:[^/@]*@|password=", url):
            yield "url", "holds a password, which must not stand here; put it into PGPASSWORD or the password file"
        yield from _name_faults(table)


def _name_faults(table: dict[str, Any]) -> Iterator[Fault]:
    """Objects that Leadline does not read, and fields without their object."""
    for key in ("tables", "columns"):
        named = table.get(key)
        for name in named if isinstance(named, dict) else ():
            owner, _, of = name.partition(".")
            if owner not in OBJECTS:
                yield (key, name), f"is no object Leadline reads.{did_you_mean(owner, OBJECTS)}"
            elif (key == "columns") != bool(of):
                wanted = "the object and the field, e.g. 'Lead.Status'" if key == "columns" else "the object alone"
                yield (key, name), f"is written otherwise; write {wanted}"
