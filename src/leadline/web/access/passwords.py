"""Passwords: which ones are taken, and how they are kept and compared (argon2id)."""

from __future__ import annotations

import functools
import string
import threading
from importlib import resources
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from leadline.errors import UsageError

SHORTEST: Final = 12
LONGEST: Final = 1000
"""Characters beyond which a password only keeps the machine busy."""

FEWEST_SIGNS: Final = 5
"""Different characters below which length does not help."""

SHORTEST_COMMON: Final = 4
"""Length from which the beginning of a password is looked for among the common ones."""

_AT_ONCE: Final = threading.BoundedSemaphore(2)
"""Each comparison takes 64 MiB; more than two at a time would let strangers fill the memory."""

_AFFIXES: Final = string.digits + string.punctuation + " "


@functools.cache
def common() -> frozenset[str]:
    """Passwords that guessers try first."""
    text = resources.files(__package__).joinpath("common_passwords.txt").read_text(encoding="utf-8")
    return frozenset(line for line in text.splitlines() if not line.startswith("# "))


def require_good(password: str, name: str) -> None:
    """Refuse a password that is guessed; any characters are welcome.

    Raises:
        UsageError: it is short, long, common, a pattern, or the name of its account.
    """
    folded = password.casefold()
    plain = folded.strip(_AFFIXES)
    if len(password) < SHORTEST:
        raise UsageError(f"A password takes {SHORTEST} characters or more; a sentence is easy to keep in mind.")
    if len(password) > LONGEST:
        raise UsageError(f"A password takes {LONGEST} characters at most.")
    if plain in common() or _padded(folded) or len(set(folded)) < FEWEST_SIGNS:
        raise UsageError("That password is among the first that are guessed; take another one.")
    if plain and plain in {name.casefold(), name.split("@")[0].casefold(), "leadline"}:
        raise UsageError("A password must not be the name of the account or of the program.")


def _padded(folded: str) -> bool:
    """Whether a common password stands there, alone or with digits and signs behind it."""
    kernel = len(folded.rstrip(_AFFIXES))
    return any(folded[:end] in common() for end in range(max(kernel, SHORTEST_COMMON), len(folded) + 1))


def hashed(password: str) -> str:
    """What is kept of a password."""
    with _AT_ONCE:
        return _hasher().hash(password)


def matches(kept: str | None, password: str) -> bool:
    """Whether a password is the one kept; without one it takes as long and is wrong."""
    with _AT_ONCE:
        try:
            return _hasher().verify(kept or _nobody(), password[:LONGEST]) and kept is not None
        except (VerificationError, InvalidHashError):
            return False


@functools.cache
def _hasher() -> PasswordHasher:
    return PasswordHasher()


@functools.cache
def _nobody() -> str:
    """A password nobody has, so that unknown names take as long as known ones."""
    from leadline.web.access.secret import token

    return _hasher().hash(token())
