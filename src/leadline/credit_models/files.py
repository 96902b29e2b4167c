"""Reading model files: the shipped ones, then those of the workspace; every fault of all files at once."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from importlib import resources
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from leadline.config_faults import all_faults, shown
from leadline.credit_models.kinds import KINDS, Model
from leadline.errors import ConfigError, did_you_mean

FOLDER = "models"
"""Folder of a workspace whose files are its models."""

ENDING = ".toml"
_NAME = re.compile(r"[a-z][a-z0-9_]*")


def load(folder: Path | None = None) -> dict[str, Model]:
    """Models by name: the shipped ones, and those of a folder; a missing folder has none.

    Raises:
        ConfigError: files of the folder have faults (all of all files listed).
    """
    known = _shipped()
    faults: list[str] = []
    for path in sorted(folder.glob(f"*{ENDING}")) if folder is not None and folder.is_dir() else ():
        model, found = read(path.read_bytes(), path.stem, known)
        faults += [f"{path.name}: {fault}" for fault in found]
        if model is not None:
            known[path.stem] = model
    if faults:
        raise ConfigError(str(folder), faults)
    return known


def read(content: bytes, name: str, known: Mapping[str, Model]) -> tuple[Model | None, list[str]]:
    """One model file: the model, or its faults. `known` are the models whose names are taken."""
    if not _NAME.fullmatch(name):
        return None, [f"is no name of a model; call the file e.g. {_as_name(name)}{ENDING}"]
    try:
        table = tomllib.loads(content.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        return None, [f"byte {error.start} is not UTF-8; save the file as UTF-8"]
    except tomllib.TOMLDecodeError as error:
        return None, [f"is not valid TOML: {error}"]
    return _checked(table, name, known)


def _checked(table: dict[str, Any], name: str, known: Mapping[str, Model]) -> tuple[Model | None, list[str]]:
    kind = table.get("kind")
    if not isinstance(kind, str) or kind not in KINDS:
        near = did_you_mean(kind, KINDS) if isinstance(kind, str) else ""
        return None, [f"kind = {shown(kind)}: must be one of {', '.join(map(repr, KINDS))}.{near}"]
    faults = _clash(table, name, known)
    try:
        model = KINDS[kind].model_validate(table)
    except ValidationError as error:
        return None, faults + all_faults(error, KINDS[kind])
    return (None if faults else model), faults


def _clash(table: dict[str, Any], name: str, known: Mapping[str, Model]) -> list[str]:
    """A name that is taken without saying so, and a replacement of nothing."""
    replaces = table.get("replaces", False)
    if name in known and replaces is not True:
        return [
            f"replaces = {shown(replaces)}: a model {name!r} is shipped already; "
            "call the file by another name, or write replaces = true"
        ]
    if name not in known and replaces is True:
        return [f"replaces = true: there is no model {name!r} to replace.{did_you_mean(name, known)}"]
    return []


def _as_name(text: str) -> str:
    plain = re.sub(r"[^a-z0-9]+", "_", text.casefold()).strip("_")
    return plain if _NAME.fullmatch(plain) else f"model_{plain}".rstrip("_")


def _shipped() -> dict[str, Model]:
    found: dict[str, Model] = {}
    for entry in sorted(
        resources.files("leadline.credit_models").joinpath("shipped").iterdir(), key=lambda one: one.name
    ):
        if entry.name.endswith(ENDING):
            name = entry.name.removesuffix(ENDING)
            table = tomllib.loads(entry.read_text(encoding="utf-8"))
            found[name] = KINDS[table["kind"]].model_validate(table)
    return found
