"""The value of a formula at one place, in exact fractions.

No value is None, and it spreads: arithmetic and comparison with no value have none, and so has a
division by zero. `and` and `or` are decided where the other side suffices.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Hashable
from fractions import Fraction
from typing import Protocol, TypeVar

from leadline.formulas.tree import Binary, Call, Node, Null, Number, Operand, Parent, Previous, Unary

Value = Fraction | bool | None
Place = TypeVar("Place", bound=Hashable)


class Cells(Protocol[Place]):
    """Where operands have their values: a place is a group of rows in a period."""

    def value(self, operand: Operand, place: Place) -> Fraction | None:
        """The value of an operand at a place; money in major units."""

    def parent(self, place: Place, level: str | None) -> Place:
        """The place of a group above."""

    def previous(self, place: Place, back: int) -> Place | None:
        """The same group so many periods before; None where that lies before the first one."""


_COMPARISONS: dict[str, Callable[[Fraction, Fraction], bool]] = {
    "=": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def evaluate(node: Node, cells: Cells[Place], place: Place) -> Value:
    """The value of a tree at a place."""
    match node:
        case Number():
            return node.value
        case Null():
            return None
        case Operand():
            return cells.value(node, place)
        case Parent():
            return evaluate(node.inner, cells, cells.parent(place, node.level))
        case Previous():
            before = cells.previous(place, node.back)
            return None if before is None else evaluate(node.inner, cells, before)
        case Unary():
            return _unary(node, cells, place)
        case Binary():
            return _binary(node, cells, place)
        case Call():
            return _call(node, cells, place)


def number(node: Node, cells: Cells[Place], place: Place) -> Fraction | None:
    """The value of a tree that yields a number."""
    value = evaluate(node, cells, place)
    return None if value is None else Fraction(value)


def _unary(node: Unary, cells: Cells[Place], place: Place) -> Value:
    inner = evaluate(node.inner, cells, place)
    if inner is None:
        return None
    return not inner if node.sign == "not" else -Fraction(inner)


def _binary(node: Binary, cells: Cells[Place], place: Place) -> Value:
    left, right = evaluate(node.left, cells, place), evaluate(node.right, cells, place)
    if node.sign in ("and", "or"):
        return _both(node.sign, left, right)
    if left is None or right is None:
        return None
    a, b = Fraction(left), Fraction(right)
    if node.sign in _COMPARISONS:
        return _COMPARISONS[node.sign](a, b)
    if node.sign == "/":
        return a / b if b else None
    return a + b if node.sign == "+" else a - b if node.sign == "-" else a * b


def _both(sign: str, left: Value, right: Value) -> bool | None:
    decided = sign == "or"
    if decided in (left, right):
        return decided
    return None if left is None or right is None else not decided


def _call(node: Call, cells: Cells[Place], place: Place) -> Value:
    if node.name == "if":
        asked = evaluate(node.arguments[0], cells, place)
        return None if asked is None else evaluate(node.arguments[1 if asked else 2], cells, place)
    values = [evaluate(one, cells, place) for one in node.arguments]
    if node.name == "isnull":
        return values[0] is None
    there = [value for value in values if value is not None]
    if node.name == "coalesce":
        return there[0] if there else None
    if len(there) < len(values):
        return None
    numbers = [Fraction(value) for value in there]
    return abs(numbers[0]) if node.name == "abs" else min(numbers) if node.name == "min" else max(numbers)
