"""DuckDB connections: one kind that writes, the others read one snapshot and nothing else.

A connection that reads answers questions about one snapshot and reaches nothing else of the
machine. External access off is not enough for that: DuckDB keeps a database's own files and its
spill folder reachable, so `COPY … TO` could overwrite the very snapshot it reads. Readers
therefore close the file system as well, which costs them spilling to disk: a question that does
not fit the memory limit fails and says so. `scratch(spill=…)` is the exception, made for
rebuilding tables at an earlier moment; its SQL is always Leadline's own.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

from leadline.errors import SnapshotError, UsageError

if TYPE_CHECKING:
    import duckdb
    from ibis.backends.duckdb import Backend

MEMORY_CEILING: Final = 5 * 1024**3
"""Bytes a connection may use unless told otherwise; less where the machine has less."""

FRUGAL: Final = "200MB"
"""Memory of a connection whose work can go to disk, where the process is to stay small whatever it holds."""

SNAPSHOT_NAME: Final = "snap"
"""Name of the attached snapshot in a scratch connection."""

DRAFT_NAME: Final = "draft"
"""Name of the database in a connection that makes one."""

_UNITS: Final = {"bytes": 1, "KiB": 1024, "MiB": 1024**2, "GiB": 1024**3, "TiB": 1024**4}


def writer(
    path: Path | str, memory_limit: str | None = None, threads: int | None = None, spill: Path | None = None
) -> duckdb.DuckDBPyConnection:
    """A connection that may write `path` (":memory:" for none) and read files.

    Args:
        path: database file, made if absent.
        memory_limit: e.g. "2GB"; default 80 % of what the process may use, at most 5 GiB.
        threads: default one per core.
        spill: folder for what does not fit into memory; default beside the database, and none
            for ":memory:", where DuckDB would take the current folder.

    Raises:
        UsageError: the path has a question mark, behind which DuckDB looks for options.
    """
    import duckdb

    require_usable(path)
    con = duckdb.connect(str(path))
    settings = ["SET TimeZone = 'UTC'", *_no_extensions(), *_limits(con, memory_limit, threads)]
    if spill is not None or str(path) == ":memory:":
        settings.append(f"SET temp_directory = {literal(spill or '')}")
    _run(con, settings)
    return con


def maker(path: Path) -> duckdb.DuckDBPyConnection:
    """A connection that makes the database at `path`, under a name that is the same for each.

    DuckDB calls a database after its file, and a draft's is another each time: statements that
    say it could not be known again.

    Raises:
        UsageError: as for `writer`.
    """
    require_usable(path)
    con = writer(":memory:", spill=path.with_suffix(f"{path.suffix}.tmp"))
    _run(con, [f"ATTACH {literal(str(path))} AS {DRAFT_NAME}", f"USE {DRAFT_NAME}"])
    return con


def reader(path: Path, memory_limit: str | None = None, threads: int | None = None) -> duckdb.DuckDBPyConnection:
    """A hardened read-only connection to one snapshot; names without a database are the snapshot's.

    Each call has an engine of its own, so that several readers of one file live in one process.
    A cursor made from the connection starts in the empty in-memory database: `USE snap` there.

    Raises:
        SnapshotError: the file is absent or no sound database.
    """
    con = scratch(path, memory_limit, threads)
    con.execute(f"USE {SNAPSHOT_NAME}")
    return con


def ibis_reader(path: Path, memory_limit: str | None = None, threads: int | None = None) -> Backend:
    """An Ibis backend on a connection as `reader` makes it; arguments and errors are the same."""
    backend = ibis_scratch(path, memory_limit, threads)
    backend.con.execute(f"USE {SNAPSHOT_NAME}")
    return backend


def scratch(
    snapshot: Path, memory_limit: str | None = None, threads: int | None = None, spill: Path | None = None
) -> duckdb.DuckDBPyConnection:
    """An in-memory database that may be written, with the snapshot attached read-only as `snap`.

    Args:
        snapshot: file to attach.
        memory_limit: as in `writer`; tables made here count towards it.
        threads: as in `writer`.
        spill: a folder of the workspace for what does not fit into memory; None for no spilling.

    Raises:
        SnapshotError: the file is absent or no sound database.
    """
    con = _attached(snapshot, spill)
    con.execute("SET GLOBAL TimeZone = 'UTC'")
    harden(con, memory_limit, threads, spill=spill is not None)
    return con


def ibis_scratch(
    snapshot: Path, memory_limit: str | None = None, threads: int | None = None, spill: Path | None = None
) -> Backend:
    """An Ibis backend on a `scratch` connection; arguments and errors are the same."""
    import ibis

    # Ibis sets the zone while it takes the connection over, so the lock comes after it.
    backend = ibis.duckdb.from_connection(_attached(snapshot, spill))
    harden(backend.con, memory_limit, threads, spill=spill is not None)
    return backend


def harden(
    con: duckdb.DuckDBPyConnection, memory_limit: str | None = None, threads: int | None = None, *, spill: bool = False
) -> None:
    """Close an open connection to files, network, extensions, Python variables and settings.

    The order matters: limits while settings can still be changed, the file system after external
    access (which looks at paths when it is switched off), the lock last.
    """
    _run(
        con,
        [
            *_limits(con, memory_limit, threads),
            *_no_extensions(),
            "SET allow_persistent_secrets = false",
            "SET python_enable_replacements = false",
            *([] if spill else ["SET temp_directory = ''"]),
            "SET enable_external_access = false",
            *([] if spill else ["SET disabled_filesystems = 'LocalFileSystem'"]),
            "SET lock_configuration = true",
        ],
    )


def require_usable(path: Path | str) -> None:
    """Refuse a path under which DuckDB cannot keep a database.

    Raises:
        UsageError: the path has a question mark, behind which DuckDB looks for options.
    """
    if "?" in str(path):
        raise UsageError(
            f"{path} has a question mark in its path, where DuckDB cannot keep a database. Rename the folder."
        )


def literal(text: str | Path) -> str:
    """`text` as an SQL string."""
    return "'" + str(text).replace("'", "''") + "'"


def quoted(name: str) -> str:
    """`name` as an SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def file_list(paths: Iterable[Path]) -> str:
    """Paths as an SQL list for `read_parquet`; characters that would match other files are escaped."""
    return "[" + ", ".join(literal(re.sub(r"([\[*?])", r"[\1]", str(path))) for path in paths) + "]"


def _run(con: duckdb.DuckDBPyConnection, statements: Iterable[str]) -> None:
    for statement in statements:
        con.execute(statement)


def _no_extensions() -> list[str]:
    return [
        "SET autoinstall_known_extensions = false",
        "SET autoload_known_extensions = false",
        "SET allow_community_extensions = false",
    ]


@contextmanager
def room_for_another(con: duckdb.DuckDBPyConnection, memory_limit: str) -> Iterator[None]:
    """While another engine works beside it, a connection keeps to less memory: what it holds goes to its spill folder.

    Args:
        con: as made by `writer`.
        memory_limit: e.g. "2GB"; a limit that is lower already stays.
    """
    (before,) = con.execute("SELECT current_setting('memory_limit')").fetchone() or ("",)
    own = f"{_bytes(before) // 1024} KiB"
    con.execute(f"SET memory_limit = {literal(memory_limit)}")
    (after,) = con.execute("SELECT current_setting('memory_limit')").fetchone() or ("",)
    if _bytes(after) > _bytes(before):
        con.execute(f"SET memory_limit = {literal(own)}")
    try:
        yield
    finally:
        con.execute(f"SET memory_limit = {literal(own)}")


def _limits(con: duckdb.DuckDBPyConnection, memory_limit: str | None, threads: int | None) -> list[str]:
    if memory_limit is None:
        (default,) = con.execute("SELECT current_setting('memory_limit')").fetchone() or ("",)
        memory_limit = f"{min(_bytes(default), MEMORY_CEILING) // 1024} KiB"
    statements = [f"SET memory_limit = {literal(memory_limit)}"]
    return statements if threads is None else [*statements, f"SET threads = {int(threads)}"]


def _bytes(size: str) -> int:
    number, unit = size.split()
    return int(float(number) * _UNITS[unit])


def _attached(snapshot: Path, spill: Path | None) -> duckdb.DuckDBPyConnection:
    import duckdb

    if not snapshot.is_file():
        raise SnapshotError(f"There is no snapshot at {snapshot}. Publish one with `leadline build`.")
    con = duckdb.connect(":memory:")
    try:
        con.execute(f"ATTACH {literal(snapshot)} AS {SNAPSHOT_NAME} (READ_ONLY)")
    except duckdb.Error as error:
        con.close()
        raise SnapshotError(_unreadable(snapshot, error)) from error
    if spill is not None:
        con.execute(f"SET temp_directory = {literal(spill)}")
    return con


def _unreadable(path: Path, error: Exception) -> str:
    return f"The snapshot {path} cannot be opened ({str(error).splitlines()[0]}). Make it anew with `leadline build`."
