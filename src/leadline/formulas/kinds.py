"""What a formula yields, and whether its parts may be put together.

Every part is so much money to some power, times days to some power: a sum of money has the powers
(1, 0), a time (0, 1), a count or a ratio (0, 0), money per day (1, -1). Products add the powers,
sums and comparisons need them equal. A number written in the formula is plain: it takes the meaning
of what it stands beside, money in whole units of the reporting currency and days.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from leadline.errors import FormulaError, did_you_mean
from leadline.formulas import tree
from leadline.formulas.tree import Binary, Call, Node, Null, Number, Operand, Parent, Previous, Unary

Shape = Literal["plain", "count", "ratio", "number", "truth", "nothing"]
Format = Literal["number", "rate", "money", "days"]
FORMATS: tuple[Format, ...] = ("number", "rate", "money", "days")


@dataclass(frozen=True, slots=True)
class Kind:
    """What a node yields.

    Attributes:
        shape: plain (a number as written), count (whole units), ratio (count ÷ count), number (any
            other), truth (yes or no), nothing (null).
        money, days: powers.
    """

    shape: Shape
    money: int = 0
    days: int = 0

    @property
    def powers(self) -> tuple[int, int]:
        """Powers of money and of days."""
        return self.money, self.days

    @property
    def format(self) -> Format:
        """How it is shown unless told otherwise."""
        if self.money:
            return "money"
        if self.days:
            return "days"
        return "rate" if self.shape == "ratio" else "number"

    def __str__(self) -> str:
        names = {(0, 0): "a number", (1, 0): "money", (0, 1): "days", (1, -1): "money per day"}
        own = {"count": "a count", "truth": "yes or no", "ratio": "a ratio"}
        return own.get(self.shape) or names.get(self.powers, f"money^{self.money} × days^{self.days}")


PLAIN, COUNT, TRUTH, NOTHING = Kind("plain"), Kind("count"), Kind("truth"), Kind("nothing")
MONEY, DAYS = Kind("number", money=1), Kind("number", days=1)

_FITS: dict[Format, set[tuple[int, int]]] = {
    "number": {(0, 0)},
    "rate": {(0, 0)},
    "money": {(1, 0), (1, -1)},
    "days": {(0, 1)},
}


def kind_of(node: Node) -> Kind:
    """What a formula yields.

    Raises:
        FormulaError: parts that cannot be put together.
    """
    match node:
        case Number():
            return PLAIN
        case Null():
            return NOTHING
        case Operand():
            return of_operand(node)
        case Unary():
            return _unary(node)
        case Binary():
            return _binary(node)
        case Call():
            return _call(node)
        case Parent() | Previous():
            return kind_of(node.inner)


def of_operand(node: Operand) -> Kind:
    """What an operand is."""
    if node.money or node.what in tree.OUTCOME_AMOUNTS:
        return MONEY
    return DAYS if node.what in tree.DURATIONS else COUNT


def format_of(node: Node, wanted: Format | None = None) -> Format:
    """How the value of a formula is shown.

    Raises:
        FormulaError: it yields yes or no or nothing at all, or `wanted` does not fit what it yields.
    """
    found = kind_of(node)
    if found.shape == "truth":
        raise FormulaError("yields yes or no; write if(…, 1, 0) for a number", node.column)
    if not tree.operands(node):
        raise FormulaError("names no stage and nothing else that is counted", node.column)
    fitting = [one for one in FORMATS if found.powers in _FITS[one]]
    if not fitting:
        raise FormulaError(f"yields {found}, which has no meaning of its own", node.column)
    if wanted is not None and wanted not in fitting:
        raise FormulaError(f"yields {found}, which cannot be shown as {wanted}; format: {' or '.join(fitting)}")
    return wanted or found.format


def named(node: Node, stages: Sequence[str]) -> Node:
    """The tree with every stage spelt as in `stages`, which it is found in whatever its case.

    Raises:
        FormulaError: stages that do not exist, all of them.
    """
    faults = list(unknown_stages(node, stages))
    if faults:
        raise FormulaError("; ".join(fault for _, fault in faults), faults[0][0])
    spelt = {stage.casefold(): stage for stage in stages}
    return _spelt(node, spelt)


def unknown_stages(node: Node, stages: Sequence[str]) -> Iterator[tuple[int, str]]:
    """Column and sentence of every stage that does not exist; each name once."""
    known = {stage.casefold() for stage in stages}
    told: set[str] = set()
    for one in tree.operands(node):
        for stage in one.stages:
            if stage.casefold() not in known | told:
                told.add(stage.casefold())
                yield (
                    one.column,
                    f"there is no stage {stage!r}.{did_you_mean(stage, stages)} Stages: {', '.join(stages)}",
                )
    for one in tree.operands(node):
        if len(one.stages) == 2 and {stage.casefold() for stage in one.stages} <= known:
            order = [stage.casefold() for stage in stages]
            first, last = (order.index(stage.casefold()) for stage in one.stages)
            if first >= last:
                yield (
                    one.column,
                    f"{one.stages[0]} does not come before {one.stages[1]}: write the earlier stage first",
                )


def _spelt(node: Node, spelt: dict[str, str]) -> Node:
    match node:
        case Operand():
            return replace(node, stages=tuple(spelt[stage.casefold()] for stage in node.stages))
        case Unary() | Parent() | Previous():
            return replace(node, inner=_spelt(node.inner, spelt))
        case Binary():
            return replace(node, left=_spelt(node.left, spelt), right=_spelt(node.right, spelt))
        case Call():
            return replace(node, arguments=tuple(_spelt(one, spelt) for one in node.arguments))
        case _:
            return node


def _value(node: Node, what: str) -> Kind:
    """The kind of a part that must be a value, not yes or no."""
    found = kind_of(node)
    if found.shape == "truth":
        raise FormulaError(f"{what} needs a number and got yes or no", node.column)
    return found


def _truth(node: Node, what: str) -> None:
    found = kind_of(node)
    if found.shape not in ("truth", "nothing"):
        raise FormulaError(f"{what} needs yes or no (a comparison) and got {found}", node.column)


def _unary(node: Unary) -> Kind:
    if node.sign == "not":
        _truth(node.inner, "`not`")
        return TRUTH
    return _value(node.inner, "`-`")


def _binary(node: Binary) -> Kind:
    if node.sign in ("and", "or"):
        _truth(node.left, f"`{node.sign}`")
        _truth(node.right, f"`{node.sign}`")
        return TRUTH
    left, right = _value(node.left, f"`{node.sign}`"), _value(node.right, f"`{node.sign}`")
    if node.sign in ("*", "/"):
        return _product(node.sign, left, right)
    both = _same(left, right, f"`{node.sign}`", node.column)
    return both if node.sign in ("+", "-") else TRUTH


def _product(sign: str, left: Kind, right: Kind) -> Kind:
    turn = 1 if sign == "*" else -1
    money, days = left.money + turn * right.money, left.days + turn * right.days
    if "nothing" in (left.shape, right.shape):
        return NOTHING
    if left.shape == right.shape == "plain":
        return PLAIN
    if money or days:
        return Kind("number", money, days)
    if sign == "/" and left.shape != "plain" and right.shape != "plain":
        return Kind("ratio")
    both = {left.shape, right.shape}
    if sign == "*" and both == {"ratio"}:
        return Kind("ratio")
    return COUNT if sign == "*" and both == {"count"} else Kind("number")


def _same(left: Kind, right: Kind, what: str, column: int) -> Kind:
    """The kind of two parts that are added, compared or chosen between."""
    if left.shape == "nothing":
        return right
    if right.shape == "nothing":
        return left
    if left.shape == "plain" or right.shape == "plain":
        other = right if left.shape == "plain" else left
        # 2.5 beside a count is no count any more.
        return Kind("number") if other.shape == "count" else other
    if left.powers != right.powers:
        raise FormulaError(f"{what} cannot put {left} and {right} together", column)
    return left if left.shape == right.shape else replace(left, shape="number")


def _call(node: Call) -> Kind:
    if node.name == "isnull":
        kind_of(node.arguments[0])
        return TRUTH
    if node.name == "if":
        _truth(node.arguments[0], "the first argument of if")
    values = node.arguments[1:] if node.name == "if" else node.arguments
    found = _value(values[0], node.name)
    for one in values[1:]:
        found = _same(found, _value(one, node.name), node.name, one.column)
    return found
