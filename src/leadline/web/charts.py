"""Charts of a page: drawn on the server by the specification every chart has, with colours of the page.

The drawing needs no script, prints as it stands and moves nothing when it comes. Its marks carry
their values as labels, from which the page makes tips and steps by arrow keys.
"""

from __future__ import annotations

import functools
import re
import urllib.parse
from collections import OrderedDict
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING, Any

import altair as alt
import pyarrow as pa
from markupsafe import Markup

from leadline import charts
from leadline.charts import files, theme
from leadline.errors import UsageError
from leadline.web.tables import Table, table

if TYPE_CHECKING:
    from leadline.results import Result

_WIDTH = re.compile(r'(<svg[^>]*?) style="max-width: (\d+)px"')
_EMPTY = re.compile(r'(<g[^>]*?) role="graphics-symbol"([^>]*/>|[^>]*></g>)')
_UNSEEN = re.compile(
    r'<path class="(?:fore|back)ground" aria-hidden="true" d="[^"]*"(?: pointer-events="none")?(?: display="none")?/>'
)
_TAG = re.compile(r'<[a-zA-Z]+(?: [-:a-zA-Z0-9]+="[^"]*")+ ?/?>')
_SHAPES = re.compile(r'(?<= )(?:d|transform|x|y|x1|x2|y1|y2|width|height)="[^"]*"')
_TOLD = re.compile(r'(?<= aria-label=")[^"]*"')
_EXACT = re.compile(r"\d+\.\d{4,}")
_LONG = re.compile(r"(\d\.\d\d)\d+")
_FONT = re.compile(r' font-family="[^"]*"')
_FALLBACK = re.compile(r"var\((--chart-[a-z-]+), #[0-9a-f]{6}\)")
_KEPT = 400

_FACTS = " · snapshot "
"""What marks the line of a chart that says of which data it is."""

BEHIND = 15
"""Rows of the table behind a chart; its page has all of them."""


@dataclass(frozen=True, slots=True)
class Drawing:
    """A chart taken apart: its title and the lines below it, the drawing without them, what it says in a sentence."""

    title: str
    subtitle: tuple[str, ...]
    svg: str
    sentence: str


@dataclass(frozen=True, slots=True)
class Block:
    """A chart as a template writes it, with its table and its files.

    Attributes:
        result: what it shows.
    """

    id: str
    title: str
    subtitle: tuple[str, ...]
    drawing: Markup
    sentence: str
    grade: str | None
    table: Table | None
    address: str
    svg_href: str
    png_href: str
    board_href: str
    result: Result

    @property
    def names(self) -> tuple[str, ...]:
        """Texts of the data that the sentences of the chart may hold, each once; see `phrases.key`."""
        texts: dict[str, None] = {}
        for column in self.result.table.columns:
            if pa.types.is_string(column.type):
                texts.update(dict.fromkeys(value for value in column.unique().to_pylist() if value))
        return tuple(texts)


def block(result: Result, name: str | None = None, *, title: str = "", table_limit: int = BEHIND) -> Block | None:
    """A chart of a result; None where there is nothing to draw.

    Raises:
        UnknownNameError: results of this kind have no such chart.
    """
    if not result.table.num_rows:
        return None
    chosen = name or charts.names_of(result)[0]
    try:
        drawing = _KEPT_DRAWINGS.get(result, chosen)
    except UsageError:
        # The result has rows and yet nothing that this chart shows.
        return None
    anchor = f"{result.kind}-{chosen}"
    told = "" if result.asked is None else str(result.asked)
    quoted = urllib.parse.quote(told, safe="")
    return Block(
        id=anchor,
        title=title or drawing.title or result.title,
        subtitle=drawing.subtitle,
        drawing=Markup(drawing.svg.replace("@@", anchor)),  # drawn by the library, which escapes text
        sentence=drawing.sentence,
        grade=result.trust.grade,
        table=table(result, limit=table_limit, caption=title),
        address=told,
        svg_href=f"/chart/{chosen}.svg?address={quoted}",
        png_href=f"/chart/{chosen}.png?address={quoted}",
        board_href=f"/boards/add?ask={quoted}&show=chart&chart={chosen}",
        result=result,
    )


class _Drawings:
    """Drawings already made; a chart takes longer than the question it shows."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._made: OrderedDict[tuple[int, str], tuple[Result, Drawing]] = OrderedDict()

    def get(self, result: Result, name: str) -> Drawing:
        """The drawing of a result; one result object is one answer of one snapshot to one reader's rights."""
        with self._lock:
            held = self._made.get((id(result), name))
            if held is not None and held[0] is result:
                self._made.move_to_end((id(result), name))
                return held[1]
        drawing = _draw(result, name)
        with self._lock:
            self._made[id(result), name] = (result, drawing)
            while len(self._made) > _KEPT:
                self._made.popitem(last=False)
        return drawing


_KEPT_DRAWINGS = _Drawings()


def _draw(result: Result, name: str) -> Drawing:
    chart = charts.draw(result, name)
    title, subtitle = _titles(chart)
    chart.title = alt.Undefined
    svg = theme.svg_for_page(files.svg(chart), "@@")
    svg = lean(_EMPTY.sub(r"\1\2", _WIDTH.sub(r'\1 width="\2"', svg)))
    return Drawing(title, subtitle, svg, charts.summary(result, name))


def lean(svg: str) -> str:
    """A drawing without what nobody sees: frames without paint, a font and colours the page has, thousandths of pixels and of values."""
    svg = _FALLBACK.sub(r"var(\1)", _FONT.sub("", _UNSEEN.sub("", svg)))
    svg = _TOLD.sub(lambda told: _EXACT.sub(lambda number: f"{float(number[0]):.2f}", told[0]), svg)
    return _TAG.sub(lambda tag: _SHAPES.sub(lambda part: _LONG.sub(r"\1", part[0]), tag[0]), svg)


def _titles(chart: Any) -> tuple[str, tuple[str, ...]]:
    """Title and lines below it, as the specification has them."""
    told = chart.to_dict().get("title") or {}
    if isinstance(told, str):
        return told, ()
    below = told.get("subtitle") or ()
    lines = (below,) if isinstance(below, str) else tuple(below)
    # Moment and snapshot stand above every page.
    return str(told.get("text", "")), tuple(line for line in lines if _FACTS not in line)


@functools.lru_cache(maxsize=512)
def spark(values: tuple[float, ...]) -> str:
    """Points of a line through values, in a box of 120 × 28; empty for fewer than two."""
    if len(values) < 2:
        return ""
    top = max(values) or 1.0
    step = 120 / (len(values) - 1)
    return " ".join(f"{at * step:.1f},{26 - 24 * value / top:.1f}" for at, value in enumerate(values))
