"""The secret that signs form tokens and shared links: random per workspace, never a default."""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
from typing import Final

from leadline.errors import UsageError
from leadline.web.store import Store

VARIABLE: Final = "LEADLINE_SERVE_SECRET"
"""Environment variable that may hold the secret, e.g. where several servers share one address."""

SHORTEST: Final = 32
"""Characters below which a given secret can be guessed."""

FEWEST_SIGNS: Final = 12
"""Different characters below which a secret is a pattern; of 32 random hexadecimal digits at least
12 of the 16 differ in all but 3 of 10,000 cases, and those are refused with a word on how to make another."""

KNOWN: Final = frozenset(
    [
        "changeme", "change-me", "change_me", "secret", "secretkey", "secret-key", "secret_key", "supersecret",
        "super-secret", "password", "passw0rd", "default", "development", "dev", "test", "testing", "example",
        "insecure", "notsecret", "todo", "mysecret", "mysecretkey", "yoursecretkey", "your-secret-key",
        "your_secret_key", "your_secret_key_here", "your-secret-key-here", "this-is-a-secret", "thisismysecret",
        "thisisnotagoodsecretkeypleasechangeme", "thismustbechangedorsomeonewillsteal", "replaceme", "replace-me",
        "keyboardcat", "keyboard cat", "shhhhh", "s3cr3t", "topsecret", "letmein", "admin", "leadline",
        "thisisaverysecretkeypleasechangeit", "averylongrandomsecretkeychangethis", "temporarysecretkey",
        "longandrandomsecretkey", "notasecretnotasecretnotasecret", "correcthorsebatterystaple", "swordfish",
        "theanswertolifetheuniverseandeverything", "thequickbrownfoxjumpsoverthelazydog", "abcdefghijklmnopqrstuvwxyz",
        "0123456789abcdef0123456789abcdef", "0123456789abcdefghijklmnopqrstuvwxyz", "deadbeefdeadbeefdeadbeefdeadbeef",
        "django-insecure", "flask-secret", "jwtsecret", "sessionsecret", "cookiesecret", "signingkey",
    ]
)  # fmt: skip
"""Secrets that stand in manuals and examples, folded to lower case."""


class Secret:
    """Signs texts; its own text leaves the object nowhere.

    Raises:
        UsageError: the secret given by the environment is short, a pattern, or stands in manuals.
    """

    def __init__(self, store: Store) -> None:
        given = os.environ.get(VARIABLE)
        self._key = (_kept(store) if given is None else _checked(given)).encode()

    def __repr__(self) -> str:
        return "Secret(…)"

    def signature(self, purpose: str, text: str) -> str:
        """Signature of a text for one purpose, 43 characters that may stand in an address."""
        digest = hmac.new(self._key, f"{purpose}\0{text}".encode(), hashlib.sha256).digest()
        return _plain(digest)

    def signed(self, purpose: str, text: str, signature: str) -> bool:
        """Whether the signature is ours; takes equally long for every wrong one."""
        return hmac.compare_digest(self.signature(purpose, text).encode(), signature.encode())


def token() -> str:
    """A new random name of 256 bits that may stand in an address or a cookie."""
    return secrets.token_urlsafe(32)


def fingerprint(text: str) -> str:
    """What is stored of a token: it tells tokens apart and lets nobody in."""
    return hashlib.sha256(text.encode()).hexdigest()


def _plain(digest: bytes) -> str:
    import base64

    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def _kept(store: Store) -> str:
    store.run("INSERT OR IGNORE INTO facts VALUES ('secret', ?)", [token()])
    return str(store.rows("SELECT value FROM facts WHERE name = 'secret'")[0]["value"])


def _checked(given: str) -> str:
    folded = given.strip().casefold()
    # A known secret that was padded or repeated is no better than itself.
    padded = any(folded.replace(known, "").strip("0123456789!-_. ") == "" for known in KNOWN if known in folded)
    if len(given) < SHORTEST or len(set(given)) < FEWEST_SIGNS or padded:
        raise UsageError(
            f"{VARIABLE} is too easy to guess: take {SHORTEST} random characters or more, "
            'e.g. of `python -c "import secrets; print(secrets.token_urlsafe(48))"`, or leave it unset.'
        )
    return given
