"""Which formulas divide a part by its whole: those whose value has an interval of its own.

`won_count / (won_count + lost_count)` is such a share, `SQL / MQL` is not: those who became SQL in a
month need not be among its MQLs.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence

from leadline.formulas import kinds
from leadline.formulas.tree import OUTCOME_COUNTS, Binary, Node, Operand, Parent


def share(node: Node, stages: Sequence[str], optional: Collection[str] = ()) -> tuple[Node, Node] | None:
    """Part and whole, both counts, if the formula is a part of distinct units divided by all of them.

    Args:
        node: the tree, its stages spelt as in `stages`.
        stages: the stages of the funnel in order.
        optional: those that a unit may pass by without having reached them.
    """
    if not isinstance(node, Binary) or node.sign != "/":
        return None
    part, whole = node.left, node.right
    if kinds.kind_of(part) != kinds.COUNT or kinds.kind_of(whole) != kinds.COUNT:
        return None
    inside = _of_its_parent(part, whole) or _of_a_sum(part, whole) or _of_a_cohort(part, whole, stages, optional)
    return (part, whole) if inside or _of_a_step(part, whole) else None


def _of_its_parent(part: Node, whole: Node) -> bool:
    """SQL / parent(SQL)."""
    return isinstance(whole, Parent) and whole.inner == part and isinstance(part, Operand)


def _terms(node: Node) -> list[Operand] | None:
    """The operands that are added, or None if anything else stands there."""
    if isinstance(node, Operand):
        return [node]
    if isinstance(node, Binary) and node.sign == "+":
        left, right = _terms(node.left), _terms(node.right)
        return None if left is None or right is None else left + right
    return None


def _of_a_sum(part: Node, whole: Node) -> bool:
    """Terms of a sum of units that cannot be in two of its terms: outcomes, or standing in stages."""
    some, every = _terms(part), _terms(whole)
    if some is None or every is None or Counter(some) - Counter(every) or max(Counter(every).values()) > 1:
        return False
    return all(one.what in OUTCOME_COUNTS[:2] for one in every) or all(one.what == "standing" for one in every)


def _of_a_step(part: Node, whole: Node) -> bool:
    """converted(A, B) / started(A, B)."""
    return (
        isinstance(part, Operand)
        and isinstance(whole, Operand)
        and (part.what, whole.what) == ("converted", "started")
        and part.stages == whole.stages
    )


def _of_a_cohort(part: Node, whole: Node, stages: Sequence[str], optional: Collection[str]) -> bool:
    """cohort(B) / cohort(A), B not before A: who reached a stage reached those before it."""
    if not (isinstance(part, Operand) and isinstance(whole, Operand) and part.what == whole.what == "cohort"):
        return False
    first, later = whole.stages[0], part.stages[0]
    return first == later or (first not in optional and stages.index(first) < stages.index(later))
