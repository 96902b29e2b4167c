"""`make manual`: the pages of the manual that are made from the program: commands, tables, settings.

A contract test holds them equal to what this makes.
"""

from __future__ import annotations

import datetime as dt
import types
import typing
from pathlib import Path
from typing import Any

import ibis
from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from leadline import config, publish
from leadline.model import catalogue
from leadline.model.source import Source
from leadline.model.store import Store
from tools import cli_manual

DOCS = Path(__file__).resolve().parents[1] / "docs"

TABLES_HEAD = """# The tables of a snapshot

Made from the program by `make manual`; do not edit.

A snapshot is one DuckDB file, `snapshots/<id>.duckdb`, read-only and complete in itself. Any tool that
reads DuckDB can open it. Its tables stand here in the order in which they are built; what their rows
mean is told in [definitions](definitions.md).

Three columns make a **moment**: `…_s` the second (UTC, counted from 1970), by which events are ordered,
`…_day` the day in the reporting zone (counted from 1970-01-01), and `…_is_date` whether the source knew
only the date. `days` turns day numbers into dates and periods. Amounts are whole minor units of the
reporting currency.
"""

SETTINGS_HEAD = """# Settings: `leadline.toml`

Made from the program by `make manual`; do not edit.

The file stands in the workspace. Everything has a default; `leadline init --propose` writes the stages
that your data show, with a comment saying what each rests on. Faults are reported all at once, each with
its key, the value found and what would be right. `leadline init --schema` prints the JSON schema for
editors.
"""

FUNNEL = """
[funnel.people]
stages = [
  { name = "Inquiry", from = [{ object = "CampaignMember", milestone = "response" }] },
  { name = "SQL", from = [{ object = "Opportunity", milestone = "created" }] },
  { name = "Won", from = [{ object = "Opportunity", milestone = "won" }] },
]
"""


def tables() -> str:
    """docs/tables.md: every table and column of a snapshot."""
    store, source, settings = Store(ibis.duckdb.connect()), Source({}), config.parse(FUNNEL)
    moment = dt.datetime(2024, 1, 1, tzinfo=dt.UTC)
    nothing: dict[str, typing.Any] = dict.fromkeys(("spent", "matches", "spill"))
    publish.fill(store, source, settings, moment, numbers={}, findings=(), facts={}, **nothing)
    parts = [TABLES_HEAD]
    for info in (*catalogue.PUBLISHED, *catalogue.EXTRA):
        when = "at as-of, for each funnel" if info.derived else "as known at the load"
        parts.append(f"## {info.name}\n\n{info.text}; {when}. Key: {', '.join(f'`{one}`' for one in info.key)}.\n")
        rows = [
            f"| `{name}` | {str(kind).lower()} | {catalogue.column_text(name)} |"
            for name, kind in store[info.name].schema().items()
        ]
        parts.append("\n".join(["| column | type | what it holds |", "| --- | --- | --- |", *rows]) + "\n")
    return "\n".join(parts)


def settings() -> str:
    """docs/settings.md: every table and key of leadline.toml."""
    return "\n".join([SETTINGS_HEAD, *_sections("", config.Settings, {})])


def _sections(path: str, model: type[BaseModel], place_of: dict[type[BaseModel], str]) -> list[str]:
    """The keys of one settings model, then the sections of the models in it, each model once."""
    keys, nested = [], []
    for name, field in model.model_fields.items():
        key = field.alias or name
        inner = _model_in(field.annotation)
        if inner is None:
            keys.append(f"| `{key}` | {_kind(field)} | {_default(field)} | {field.description or ''} |")
            continue
        where = f"{path}.{key}".strip(".") + _placeholder(field)
        if inner not in place_of:
            place_of[inner] = where
            nested.append((where, inner))
        keys.append(f"| `{key}` | as `{place_of[inner]}` | {_default(field)} | {field.description or ''} |")
    parts = []
    if not path:
        # Tables of the file whose keys the user chooses: they have no keys of their own to list.
        free = [
            (field.alias or name, field)
            for name, field in model.model_fields.items()
            if not _model_in(field.annotation)
        ]
        parts = [f"## `{key}`\n\n{field.description}. A {_kind(field)}.\n" for key, field in free]
    else:
        text = " ".join((model.__doc__ or "").split())
        parts.append(f"## `{path}`\n\n{text}\n")
        parts.append("\n".join(["| key | values | default | meaning |", "| --- | --- | --- | --- |", *keys]) + "\n")
    for where, inner in nested:
        parts += _sections(where, inner, place_of)
    return parts


def _placeholder(field: FieldInfo) -> str:
    origin = typing.get_origin(field.annotation)
    return ".NAME" if origin is dict else "[]" if origin is list else ""


def _model_in(annotation: Any) -> type[BaseModel] | None:
    """The settings model that a type holds, alone or in a list or table."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    for part in typing.get_args(annotation):
        if found := _model_in(part):
            return found
    return None


def _kind(field: FieldInfo) -> str:
    return _kind_of(field.annotation).replace("|", "\\|")


def _kind_of(annotation: Any) -> str:
    arguments = typing.get_args(annotation)
    origin = typing.get_origin(annotation)
    if origin is typing.Literal:
        return " | ".join(f"`{one}`" for one in arguments)
    if origin in (typing.Union, types.UnionType):
        return " | ".join(_kind_of(one) for one in arguments if one is not type(None))
    if origin in (list, tuple):
        return f"list of {_kind_of(arguments[0])}"
    if origin is dict:
        return f"table of {_kind_of(arguments[1])}"
    names = {str: "text", int: "integer", float: "number", bool: "true or false"}
    return names.get(annotation, str(getattr(annotation, "__name__", annotation)))


def _default(field: FieldInfo) -> str:
    value = field.get_default(call_default_factory=True, validated_data={})
    if value is PydanticUndefined:
        return "required"
    if value is None or value in ({}, []) or isinstance(value, BaseModel):
        return ""
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    return f"`{value}`" if not isinstance(value, list) else ", ".join(f"`{one}`" for one in value)


PAGES = {"cli.md": cli_manual.page, "tables.md": tables, "settings.md": settings}


def main() -> None:
    """Write the pages."""
    for name, make in PAGES.items():
        (DOCS / name).write_text(make(), encoding="utf-8")


if __name__ == "__main__":
    main()
