"""Questions as text and back: every result of the metrics knows its address, every address can be asked."""

from __future__ import annotations

import datetime as dt
import functools
import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

from leadline.address import Address, ordered
from leadline.errors import UnknownNameError, UsageError

if TYPE_CHECKING:
    from leadline.results import Result

T = TypeVar("T")

WRITTEN = {"start": "from", "end": "to", "models": "model", "factors": "set"}
"""Arguments whose name in an address is another one."""

_ARGUMENT = {name: argument for argument, name in WRITTEN.items()}
_LISTS = frozenset({"by", "models", "factors", "match"})
_NUMBERS = frozenset({"window_days", "landmark_days"})
_SWITCHES = frozenset({"touched", "stuck", "ranked", "intervals"})
_DAYS = frozenset({"start", "end"})


def addressed(of: type[T]) -> type[T]:
    """Make every result that a method of the class returns carry the question it answers."""
    for name, method in list(vars(of).items()):
        told = inspect.isfunction(method) and name != "ask" and not name.startswith("_")
        if told and method.__annotations__["return"] == "Result":
            setattr(of, name, _with_address(name, method))
    return of


def _with_address(metric: str, method: Callable[..., Result]) -> Callable[..., Result]:
    signature = inspect.signature(method)
    usual = {name: parameter.default for name, parameter in signature.parameters.items()}

    @functools.wraps(method)
    def asked(*args: Any, **kwargs: Any) -> Result:
        args[0].require_shown(metric)
        given = dict(signature.bind(*args, **kwargs).arguments)
        given.pop("self")
        given |= given.pop("question", {})
        told = {name: value for name, value in given.items() if value and value != usual.get(name)}
        question = [pair for name, value in told.items() for pair in _texts(name, value)]
        explainer = getattr(args[0], "explained_by", None)
        return replace(method(*args, **kwargs), asked=Address(metric, ordered(question)), explainer=explainer)

    return asked


def addressed_question(metric: str, arguments: Mapping[str, Any]) -> Address:
    """The address of a metric asked with arguments as its method takes them; empty ones are left out."""
    question = [pair for name, value in arguments.items() if value for pair in _texts(name, value)]
    return Address(metric, ordered(question))


def _texts(name: str, value: Any) -> list[tuple[str, str]]:
    """An argument as parameters of an address."""
    written = WRITTEN.get(name, name)
    if isinstance(value, Mapping):
        return [(written, f"{key}={wanted}") for key, wanted in value.items()]
    if isinstance(value, dt.date):
        return [(written, value.isoformat())]
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [(written, ",".join(value))]
    return [(written, "true" if value is True else str(value))]


def ask(metrics: object, address: Address) -> Result:
    """The table an address names, its cell left aside.

    Args:
        metrics: of a class that is `addressed`.
        address: of a table or a cell of it.

    Raises:
        UnknownNameError: no metric of that name, or a parameter it does not take.
        UsageError: a value that cannot be read, or a question that makes no sense.
    """
    members = {name: member for part in type(metrics).__mro__ for name, member in vars(part).items()}
    known = [name for name, member in members.items() if hasattr(member, "__wrapped__")]
    if address.metric not in known:
        raise UnknownNameError("metric", address.metric, known)
    method = getattr(metrics, address.metric)
    allowed = _parameters(method)
    arguments: dict[str, Any] = {}
    for name, text in address.question:
        # Some metrics take one model and call it so, others several.
        argument = name if name in allowed else _ARGUMENT.get(name, name)
        if argument not in allowed:
            raise UnknownNameError(
                "parameter", name, [WRITTEN.get(one, one) for one in allowed], f"metric {address.metric}"
            )
        arguments[argument] = _value(argument, text, arguments.get(argument))
    if missing := [WRITTEN.get(one, one) for one in _required(method) if one not in arguments]:
        raise UsageError(
            f"The metric {address.metric} takes {' and '.join(missing)}: add {missing[0]}=… to the address."
        )
    result: Result = method(**arguments)
    return result


def _required(method: Callable[..., Result]) -> list[str]:
    """Arguments a method cannot do without."""
    told = inspect.signature(method).parameters.values()
    return [one.name for one in told if one.default is one.empty and one.kind is not one.VAR_KEYWORD]


def _parameters(method: Callable[..., Result]) -> list[str]:
    """Arguments a method takes, those of every metric included."""
    names = list(inspect.signature(method).parameters)
    if "question" not in names:
        return names
    # Its keys stand in the module of the method, which imports this one.
    common = inspect.unwrap(method).__globals__["Question"]
    return [*(name for name in names if name != "question"), *common.__annotations__]


def _value(name: str, text: str, before: Any) -> Any:
    """A parameter's text as the argument it stands for."""
    if name == "where":
        dimension, sign, wanted = text.partition("=")
        if not sign or not dimension:
            raise UsageError(f"where={text} is no filter; write where=DIM=VALUE.")
        return {**(before or {}), dimension: wanted}
    if before is not None:
        raise UsageError(f"The parameter {WRITTEN.get(name, name)!r} is given twice.")
    if name in _LISTS:
        return [part for part in text.split(",") if part]
    if name in _SWITCHES:
        return _switch(name, text)
    if name in _NUMBERS or name in _DAYS:
        return _parsed(name, text)
    return text


def _switch(name: str, text: str) -> bool:
    if text not in ("true", "false"):
        raise UsageError(f"{name}={text} is neither true nor false.")
    return text == "true"


def _parsed(name: str, text: str) -> int | dt.date:
    try:
        return int(text) if name in _NUMBERS else dt.date.fromisoformat(text)
    except ValueError as fault:
        wanted = "a whole number" if name in _NUMBERS else "a date such as 2026-03-31"
        raise UsageError(f"{WRITTEN.get(name, name)}={text} is not {wanted}.") from fault
