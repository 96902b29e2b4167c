"""Faults of a formula as it stands in the configuration, as sentences beside their key."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from leadline.errors import FormulaError
from leadline.formulas import kinds
from leadline.formulas.parser import parse
from leadline.formulas.shipped import SHIPPED


def faults(expression: str, shown_as: str | None, stages: Sequence[str] | None) -> Iterator[tuple[str, str]]:
    """What is wrong with the keys of a formula: (key, sentence).

    Args:
        expression: its text.
        shown_as: its format, where one is set that exists.
        stages: the stages of its funnel; None where the funnel is not known.
    """
    try:
        node = parse(expression)
        kinds.format_of(node)
    except FormulaError as error:
        yield "expression", _placed(error)
        return
    for column, sentence in kinds.unknown_stages(node, stages) if stages is not None else ():
        yield "expression", f"column {column}: {sentence}"
    wanted = next((one for one in kinds.FORMATS if one == shown_as), None)
    if wanted is not None:
        try:
            kinds.format_of(node, wanted)
        except FormulaError as error:
            yield "format", _placed(error)


def name_fault(name: str) -> str:
    """What is wrong with the name of a formula, or an empty string."""
    if name in SHIPPED:
        return "is a formula that Leadline ships; choose another name, so that one name means one thing"
    if not (name.isascii() and name.replace("_", "a").replace("-", "a").isalnum()):
        return "must be named with letters, digits, _ and - only, so that it can be typed and linked"
    return ""


def _placed(error: FormulaError) -> str:
    return f"column {error.column}: {error.reason}" if error.column else error.reason
