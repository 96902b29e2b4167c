"""One writer per workspace.

The lock belongs to the operating system (`flock` through `filelock`), so it ends with the
process that holds it, however that ends: what a killed writer leaves behind is taken over at
once. Beside it lies a small file that names the holder, for the message to whoever is refused.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import platform
import shlex
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from leadline.errors import WriterBusyError

LOCK_FILE: Final = ".writer.lock"
HOLDER_FILE: Final = ".writer.json"


@contextmanager
def writing(workspace: Path) -> Iterator[None]:
    """Hold the writer lock of a workspace; nested calls of one thread share it.

    Raises:
        WriterBusyError: another process, or another thread of this one, holds it; the message
            names the process, its command, host and start.
    """
    from filelock import FileLock, Timeout

    workspace = workspace.resolve()
    workspace.mkdir(parents=True, exist_ok=True)
    lock = FileLock(workspace / LOCK_FILE, timeout=0, is_singleton=True)
    first = not lock.is_locked
    try:
        lock.acquire()
    except Timeout:
        raise WriterBusyError(str(workspace), holder(workspace)) from None
    try:
        if first:
            _sign(workspace)
        yield
    finally:
        if first:
            (workspace / HOLDER_FILE).unlink(missing_ok=True)
        lock.release()


def holder(workspace: Path) -> str:
    """Who signed last, in words; "another process" if the signature cannot be read."""
    try:
        signed = json.loads((workspace / HOLDER_FILE).read_text(encoding="utf-8"))
        return f"process {signed['pid']} on {signed['host']} ({signed['command']}, since {signed['start']})"
    except (OSError, ValueError, KeyError, TypeError):
        return "another process"


def _sign(workspace: Path) -> None:
    signature = {
        "pid": os.getpid(),
        "host": platform.node(),
        "command": shlex.join([Path(sys.argv[0]).name, *sys.argv[1:]]) if sys.argv and sys.argv[0] else "python",
        "start": dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
    }
    draft = workspace / f"{HOLDER_FILE}.{os.getpid()}"
    draft.write_text(json.dumps(signature), encoding="utf-8")
    draft.replace(workspace / HOLDER_FILE)
