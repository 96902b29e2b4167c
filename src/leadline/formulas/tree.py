"""What a formula is made of, and its text again."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from typing import TypeAlias

COUNTS = ("entered", "cohort", "standing", "sum")
"""Counts of one stage, by view; `sum` is what a Salesforce summary formula adds up."""

STEPS = ("started", "converted")
"""Counts of a step from one stage to another, by the cohort convention."""

OUTCOME_COUNTS = ("won_count", "lost_count", "open_count")
OUTCOME_AMOUNTS = ("won_amount", "lost_amount", "open_amount")
OUTCOMES = OUTCOME_COUNTS + OUTCOME_AMOUNTS
"""Operands without an argument: what closed in the period, and what is open at its end."""

DURATIONS = ("median_days",)
"""Times: in one stage, or from one stage to another."""

FUNCTIONS: dict[str, tuple[int, int]] = {
    "if": (3, 3),
    "isnull": (1, 1),
    "coalesce": (2, 9),
    "min": (1, 9),
    "max": (1, 9),
    "abs": (1, 1),
}
"""Functions of values, with the fewest and the most arguments they take."""

TOTAL, PERIOD = "total", "period"
"""Levels of `parent` that are no dimension."""


@dataclass(frozen=True, slots=True)
class Number:
    """A number as it is written."""

    value: Fraction
    column: int = field(default=1, compare=False)


@dataclass(frozen=True, slots=True)
class Null:
    """No value."""

    column: int = field(default=1, compare=False)


@dataclass(frozen=True, slots=True)
class Operand:
    """Something counted or measured.

    Attributes:
        what: one of COUNTS, STEPS, OUTCOMES, DURATIONS.
        stages: the stages it is about, as written.
        money: the amount of what `what` counts, in place of its number.
    """

    what: str
    stages: tuple[str, ...] = ()
    money: bool = False
    column: int = field(default=1, compare=False)


@dataclass(frozen=True, slots=True)
class Unary:
    """`-x` or `not x`."""

    sign: str
    inner: Node
    column: int = field(default=1, compare=False)


@dataclass(frozen=True, slots=True)
class Binary:
    """Two sides and what stands between them: + - * / = != < <= > >= and or."""

    sign: str
    left: Node
    right: Node
    column: int = field(default=1, compare=False)


@dataclass(frozen=True, slots=True)
class Call:
    """One of FUNCTIONS."""

    name: str
    arguments: tuple[Node, ...]
    column: int = field(default=1, compare=False)


@dataclass(frozen=True, slots=True)
class Parent:
    """The value of a group above: of `level` (a dimension, PERIOD, TOTAL), or the next one up without."""

    inner: Node
    level: str | None = None
    column: int = field(default=1, compare=False)


@dataclass(frozen=True, slots=True)
class Previous:
    """The value of the same group `back` periods before."""

    inner: Node
    back: int = 1
    column: int = field(default=1, compare=False)


Node: TypeAlias = "Number | Null | Operand | Unary | Binary | Call | Parent | Previous"


def children(node: Node) -> tuple[Node, ...]:
    """The nodes right below a node, in the order written."""
    match node:
        case Unary() | Parent() | Previous():
            return (node.inner,)
        case Binary():
            return (node.left, node.right)
        case Call():
            return node.arguments
        case _:
            return ()


def walk(node: Node) -> Iterator[Node]:
    """A node and everything below it, in the order written."""
    yield node
    for child in children(node):
        yield from walk(child)


def operands(node: Node) -> list[Operand]:
    """The different operands of a tree, in the order written."""
    return list(dict.fromkeys(one for one in walk(node) if isinstance(one, Operand)))


_BINDS = {
    "or": 1,
    "and": 2,
    "not": 3,
    **dict.fromkeys(("=", "!=", "<", "<=", ">", ">="), 4),
    "+": 5,
    "-": 5,
    "*": 6,
    "/": 6,
}
_SIGN_BINDS = 7
"""How tightly a leading minus binds; a number, a name and a call bind tighter still."""


def text(node: Node) -> str:
    """A tree as a formula that reads back as the same tree, with no bracket more than that needs."""
    return _text(node)[0]


def _text(node: Node) -> tuple[str, int]:
    """The text, and how tightly its outermost sign binds."""
    match node:
        case Number():
            return _number(node.value), 9
        case Operand():
            return _operand(node), 9
        case Unary():
            binds = _BINDS["not"] if node.sign == "not" else _SIGN_BINDS
            space = " " if node.sign == "not" else ""
            return f"{node.sign}{space}{_inside(node.inner, binds)}", binds
        case Binary():
            binds = _BINDS[node.sign]
            # A comparison stands alone; otherwise the right side of the same sign needs its brackets.
            left = _inside(node.left, binds + (binds == _BINDS["="]))
            return f"{left} {node.sign} {_inside(node.right, binds + 1)}", binds
        case Call():
            return f"{node.name}({', '.join(text(one) for one in node.arguments)})", 9
        case Parent():
            level = "" if node.level is None else f", {name(node.level)}"
            return f"parent({text(node.inner)}{level})", 9
        case Previous():
            return f"previous({text(node.inner)}{f', {node.back}' if node.back != 1 else ''})", 9
        case _:
            return "null", 9


def _inside(node: Node, least: int) -> str:
    inner, binds = _text(node)
    return inner if binds >= least else f"({inner})"


def _number(value: Fraction) -> str:
    if value.denominator == 1:
        return str(value.numerator)
    # What was written as a decimal has a denominator that divides a power of ten.
    places = next(places for places in range(1, 4_000) if 10**places % value.denominator == 0)
    whole, rest = divmod(value.numerator * 10**places // value.denominator, 10**places)
    return f"{whole}.{rest:0{places}d}"


def _operand(node: Operand) -> str:
    if node.what in OUTCOMES:
        return node.what
    stages = ", ".join(name(stage) for stage in node.stages)
    plain = stages if node.what == "entered" else f"{node.what}({stages})"
    return f"amount({plain})" if node.money else plain


RESERVED = frozenset(
    ("null", "and", "or", "not", "amount", "parent", "previous", *FUNCTIONS, *COUNTS, *STEPS, *OUTCOMES, *DURATIONS)
)
"""Words of the language; a stage of that name stands in quotes."""


_PLAIN = re.compile(r"[^\W\d]\w*")


def name(word: str) -> str:
    """A name as a formula writes it: in quotes if it needs them."""
    plain = _PLAIN.fullmatch(word) and word.casefold() not in RESERVED
    return word if plain else '"' + word.replace('"', '""') + '"'
