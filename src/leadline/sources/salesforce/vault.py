"""Where secrets lie: the keyring of the system, or a file only its owner can read.

A secret is a `Secret` from the moment it is read: its text leaves only through `reveal`, so
neither a repr nor a message can hold it by accident.
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
from pathlib import Path
from typing import Final, Literal, Protocol

from leadline.errors import LoginError

Place = Literal["keyring", "file"]
FOLDER: Final = ".secrets"
_FILE: Final = "salesforce.json"
_SERVICE: Final = "leadline-salesforce"
_OTHERS: Final = 0o077


class Secret:
    """A text that does not show itself."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """The text, for the one place that sends it."""
        return self._text

    def __repr__(self) -> str:
        return "Secret(…)"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and secrets.compare_digest(self._text.encode(), other._text.encode())

    def __hash__(self) -> int:
        return hash(self._text)


class Vault(Protocol):
    """Keeps secrets by name."""

    def get(self, name: str) -> Secret | None:
        """The secret, or None."""

    def put(self, name: str, secret: Secret) -> None:
        """Keep a secret; when this returns it is stored."""


class FileVault:
    """Secrets in `.secrets/salesforce.json` of the workspace, mode 0600, which version control ignores."""

    def __init__(self, workspace: Path) -> None:
        self.path = workspace / FOLDER / _FILE

    def get(self, name: str) -> Secret | None:
        """The secret, or None.

        Raises:
            LoginError: others can read the file.
        """
        text = self._all().get(name)
        return None if text is None else Secret(text)

    def put(self, name: str, secret: Secret) -> None:
        """Keep a secret: written beside, on the disk, then in place."""
        kept = self._all() | {name: secret.reveal()}
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        (self.path.parent / ".gitignore").write_text("*\n", encoding="utf-8")
        draft = self.path.with_name(f".{_FILE}.{secrets.token_hex(4)}")
        handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8") as stream:
            json.dump(kept, stream)
            stream.flush()
            os.fsync(stream.fileno())
        draft.replace(self.path)

    def _all(self) -> dict[str, str]:
        if not self.path.exists():
            return {}
        require_private(self.path)
        try:
            return dict(json.loads(self.path.read_text(encoding="utf-8")))
        except ValueError:
            raise LoginError(f"{self.path} is damaged. Remove it and run `leadline connect` again.") from None


class KeyringVault:
    """Secrets in the keyring of the system, under the folder of the workspace."""

    def __init__(self, workspace: Path) -> None:
        self._prefix = hashlib.sha256(str(workspace.resolve()).encode()).hexdigest()[:16]

    def get(self, name: str) -> Secret | None:
        """The secret, or None.

        Raises:
            LoginError: the keyring is closed or gone.
        """
        import keyring
        from keyring.errors import KeyringError

        try:
            text = keyring.get_password(_SERVICE, f"{self._prefix}:{name}")
        except KeyringError as error:
            raise _closed(error) from None
        return None if text is None else Secret(text)

    def put(self, name: str, secret: Secret) -> None:
        """Keep a secret.

        Raises:
            LoginError: the keyring is closed or gone.
        """
        import keyring
        from keyring.errors import KeyringError

        try:
            keyring.set_password(_SERVICE, f"{self._prefix}:{name}", secret.reveal())
        except KeyringError as error:
            raise _closed(error) from None


def has_keyring() -> bool:
    """Whether the system has a keyring that keeps things."""
    import keyring

    # Backends without a keyring behind them have priority 0 or below.
    return float(keyring.get_keyring().priority) > 0


def open_vault(workspace: Path, place: Place) -> Vault:
    """The vault of a workspace."""
    return KeyringVault(workspace) if place == "keyring" else FileVault(workspace)


def require_private(path: Path) -> None:
    """See that only its owner can read a file.

    Raises:
        LoginError: others can.
    """
    if os.name == "posix" and path.stat().st_mode & _OTHERS:
        raise LoginError(f"Others can read {path}, which holds a secret. Close it: chmod 600 {path}")


def _closed(error: Exception) -> LoginError:
    return LoginError(
        f"The keyring of this system cannot be used ({type(error).__name__}). Unlock it, or keep the secrets in a file: "
        "leadline connect --secrets file"
    )
