"""A chart as a file."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import get_args

from fastapi import APIRouter, Request, Response

from leadline import charts
from leadline.address import parse
from leadline.charts import files
from leadline.charts.theme import Theme
from leadline.errors import UnknownNameError
from leadline.web.view import View

router = APIRouter()

TYPES = {"svg": "image/svg+xml", "png": "image/png"}


@router.get("/chart/{name}.{ending}")
def chart(request: Request, name: str, ending: str, address: str, theme: str = "light") -> Response:
    """The chart of a table, by its name and the ending of the file."""
    if ending not in TYPES:
        raise UnknownNameError("chart format", ending, TYPES)
    shown: Theme = "dark" if theme == "dark" and "dark" in get_args(Theme) else "light"
    view = View(request, request.app.state.site.answers.pin(), View.blank(request))
    drawn = charts.draw(view.ask(parse(address).table), name, shown)
    if ending == "svg":
        body = files.svg(drawn).encode()
    else:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "chart.png"
            files.save(drawn, path)
            body = path.read_bytes()
    told = {"Content-Disposition": f'attachment; filename="leadline-{name}.{ending}"'}
    return Response(body, media_type=TYPES[ending], headers=told)
