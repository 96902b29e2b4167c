"""Sentences of the program in the reader's language: figures and names leave their places open.

A catalogue cannot hold "12 of 146 opportunities have no contact role": the figures are of one
snapshot. It holds "{1} of {2} opportunities have no contact role", and a translation puts the
same places where its language wants them. Names of the data stand in such places as well.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable

from markupsafe import Markup

from leadline.web import locale

NAMES = 500
"""Names looked for in one sentence; more are not read in a chart."""

_FIGURE = r"(?<![\w.,])[-+−]?\d[\d,]*(?:\.\d+)?(?:-\d\d)*(?![\w])"
_PLACE = re.compile(r"\{(\d+)\}")
_BETWEEN = re.compile(r"( · |; )")
_WORDS = re.compile(r"(?<=>)[^<>]+(?=</t(?:ext|span)>)")
_MARK = re.compile(r'(?<= aria-label=")[^"]*(?=")')


def key(text: str, names: Iterable[str] = ()) -> tuple[str, list[str]]:
    """A sentence as it stands in a catalogue, with places for what is of the data, and what belongs there.

    Args:
        text: the sentence.
        names: names of the data that may stand in it; the longest are looked for first.

    Returns:
        "{1} of {2} leads" with ["3", "40"].
    """
    known = sorted({name for name in names if name}, key=lambda name: (-len(name), name))[:NAMES]
    parts = [*(rf"(?<!\w){re.escape(name)}(?!\w)" for name in known), _FIGURE]
    found: list[str] = []

    def place(match: re.Match[str]) -> str:
        found.append(match[0])
        return f"{{{len(found)}}}"

    return re.sub("|".join(parts), place, text), found


def phrase(text: str, names: Iterable[str] = ()) -> str:
    """A sentence of the program in the language at hand; as it is where the catalogue lacks it.

    A line of several parts, "view cohort · hatched: no time", is looked up whole and then part by part.
    """
    if locale.current().code == locale.SOURCE or not text:
        return text
    held = tuple(names)
    whole = _looked_up(text, held)
    if whole is not None:
        return whole
    parts = _BETWEEN.split(text)
    if len(parts) == 1:
        return text
    return "".join(part if at % 2 else _looked_up(part, held) or part for at, part in enumerate(parts))


def drawing(svg: Markup) -> Markup:
    """A chart with its axis titles, legends, labels and the values of its marks in the language at hand."""
    if locale.current().code == locale.SOURCE:
        return svg
    text = _WORDS.sub(lambda match: _escaped(phrase(html.unescape(match[0]))), str(svg))
    return Markup(_MARK.sub(lambda match: _escaped(_told(html.unescape(match[0]))), text))  # escaped part by part


def _looked_up(text: str, names: tuple[str, ...]) -> str | None:
    """The translation of one sentence; None where there is none."""
    same = locale.gettext(text)
    if same != text:
        return same
    open_text, found = key(text, names)
    said = locale.gettext(open_text)
    if said == open_text:
        return None
    # A place that the sentence does not have stays as the catalogue writes it.
    return _PLACE.sub(lambda at: found[int(at[1]) - 1] if 0 < int(at[1]) <= len(found) else at[0], said)


def _told(label: str) -> str:
    """The label of a mark, "stage: MQL; journeys: 402", with the names of its values translated."""
    pairs = [part.partition(": ") for part in label.split("; ")]
    return "; ".join(f"{locale.gettext(name)}{colon}{value}" for name, colon, value in pairs)


def _escaped(text: str) -> str:
    return html.escape(text, quote=True)
