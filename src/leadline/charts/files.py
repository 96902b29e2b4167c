"""A chart as a file: PNG, SVG and PDF drawn by vl-convert, HTML with everything inside."""

from __future__ import annotations

import functools
import html
import json
import re
from pathlib import Path
from typing import Any

import altair as alt
import vl_convert

from leadline.errors import UnknownNameError

ENDINGS = (".png", ".svg", ".pdf", ".html")
PNG_SCALE = 2

# No data and no image is ever fetched: a chart holds its own rows.
_OFFLINE: dict[str, Any] = {"allowed_base_urls": []}

_CLIP = re.compile(r'((?:id="|url\(#)clip)(\d+)')

_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>body {{ margin: 0; background: {ground}; }} #chart {{ max-width: 100%; overflow-x: auto; }}</style>
</head>
<body>
<div id="chart" role="img" aria-label="{description}">{svg}</div>
<script>{library}</script>
<script>
const spec = {spec};
vegaEmbed("#chart", spec, {{ast: true, actions: false, renderer: "svg"}});
</script>
</body>
</html>
"""


def save(chart: Any, path: Path) -> None:
    """Write a chart by the ending of the file's name.

    Raises:
        UnknownNameError: the ending is none of `ENDINGS`.
    """
    ending = path.suffix.lower()
    if ending not in ENDINGS:
        raise UnknownNameError("chart format", ending or path.name, ENDINGS)
    if ending == ".svg":
        path.write_text(svg(chart), encoding="utf-8")
    elif ending == ".html":
        path.write_text(page(chart), encoding="utf-8")
    else:
        path.write_bytes(_drawn(chart, ending))


def svg(chart: Any) -> str:
    """The chart as SVG text, the same for the same chart."""
    text = str(vl_convert.vegalite_to_svg(chart.to_dict(), vl_version=_version(), **_OFFLINE))
    # The renderer numbers its clip paths on and on while the process lives.
    numbers: dict[str, int] = {}
    return _CLIP.sub(lambda hit: f"{hit[1]}{numbers.setdefault(hit[2], len(numbers) + 1)}", text)


def page(chart: Any) -> str:
    """The chart as one HTML page that needs no network, and shows the drawing without script."""
    spec = chart.to_dict()
    title = spec.get("title") or {}
    return _PAGE.format(
        title=html.escape(title.get("text", "Chart") if isinstance(title, dict) else str(title)),
        ground=spec["config"]["background"],
        description=html.escape(spec.get("description", ""), quote=True),
        svg=svg(chart),
        library=library(),
        # A name such as </script> inside the data must not end the script element.
        spec=json.dumps(spec).replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029"),
    )


def _drawn(chart: Any, ending: str) -> bytes:
    spec = chart.to_dict()
    if ending == ".png":
        return bytes(vl_convert.vegalite_to_png(spec, vl_version=_version(), scale=PNG_SCALE, **_OFFLINE))
    return bytes(vl_convert.vegalite_to_pdf(spec, vl_version=_version(), **_OFFLINE))


@functools.cache
def library() -> str:
    """Vega, Vega-Lite and Vega-Embed as one script, from the installed package."""
    return str(vl_convert.javascript_bundle("window.vegaEmbed = vegaEmbed;", vl_version=_version())).replace(
        "</script", "<\\/script"
    )


def _version() -> str:
    """The Vega-Lite version that Altair writes, `v6.1` for `v6.1.0`."""
    return ".".join(alt.SCHEMA_VERSION.split(".")[:2])
