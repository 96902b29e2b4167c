"""Findings that somebody accepts for a while: why, and until when; kept in `accepted.toml` of the workspace.

    [[accepted]]
    code = "duplicate-email"
    reason = "One address per shop; merging starts in spring"
    until = 2026-12-31

An acceptance holds for loads up to its last day. After it the finding stands among the others again.
"""

from __future__ import annotations

import datetime as dt
import json
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from leadline.errors import ConfigError, UsageError

FILE_NAME = "accepted.toml"
"""The file of a workspace that holds them."""

_HEAD = """\
# Findings that are accepted for a while (leadline accept CODE --reason TEXT --until DATE).
# They count in every grade as before; --strict passes over them. Delete an entry to withdraw it.
"""
_KEYS = ("code", "reason", "until")


@dataclass(frozen=True, slots=True)
class Acceptance:
    """One finding accepted: its code, why, and the last day of loads it holds for."""

    code: str
    reason: str
    until: dt.date

    def holds(self, day: dt.date) -> bool:
        """Whether it holds for a load of that day."""
        return day <= self.until


def newest(accepted: Iterable[Acceptance], code: str) -> Acceptance | None:
    """The acceptance of a code that holds longest, or None."""
    own = [one for one in accepted if one.code == code]
    return max(own, key=lambda one: one.until, default=None)


def holding(accepted: Iterable[Acceptance], day: dt.date) -> set[str]:
    """Codes that are accepted for a load of that day."""
    return {one.code for one in accepted if one.holds(day)}


def load(path: Path) -> tuple[Acceptance, ...]:
    """What the file says; nothing without one.

    Raises:
        ConfigError: it is no TOML, or an entry lacks something (all faults listed).
    """
    if not path.exists():
        return ()
    try:
        written = tomllib.loads(path.read_bytes().decode("utf-8-sig"))
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(str(path), [f"is not valid TOML: {error}"]) from error
    entries = written.get("accepted", [])
    faults = [f"{key} is no key of this file; write [[accepted]]" for key in written if key != "accepted"]
    if not isinstance(entries, list):
        raise ConfigError(str(path), [*faults, "accepted must be a list of tables [[accepted]]"])
    found = [_entry(at, entry, faults) for at, entry in enumerate(entries, start=1)]
    if faults:
        raise ConfigError(str(path), faults)
    return tuple(one for one in found if one is not None)


def _entry(at: int, entry: Any, faults: list[str]) -> Acceptance | None:
    """One entry; what is wrong with it goes to `faults`."""
    if not isinstance(entry, dict):
        faults.append(f"entry {at} is no table")
        return None
    wrong = [f"entry {at} has an unknown key {key}" for key in entry if key not in _KEYS]
    for key in ("code", "reason"):
        if not isinstance(entry.get(key), str) or not entry[key].strip():
            wrong.append(f"entry {at} needs {key}, a text")
    until = entry.get("until")
    if not isinstance(until, dt.date) or isinstance(until, dt.datetime):
        wrong.append(f"entry {at} needs until, a date such as 2026-12-31")
    faults.extend(wrong)
    return None if wrong else Acceptance(entry["code"], entry["reason"], entry["until"])


def add(path: Path, accepted: Acceptance, load_day: dt.date) -> None:
    """Write an acceptance into the file; an earlier one of the same code goes.

    Raises:
        UsageError: no reason, or a last day before the load it is to hold for.
        ConfigError: the file has faults.
    """
    if not accepted.reason.strip():
        raise UsageError("An accepted finding needs a reason: --reason TEXT.")
    if not accepted.holds(load_day):
        raise UsageError(
            f"--until {accepted.until} lies before the newest load ({load_day}): the acceptance would have expired."
        )
    kept = [one for one in load(path) if one.code != accepted.code]
    text = _HEAD + "".join(_written(one) for one in sorted([*kept, accepted], key=lambda one: one.code))
    draft = path.with_name(f".{path.name}.new")
    draft.write_text(text, encoding="utf-8")
    draft.replace(path)


def _written(one: Acceptance) -> str:
    # A JSON string is a TOML string as well, but for the delete character, which JSON leaves bare.
    texts = (json.dumps(text, ensure_ascii=False) for text in (one.code, one.reason))
    code, reason = (text.replace("\x7f", "\\u007f") for text in texts)
    return f"\n[[accepted]]\ncode = {code}\nreason = {reason}\nuntil = {one.until.isoformat()}\n"
