"""Every secret of every test is a canary: none may show in what a test prints or logs, nor in the files it leaves.

`conftest` asks after each test. Where the secret is meant to lie (the file that only its owner reads) is left out.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

SHORTEST = 12
"""Characters from which a text counts: shorter ones stand in files by chance."""
LARGEST = 8 << 20
"""Bytes of a file that is looked through; secrets go into settings, logs, journals and recordings, which are small."""
KEPT = (".secrets", "login-key.pem")

_seen: set[str] = set()


def watch() -> None:
    """Have each secret noted as it is made; does nothing until something has imported where they come from."""
    vault: Any = sys.modules.get("leadline.sources.salesforce.vault")
    if vault is None or hasattr(vault.Secret, "canary"):
        return
    made = vault.Secret.__init__

    def noting(self: Any, text: str) -> None:
        if len(text) >= SHORTEST:
            _seen.add(text)
        made(self, text)

    vault.Secret.__init__ = noting
    vault.Secret.canary = True


def forget() -> None:
    """A new test has no secrets."""
    _seen.clear()


def leaks(shown: str, folder: Path | None) -> list[str]:
    """Where a secret of the test shows: what it printed, or files under a folder."""
    if not _seen:
        return []
    found = ["what the test printed or logged"] if any(text in shown for text in _seen) else []
    raw = [text.encode() for text in _seen]
    for path in sorted(folder.rglob("*")) if folder is not None else ():
        if path.is_file() and not set(KEPT) & set(path.parts) and path.stat().st_size <= LARGEST:
            body = path.read_bytes()
            found += [str(path)] if any(text in body for text in raw) else []
    return found
