"""The state of a page is its address: readable, defaults left out, and safe to edit by hand.

What cannot be read becomes the default and a notice that says so; no address of a page is an error.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from urllib.parse import quote

from leadline.address import Address, ordered
from leadline.metrics.query import UNITS

SAFE = "=,:/ @"
"""Signs that stay readable in an address of a page."""

GRAINS = ("day", "week", "month", "quarter", "year")
COMMON = ("funnel", "unit", "where", "from", "to", "grain", "as_of", "compare")
"""Parameters of every page, in the order they stand in its address."""

MAX_FILTERS = 20
MAX_LENGTH = 300

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_NAME = re.compile(r"[a-z][a-z0-9_]*")


@dataclass(frozen=True, slots=True)
class Choice:
    """A parameter of a page.

    Attributes:
        name: as in the address.
        values: what it may be, the default first; empty for days and names that data decides.
        kind: choice, choices (several, comma between), day, name, number, address.
    """

    name: str
    values: tuple[str, ...] = ()
    kind: str = "choice"
    default: str = ""

    @property
    def usual(self) -> str:
        """What holds where the address says nothing."""
        return self.default or (self.values[0] if self.values else "")


@dataclass(frozen=True, slots=True)
class State:
    """What a page was asked to show.

    Attributes:
        path: of the page.
        values: parameter → value; only what is not the default.
        where: filters as (dimension, value), in order; an empty value asks for units without one.
        choices: every parameter the page knows.
        notices: what could not be read, in words.
    """

    path: str
    values: Mapping[str, str] = field(default_factory=dict)
    where: tuple[tuple[str, str], ...] = ()
    choices: Mapping[str, Choice] = field(default_factory=dict)
    notices: tuple[str, ...] = ()

    def __getitem__(self, name: str) -> str:
        """The value of a parameter, its default where the address says nothing."""
        return self.values.get(name) or self.choices[name].usual

    def get(self, name: str) -> str:
        """The value of a parameter; empty where there is none."""
        return self.values.get(name, "") or (self.choices[name].usual if name in self.choices else "")

    def several(self, name: str) -> tuple[str, ...]:
        """The values of a parameter that takes several."""
        return tuple(part for part in self.get(name).split(",") if part)

    def options(self, name: str) -> tuple[str, ...]:
        """What a parameter may be."""
        return self.choices[name].values if name in self.choices else ()

    def pairs(self) -> list[tuple[str, str]]:
        """The parameters of the address."""
        told = [(name, self.values[name]) for name in self.choices if name in self.values]
        return told + [("where", f"{name}={value}") for name, value in self.where]

    def href(self, path: str | None = None, **changes: str | None) -> str:
        """The address of this page, or of another one, with parameters changed; None or the default takes one away."""
        told = dict(self.values) | {name: value or "" for name, value in changes.items()}
        kept = {name: value for name, value in told.items() if value and not self._is_usual(name, value)}
        pairs = [
            (name, kept[name])
            for name in [*self.choices, *(one for one in kept if one not in self.choices)]
            if name in kept
        ]
        return written(path or self.path, [*pairs, *(("where", f"{name}={value}") for name, value in self.where)])

    def _is_usual(self, name: str, value: str) -> bool:
        return name in self.choices and value == self.choices[name].usual

    def elsewhere(self, path: str) -> str:
        """The address of another page with what all pages share: filters, period, moment, funnel."""
        shared = [(name, self.values[name]) for name in COMMON if name in self.values and name != "unit"]
        return written(path, [*shared, *(("where", f"{name}={value}") for name, value in self.where)])

    def filtered(self, name: str, value: str) -> str:
        """The address with a filter more, in place of one on the same dimension."""
        return self._with((*(pair for pair in self.where if pair[0] != name), (name, value)))

    def unfiltered(self, name: str) -> str:
        """The address without the filter on a dimension."""
        return self._with(tuple(pair for pair in self.where if pair[0] != name))

    def cleared(self) -> str:
        """The address without any filter and period."""
        kept = {name: value for name, value in self.values.items() if name not in ("from", "to")}
        return State(self.path, kept, (), self.choices).href()

    def _with(self, where: tuple[tuple[str, str], ...]) -> str:
        return State(self.path, self.values, where, self.choices).href()

    def question(self, *names: str) -> tuple[tuple[str, str], ...]:
        """The filters, period and moment, and the page's own parameters of these names, as a question to a metric."""
        told = [("where", f"{name}={value}") for name, value in self.where]
        for name in ("funnel", "unit", "from", "to", "as_of", *names):
            value = self.values.get(name)
            if value and (name in self.choices):
                told.append((name, value))
        return ordered(dict.fromkeys(told))

    def address(self, metric: str, *names: str, **fixed: str | None) -> Address:
        """The question of this page to a metric.

        Args:
            metric: its name.
            names: parameters of the page that the metric takes too.
            fixed: parameters the page decides itself (`from_` for `from`); None leaves one out.
        """
        changes = {name.rstrip("_"): value for name, value in fixed.items()}
        kept = [pair for pair in self.question(*names) if pair[0] not in changes]
        kept += [(name, value) for name, value in changes.items() if value]
        return Address(metric, ordered(kept))


def written(path: str, pairs: Iterable[tuple[str, str]]) -> str:
    """A path with its query; spaces are plus signs."""
    query = "&".join(f"{quote(name)}={quote(value, safe=SAFE).replace(' ', '+')}" for name, value in pairs)
    return f"{path}?{query}" if query else path


def read(path: str, given: Iterable[tuple[str, str]], choices: Iterable[Choice], dimensions: Iterable[str]) -> State:
    """The state an address of a page asks for.

    Args:
        path: of the page.
        given: its parameters as they came.
        choices: the parameters the page knows.
        dimensions: names that can be filtered by.
    """
    known = {choice.name: choice for choice in choices}
    allowed = frozenset(dimensions)
    values: dict[str, str] = {}
    where: dict[str, str] = {}
    notices: list[str] = []
    for name, text in given:
        told = text if name in known and known[name].kind == "address" else text[:MAX_LENGTH]
        if name == "where":
            _filter(told, allowed, where, notices)
        elif name not in known:
            notices.append(f"The address has a parameter {name[:40]!r} that this page does not know; it is left aside.")
        elif name in values:
            notices.append(f"The address says {name} twice; the first one holds.")
        elif told:
            _value(known[name], told, values, notices)
    if values.get("from", "") and values.get("to", "") and values["from"] >= values["to"]:
        notices.append("The period ends before it begins; the whole time is shown.")
        del values["from"], values["to"]
    return State(path, values, tuple(where.items()), known, tuple(notices))


def _filter(text: str, allowed: frozenset[str], where: dict[str, str], notices: list[str]) -> None:
    dimension, sign, wanted = text.partition("=")
    if not sign or dimension not in allowed:
        notices.append(f"The filter {text[:60]!r} names no dimension of this page; it is left aside.")
    elif dimension in where:
        notices.append(f"The address filters by {dimension} twice; the first one holds.")
    elif len(where) >= MAX_FILTERS:
        notices.append(f"Only the first {MAX_FILTERS} filters hold.")
    else:
        where[dimension] = wanted


def _value(choice: Choice, text: str, values: dict[str, str], notices: list[str]) -> None:
    if not _fits(choice, text):
        usual = choice.usual or "nothing"
        notices.append(f"{choice.name}={text[:60]!r} cannot be; {usual} is shown in its place.")
    elif text != choice.usual:
        values[choice.name] = text


def _fits(choice: Choice, text: str) -> bool:
    if choice.kind == "day":
        return _is_day(text)
    if choice.kind == "number":
        return text.isascii() and text.isdigit() and len(text) < 7
    if choice.kind == "choices":
        parts = text.split(",")
        return len(set(parts)) == len(parts) and all(part in choice.values for part in parts)
    if choice.kind in ("name", "address"):
        return text.isprintable()
    return text in choice.values


def _is_day(text: str) -> bool:
    if not _DAY.fullmatch(text):
        return False
    try:
        day = dt.date.fromisoformat(text)
    except ValueError:
        return False
    # Far beyond any record a day only makes calendars long.
    return 1990 <= day.year <= 2100


def common(funnels: Iterable[str]) -> list[Choice]:
    """The parameters of every page."""
    return [
        Choice("funnel", tuple(funnels)),
        Choice("unit", ("", *UNITS)),
        Choice("from", kind="day"),
        Choice("to", kind="day"),
        Choice("as_of", kind="day"),
    ]
