"""Addresses of numbers: `METRIC?unit=…&by=…&where=DIM=VALUE#COLUMN@KEY=VALUE,KEY=VALUE`.

Text before `#` is a question (the query string of the same page), text behind it names one cell of
the answer: its column and the values that tell its row from the others. `as written` holds for
letters, digits and spaces; the signs that part an address stand in it percent-encoded.
"""

from __future__ import annotations

import re
import string
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import unquote

from leadline.errors import UsageError

ORDER = ("unit", "view", "by", "where", "from", "to", "grain", "as_of")
"""Parameters that come first, in this order; others follow by name."""

EXAMPLE = "conversion?by=campaign_type#rate@campaign_type=Webinar,from_stage=MQL"

_NAME = re.compile(r"[a-z][a-z0-9_]*")
_PARTING = frozenset("?&#@=,%+\"'`$\\")
_PLAIN = frozenset(string.ascii_letters + string.digits)


@dataclass(frozen=True, slots=True)
class Address:
    """Where a number stands.

    Attributes:
        metric: name of the metric: volume, conversion, …
        question: parameter → value as text, in the order of the address; `where` may repeat, its
            value is DIM=VALUE.
        column: the column of the number; empty for the whole table.
        cell: column → value as text of the row; None is a cell without a value.
    """

    metric: str
    question: tuple[tuple[str, str], ...] = ()
    column: str = ""
    cell: tuple[tuple[str, str | None], ...] = ()

    def __str__(self) -> str:
        text = self.metric
        if self.question:
            text += "?" + "&".join(f"{name}={_written(name, value)}" for name, value in self.question)
        if self.column:
            text += f"#{self.column}"
        if self.column and self.cell:
            text += "@" + ",".join(f"{_quoted(name)}={_quoted(value)}" for name, value in self.cell)
        return text

    @property
    def table(self) -> Address:
        """The address of the table the number stands in."""
        return Address(self.metric, self.question)

    def values(self, name: str) -> list[str]:
        """Values of a parameter, in order; none if it is not given."""
        return [value for known, value in self.question if known == name]


def parse(text: str) -> Address:
    """Read an address; `str` of the result is the address in its usual form.

    Raises:
        UsageError: it cannot be read.
    """
    whole = text.strip()
    table, _, fragment = whole.partition("#")
    metric, _, query = table.partition("?")
    if not _NAME.fullmatch(metric):
        raise UsageError(f"{text!r} is no address: it begins with no metric. Write one such as {EXAMPLE!r}.")
    column, _, cell = fragment.partition("@")
    if "#" in whole and not _NAME.fullmatch(unquote(column)):
        raise UsageError(f"{text!r} names no column behind '#'. Write one such as {EXAMPLE!r}.")
    question = ordered(_parameter(part, text) for part in query.split("&") if part)
    return Address(metric, question, unquote(column), tuple(_key(part, text) for part in cell.split(",") if part))


def ordered(question: Iterable[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    """Parameters in the order of an address; those of one name stay as they are."""
    places = {name: at for at, name in enumerate(ORDER)}
    return tuple(sorted(question, key=lambda pair: (places.get(pair[0], len(ORDER)), pair[0])))


def _parameter(part: str, text: str) -> tuple[str, str]:
    name, sign, value = part.partition("=")
    if not sign or not _NAME.fullmatch(name):
        raise UsageError(f"{part!r} in {text!r} is no parameter; write NAME=VALUE.")
    return name, unquote(value)


def _key(part: str, text: str) -> tuple[str, str | None]:
    name, sign, value = part.partition("=")
    if not sign or not name:
        raise UsageError(f"{part!r} in {text!r} names no value of a row; write COLUMN=VALUE.")
    return unquote(name), unquote(value) or None


def _written(name: str, value: str) -> str:
    """A value of a parameter; the first `=` of a filter and the commas of a list part what is inside."""
    if name == "where":
        dimension, sign, wanted = value.partition("=")
        return f"{_quoted(dimension)}{sign}{_quoted(wanted)}"
    return ",".join(_quoted(part) for part in value.split(","))


def _quoted(text: str | None) -> str:
    """Text in which no sign parts anything; letters of any alphabet and single spaces inside stay readable."""
    if text is None:
        return ""
    last = len(text) - 1
    return "".join(_character(each, inner=0 < at < last) for at, each in enumerate(text))


def _character(each: str, *, inner: bool) -> str:
    if (
        each in _PLAIN
        or (each == " " and inner)
        or (each.isprintable() and not each.isspace() and each not in _PARTING)
    ):
        return each
    return "".join(f"%{byte:02X}" for byte in each.encode("utf-8", "surrogatepass"))
