"""Groups of options: a dataclass as a parameter of a command becomes its options.

An option is declared once, as an annotated field in `leadline.cli.options`; every command that
takes the group gets the same name, help, values and errors.
"""

from __future__ import annotations

import dataclasses
import functools
import inspect
from collections.abc import Callable
from typing import Any, get_type_hints


def expanded(command: Callable[..., None]) -> Callable[..., None]:
    """The command with each dataclass parameter replaced by that dataclass's fields."""
    signature = inspect.signature(command, eval_str=True)
    groups: dict[str, Any] = {
        name: parameter.annotation
        for name, parameter in signature.parameters.items()
        if dataclasses.is_dataclass(parameter.annotation)
    }
    parameters = [
        option
        for name, parameter in signature.parameters.items()
        for option in (_options(groups[name]) if name in groups else [parameter.replace(kind=_NAMED)])
    ]

    @functools.wraps(command)
    def call(**given: Any) -> None:
        taken = {
            name: kind(**{item.name: given.pop(item.name) for item in dataclasses.fields(kind)})
            for name, kind in groups.items()
        }
        command(**taken, **given)

    call.__signature__ = signature.replace(parameters=parameters)  # type: ignore[attr-defined]  # read by Typer
    call.__annotations__ = {option.name: option.annotation for option in parameters}
    return call


_NAMED = inspect.Parameter.KEYWORD_ONLY


def _options(kind: type) -> list[inspect.Parameter]:
    hints = get_type_hints(kind, include_extras=True)
    return [
        inspect.Parameter(
            item.name,
            _NAMED,
            default=inspect.Parameter.empty if item.default is dataclasses.MISSING else item.default,
            annotation=hints[item.name],
        )
        for item in dataclasses.fields(kind)
    ]
