"""Files of a table or of its records: complete, streamed, and safe for spreadsheets."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator
from pathlib import Path

from fastapi import APIRouter, Request, Response
from fastapi.responses import StreamingResponse
from starlette.background import BackgroundTask

from leadline.address import parse
from leadline.errors import UnknownNameError
from leadline.render import write
from leadline.web.view import View

router = APIRouter()

TYPES = {
    "csv": "text/csv; charset=utf-8",
    "json": "application/json",
    "parquet": "application/vnd.apache.parquet",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
CHUNK = 1 << 16
_NAME = re.compile(r"[^a-z0-9]+")


@router.get("/export/{ending}")
def export(request: Request, ending: str, address: str, records: str = "") -> Response:
    """A table as a file, or with `records` the records behind the number."""
    if ending not in TYPES:
        raise UnknownNameError("format", ending, TYPES)
    view = View(request, request.app.state.site.answers.pin(), View.blank(request))
    wanted = parse(address)
    result = view.records(wanted) if records else view.ask(wanted.table)
    place = tempfile.NamedTemporaryFile(prefix="leadline-", suffix=f".{ending}", delete=False)  # noqa: SIM115 # closed below, removed behind the answer
    place.close()
    path = Path(place.name)
    write(result, ending, path)
    view.site.activity.note(request, "export", name=str(wanted), count=result.table.num_rows)
    name = _NAME.sub("-", f"{wanted.metric}{'-records' if records else ''}").strip("-")
    return StreamingResponse(
        _read(path),
        media_type=TYPES[ending],
        headers={
            "Content-Disposition": f'attachment; filename="leadline-{name}-{view.pin.key[:8]}.{ending}"',
            "Content-Length": str(path.stat().st_size),
            "X-Rows": str(result.table.num_rows),
        },
        background=BackgroundTask(path.unlink, missing_ok=True),
    )


def _read(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while piece := file.read(CHUNK):
            yield piece
