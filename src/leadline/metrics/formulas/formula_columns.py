"""Columns of a formula's table: the value, its operands, and the values of other groups it looks at."""

from __future__ import annotations

import re
from collections.abc import Collection
from fractions import Fraction

from leadline.formulas import kinds, tree
from leadline.formulas.kinds import Format, Kind
from leadline.formulas.tree import Node, Operand, Parent, Previous
from leadline.results import Column


def own_columns(node: Node, taken: Collection[str]) -> dict[Node, Column]:
    """A column for each operand and each value of another group, in the order written.

    Args:
        node: the tree.
        taken: names of columns that the table has already.
    """
    used = set(taken)
    made: dict[Node, Column] = {}
    for one in tree.walk(node):
        if isinstance(one, Operand | Parent | Previous) and one not in made:
            kind = kinds.kind_of(one)
            if kind.shape == "truth":
                continue
            name = _free(_slug(one, kind.money == 1), used)
            used.add(name)
            made[one] = column(name, kind, tree.text(one))
    return made


def column(name: str, kind: Kind, text: str, shown: Format | None = None) -> Column:
    """A column for values of a kind, in the format given, else in that of the kind."""
    form = shown or kind.format
    if form == "days":
        return Column(name, "number", "days", text)
    if form == "number" and kind.shape == "count":
        return Column(name, "integer", help=text)
    return Column(name, form, help=text)


def _slug(node: Node, money: bool) -> str:
    """The name of a column, without what a name may not hold."""
    ending = "_amount" if money else ""
    if isinstance(node, Parent | Previous):
        back = f"_{node.back}" if isinstance(node, Previous) and node.back > 1 else ""
        inner = _slug(node.inner, money) if isinstance(node.inner, Operand) else f"value{ending}"
        return f"{'parent' if isinstance(node, Parent) else 'previous'}{back}_{inner}"
    assert isinstance(node, Operand)
    if node.what in tree.OUTCOMES:
        return node.what
    stages = "_".join(re.sub(r"\W+", "_", stage.casefold()).strip("_") or "stage" for stage in node.stages)
    return f"{stages}{'' if node.what == 'entered' else f'_{node.what}'}{ending}"


def _free(name: str, taken: set[str]) -> str:
    """The name, with a number before its ending if it is taken."""
    if name not in taken:
        return name
    stem, ending = (name.removesuffix("_amount"), "_amount") if name.endswith("_amount") else (name, "")
    return next(one for n in range(2, 1_000) if (one := f"{stem}_{n}{ending}") not in taken)


def stored(value: Fraction | None, column: Column, digits: int) -> int | float | None:
    """A value as its column holds it: money in minor units, half to even."""
    if value is None:
        return None
    if column.type == "money":
        return round(value * 10**digits)
    return int(value) if column.type == "integer" else float(value)
