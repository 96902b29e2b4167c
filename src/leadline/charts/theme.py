"""Colours and type of every chart, for light and dark ground.

A token is a role, not a colour. Each theme gives each token its own hex value, so that a
finished SVG can have its values replaced by CSS variables and follow the page it stands on.
Contrast: text at least 4.5:1, bars and lines at least 3:1 against the ground, in both themes;
hues are told apart by lightness as well, for readers who do not see them.
"""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass
from typing import Any, Literal

Theme = Literal["light", "dark"]

# Liberation Sans is bundled with the renderer and has the widths of Arial and Helvetica, so
# text that was measured without a browser still fits in one.
FONT = "Liberation Sans, Arial, Helvetica, sans-serif"


@dataclass(frozen=True, slots=True)
class Tokens:
    """The colours of one theme by role.

    Attributes:
        ground: behind the chart.
        text, muted: words; what is said aside.
        grid, axis: guides; the track behind bars.
        main, main_soft: the quantity itself; a part of it that is less certain (outlined in main).
        warn: the one thing to look at.
        rest, rest_soft: what belongs to nobody; a part of it (outlined in rest).
        second, third, fourth: further series.
    """

    ground: str
    text: str
    muted: str
    grid: str
    axis: str
    main: str
    main_soft: str
    warn: str
    rest: str
    rest_soft: str
    second: str
    third: str
    fourth: str

    @property
    def series(self) -> list[str]:
        """Colours of several series in one chart."""
        return [self.main, self.warn, self.second, self.third, self.fourth]

    def by_role(self) -> dict[str, str]:
        """Role → hex value."""
        return asdict(self)


THEMES: dict[Theme, Tokens] = {
    "light": Tokens(
        ground="#ffffff",
        text="#1b2430",
        muted="#56616f",
        grid="#e6eaef",
        axis="#8b95a1",
        main="#1763a6",
        main_soft="#b9d6ef",
        warn="#c2480c",
        rest="#7a838e",
        rest_soft="#d9dde2",
        second="#117a65",
        third="#8a3f8f",
        fourth="#8a6500",
    ),
    "dark": Tokens(
        ground="#14191f",
        text="#e8ecf1",
        muted="#a3adb9",
        grid="#2a323c",
        axis="#717c89",
        main="#5aa9e6",
        main_soft="#244a69",
        warn="#f08c4a",
        rest="#8f99a5",
        rest_soft="#3a434e",
        second="#3cc3a4",
        third="#cf94d4",
        fourth="#dcb440",
    ),
}


def config(tokens: Tokens) -> dict[str, Any]:
    """Vega-Lite configuration: quiet axes, readable labels, no frame."""
    return {
        "background": tokens.ground,
        "font": FONT,
        "padding": 16,
        "view": {"stroke": None},
        "title": {
            "anchor": "start",
            "frame": "bounds",
            "color": tokens.text,
            "fontSize": 16,
            "fontWeight": "bold",
            "subtitleColor": tokens.muted,
            "subtitleFontSize": 11.5,
            "subtitlePadding": 6,
            "subtitleLineHeight": 15,
            "offset": 18,
        },
        **_axes(tokens),
        "header": {
            "labelColor": tokens.text,
            "labelFontSize": 12,
            "labelFontWeight": "bold",
            "labelPadding": 4,
            "title": None,
        },
        "legend": {
            "labelColor": tokens.text,
            "labelFontSize": 11.5,
            "orient": "top",
            "title": None,
            "padding": 0,
            "offset": 10,
            "symbolStrokeWidth": 1.5,
        },
        "text": {"color": tokens.text, "fontSize": 12, "font": FONT},
    }


def _axes(tokens: Tokens) -> dict[str, Any]:
    return {
        "axis": {
            "labelColor": tokens.muted,
            "labelFontSize": 11,
            "titleColor": tokens.muted,
            "titleFontSize": 11,
            "titleFontWeight": "normal",
            "gridColor": tokens.grid,
            "domainColor": tokens.axis,
            "tickColor": tokens.axis,
            "domain": False,
            "ticks": False,
            "labelPadding": 6,
            "titlePadding": 8,
        },
        "axisY": {"labelColor": tokens.text, "labelFontSize": 12, "labelLimit": 250},
        "axisX": {"labelFlush": False},
    }


def svg_for_page(svg: str, name: str) -> str:
    """An SVG drawn with the light theme → one that can stand in a page among others.

    Its colours become CSS variables of the page (`--chart-main` and its kin; without them the
    light values hold), and its ids carry `name`, which must be a word of its own on the page.
    """
    for role, value in THEMES["light"].by_role().items():
        svg = svg.replace(f'"{value}"', f'"var({css_variable(role)}, {value})"')
    svg = re.sub(r'(<svg[^>]*?) width="(\d+)" height="\d+"', _scaled, svg, count=1)
    return svg.replace('id="clip', f'id="{name}-clip').replace("url(#clip", f"url(#{name}-clip")


def _scaled(tag: re.Match[str]) -> str:
    """The opening tag without fixed size: as wide as the page lets it be, a fifth above its own at most."""
    return f'{tag[1]} style="max-width: {round(int(tag[2]) * 1.2)}px"'


def css_variables(theme: Theme) -> str:
    """Declarations that give a page's inline charts the colours of a theme."""
    return " ".join(f"{css_variable(role)}: {value};" for role, value in THEMES[theme].by_role().items())


def css_variable(role: str) -> str:
    """`--chart-main-soft` for `main_soft`."""
    return f"--chart-{role.replace('_', '-')}"
