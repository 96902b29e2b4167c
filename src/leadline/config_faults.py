"""Faults of a configuration in words: the key, the value found, what would be right."""

from __future__ import annotations

import json
import re
import types
from collections.abc import Iterable, Sequence
from typing import Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails, InitErrorDetails, PydanticCustomError

from leadline.errors import did_you_mean

Fault = tuple[str | tuple[str, ...], str]
"""A key relative to the table at hand and a sentence.

The key is text ("" for the table itself, dots and [n] below it) or its parts, where names may hold dots.
"""

_OWN = "leadline"
_SHOWN = 80
_SECRET = re.compile(r"secret|password|token|private", re.IGNORECASE)
"""Keys under which somebody may have written a secret: their values are never repeated."""

_RULES = {
    "string_type": "must be text in quotes",
    "int_type": "must be a whole number without quotes",
    "int_from_float": "must be a whole number",
    "float_type": "must be a number without quotes",
    "bool_type": "must be true or false, without quotes",
    "list_type": "must be a list, e.g. ['a', 'b']",
    "dict_type": "must be a table",
    "model_type": "must be a table",
    "string_too_short": "must have at least {min_length} character(s)",
    "string_too_long": "must have at most {max_length} character(s)",
    "too_short": "must have at least {min_length} item(s)",
    "greater_than_equal": "must be at least {ge}",
    "less_than_equal": "must be at most {le}",
}


def merged(title: str, error: ValidationError | None, found: Iterable[Fault], table: Any) -> ValidationError:
    """One error of a table: what Pydantic found in its keys, then the faults of the table as a whole."""
    details = [_again(item) for item in error.errors()] if error else []
    for key, sentence in found:
        kind = PydanticCustomError(_OWN, "{sentence}", {"sentence": sentence})
        path = _path_of(key)
        details.append(InitErrorDetails(type=kind, loc=path, input=_value_at(table, path)))
    return ValidationError.from_exception_data(title, details)


def all_faults(error: ValidationError, root: type[BaseModel]) -> list[str]:
    """Every fault as one line, in the order of the file's tables, none twice."""
    return list(dict.fromkeys(_sentence(item, root) for item in error.errors()))


def _again(item: ErrorDetails) -> InitErrorDetails:
    context = {**item.get("ctx", {}), "message": item["msg"]}
    kind = PydanticCustomError(item["type"], "{message}", context)
    return InitErrorDetails(type=kind, loc=item["loc"], input=item["input"])


def _path_of(key: str | tuple[str, ...]) -> tuple[str | int, ...]:
    if isinstance(key, tuple):
        return key
    # Names of stages may hold dots, so only the first dot parts table and key.
    head, _, rest = key.partition(".")
    if (match := re.fullmatch(r"(\w+)\[(\d+)\]", head)) is not None:
        return (match[1], int(match[2]), *((rest,) if rest else ()))
    return tuple(part for part in (head, rest) if part)


def _value_at(table: Any, path: Iterable[str | int]) -> Any:
    for part in path:
        if isinstance(table, dict):
            table = table.get(part)
        elif isinstance(table, list) and isinstance(part, int):
            table = table[part]
    return table


def _sentence(item: ErrorDetails, root: type[BaseModel]) -> str:
    loc = [part for part in item["loc"] if part != "[key]"]
    key = key_path(loc)
    value = "(not shown)" if loc and _SECRET.search(str(loc[-1])) else shown(item["input"])
    if item["type"] == "extra_forbidden":
        known = _known_keys(root, loc[:-1])
        return f"{key} = {value}: unknown key. Known here: {', '.join(known)}.{did_you_mean(str(loc[-1]), known)}"
    if item["type"] == "missing":
        return f"{key}: is required and missing"
    return f"{key} = {value}: {_rule(item)}"


def _rule(item: ErrorDetails) -> str:
    context = item.get("ctx", {})
    if item["type"] == "literal_error":
        allowed = re.findall(r"'([^']*)'", str(context["expected"]))
        return f"must be one of {', '.join(map(repr, allowed))}.{did_you_mean(str(item['input']), allowed)}"
    rule = _RULES.get(item["type"])
    return rule.format(**context) if rule else item["msg"]


def key_path(loc: Sequence[str | int]) -> str:
    """The key as one would write it: `funnel.people.stages[2].from[0].field`, odd names in quotes."""
    path = ""
    for part in loc:
        if isinstance(part, int):
            path += f"[{part}]"
        else:
            name = part if re.fullmatch(r"[\w-]+", part) else json.dumps(part, ensure_ascii=False)
            path += f".{name}" if path else name
    return path


def shown(value: Any) -> str:
    """A value as TOML would write it, cut at 80 characters."""
    if isinstance(value, dict):
        text = "{" + ", ".join(f"{key} = {shown(item)}" for key, item in value.items()) + "}"
    elif isinstance(value, list):
        text = "[" + ", ".join(map(shown, value)) + "]"
    elif value is None:
        return "(absent)"
    else:
        text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"


def _known_keys(root: type[BaseModel], loc: Sequence[str | int]) -> list[str]:
    here: Any = root
    for part in loc:
        here = _below(here, part)
    return [field.alias or name for name, field in here.model_fields.items()]


def _below(annotation: Any, part: str | int) -> Any:
    """The type found at one step of a path."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        fields = annotation.model_fields
        return next(field.annotation for name, field in fields.items() if part in (name, field.alias))
    inner = [kind for kind in get_args(annotation) if kind is not type(None)]
    if get_origin(annotation) in (Union, types.UnionType, Literal):
        return _below(inner[0], part)
    return inner[-1]
