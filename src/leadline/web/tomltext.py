"""Writing small TOML files that people read: text, numbers, lists of tables."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Mapping
from typing import Any

from leadline.render.present import clean

_BARE = re.compile(r"[A-Za-z0-9_-]+")
_NO_NAME = re.compile(r"[^a-z0-9]+")
LONGEST_NAME = 60


def text(value: Any) -> str:
    """A value as TOML writes it.

    Raises:
        TypeError: a kind of value these files do not hold.
    """
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        # What JSON escapes TOML reads alike; the one sign it leaves bare and TOML forbids is no text anyway.
        return json.dumps(clean(value), ensure_ascii=False)
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(text, value)) + "]"
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key(name)} = {text(one)}" for name, one in value.items()) + "}"
    raise TypeError(f"{type(value).__name__} stands in no file of this kind")


def key(name: str) -> str:
    """A key; odd ones in quotes."""
    return name if _BARE.fullmatch(name) else text(name)


def pairs(values: Mapping[str, Any]) -> str:
    """Lines `key = value`; empty values are left out."""
    return "".join(
        f"{key(name)} = {text(value)}\n" for name, value in values.items() if value not in ("", None, [], {})
    )


def file_name(title: str, *, joint: str = "-", empty: str = "board") -> str:
    """A name for a file made of letters, digits and one joint, whatever the title holds."""
    plain = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode().lower()
    name = _NO_NAME.sub(joint, plain)[:LONGEST_NAME].strip(joint)
    return name or empty
