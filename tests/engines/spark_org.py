"""A demo org for Spark: its records as a loader's folders, its snapshot as folders, and workspaces over both."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from leadline import engines
from leadline.warehouse.spark import CURRENT, DESCRIPTION
from leadline.workspace import Workspace
from tests.demo_workspace import imported


def without_duplicates(folder: Path, people: int) -> Workspace:
    """A demo org published by DuckDB; people are compared with each other by it only, so that is switched off."""
    own = imported(folder, people=people, seed=7).workspace
    path = own.folder / "leadline.toml"
    text = path.read_text(encoding="utf-8").replace("[matching]\n", "[matching]\nduplicates = false\n")
    path.write_text(text, encoding="utf-8")
    own.build()
    return own


def workspace(folder: Path, own: Workspace, url: str, options: Mapping[str, str]) -> Workspace:
    """A workspace with the settings of another one, on Spark: tables in `folder`/tables, snapshots in `folder`/published."""
    made = folder / "warehouse"
    made.mkdir()
    said = "\n".join(f'"{name}" = "{value}"' for name, value in options.items())
    table = (
        f'\n[warehouse]\nengine = "spark"\nurl = "{url}"\nsource = "{folder / "tables"}"\n'
        f'snapshots = "{folder / "published"}"\n[warehouse.options]\n{said}\n'
    )
    text = (own.folder / "leadline.toml").read_text(encoding="utf-8")
    (made / "leadline.toml").write_text(text + table, encoding="utf-8")
    (made / "numbers.json").write_bytes((own.folder / "numbers.json").read_bytes())
    return Workspace(made)


def loaded(own: Workspace, folder: Path) -> None:
    """The ledger's records as Parquet, one file per object, instants with their zone and the time of loading."""
    folder.mkdir()
    with engines.writer(":memory:") as con:
        own.ledger.attach(con)
        con.execute("SET TimeZone = 'UTC'")
        columns: dict[str, list[str]] = {}
        for name, column, kind in con.execute(
            "SELECT table_name, column_name, data_type FROM duckdb_columns() WHERE schema_name = 'src' ORDER BY column_index"
        ).fetchall():
            if not name.startswith("_") and not name.endswith("__versions") and column != "_date_only":
                quoted = engines.quoted(column)
                columns.setdefault(name, []).append(
                    f"{quoted}::TIMESTAMPTZ AS {quoted}" if kind == "TIMESTAMP" else quoted
                )
        at = "(SELECT max(extracted_at) FROM src._loads)::TIMESTAMPTZ AS _fivetran_synced"
        for name, held in columns.items():
            rows = f"SELECT {', '.join(held)}, {at} FROM src.{engines.quoted(name)}"
            con.execute(f"COPY ({rows}) TO '{folder / name}.parquet' (FORMAT parquet)")


def published(own: Workspace, folder: Path) -> None:
    """The snapshot of a workspace as Spark would have published it.

    What a build on Spark makes has the same content (`spark_cluster.py` holds that), and takes minutes.
    """
    snapshot = own.snapshots.current().snapshot
    home = folder / snapshot.id
    home.mkdir(parents=True)
    with engines.writer(":memory:") as con:
        con.execute(f"ATTACH '{snapshot.path}' AS own (READ_ONLY)")
        for (name,) in con.execute("SELECT table_name FROM duckdb_tables() WHERE database_name = 'own'").fetchall():
            place = home / (f"own{name}" if name.startswith("_") else name)
            place.mkdir()
            con.execute(f"COPY own.{engines.quoted(name)} TO '{place / 'part.parquet'}' (FORMAT parquet)")
    (home / DESCRIPTION).write_text(json.dumps({"sequence": 1, "meta": snapshot.meta}), encoding="utf-8")
    (folder / CURRENT).write_text(f"{snapshot.id}\n", encoding="ascii")
