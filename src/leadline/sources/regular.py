"""Columns of a batch whose values all have one regular form: typed by a single cast of Arrow's.

Where a value has not exactly that form the answer is None, and the SQL of `typing_sql` reads the
column. So nothing is decided here; what is plain only becomes cheaper.
"""

from __future__ import annotations

import datetime as dt
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from leadline.sources.dates_in import Form
from leadline.sources.typing_sql import CURRENCY, NO_CURRENCY, NO_ID, Handling

_CLOCK: Final = "####-##-##T##:##:##"
_SHAPES: Final[dict[Form, tuple[str, ...]]] = {
    "date": ("####-##-##",),
    "zulu": (f"{_CLOCK}.###Z", f"{_CLOCK}Z"),
    "utc": (f"{_CLOCK}.000+0000",),
}
"""The spellings of a form; # is a digit, which Arrow proves."""
_ID_LENGTH: Final = 18
_YEAR_ONE: Final = (dt.date(1, 1, 1) - dt.date(1970, 1, 1)).days


def taken(handling: Handling, table: pa.Table) -> pa.ChunkedArray | None:
    """The typed values of a column of the batch, or None where they need a closer look."""
    column = handling.column
    if handling.full or len(column.sources) != 1 or column.values:
        return None
    text = table.column(column.sources[0])
    if handling.has_dates:
        return _dates(handling, text)
    if column.kind == "bool":
        return _cast(text, pa.bool_())
    if column.kind == "id":
        return text if _are_long(text) and not _begins(text, NO_ID[:3]) else None
    if column.name == CURRENCY and _begins(text, NO_CURRENCY):
        return None
    return text if column.kind == "text" else None


def has_year_zero(values: pa.ChunkedArray) -> bool:
    """Whether a date or instant lies before the year 1."""
    if not pa.types.is_temporal(values.type):
        return False
    days = pa.types.is_date(values.type)
    first = pc.min(values).cast(pa.int32() if days else pa.int64()).as_py()
    return first is not None and first < (_YEAR_ONE if days else _YEAR_ONE * 86_400_000_000)


def _dates(handling: Handling, text: pa.ChunkedArray) -> pa.ChunkedArray | None:
    form = handling.form
    instants = not handling.dated and handling.column.kind == "datetime"
    if form not in _SHAPES or (form == "date") is instants or (handling.dated and form != "date"):
        return None
    if not all(_has_shape(chunk, _SHAPES[form]) for chunk in text.chunks):
        return None
    typed = _cast(text, pa.timestamp("us", "UTC") if instants else pa.date32())
    if typed is None or has_year_zero(typed):
        return None
    if handling.dated:
        return text
    return typed.cast(pa.timestamp("us")) if instants else typed


def _cast(text: pa.ChunkedArray, kind: pa.DataType) -> pa.ChunkedArray | None:
    try:
        return text.cast(kind)
    except pa.ArrowInvalid:
        return None


def _begins(text: pa.ChunkedArray, start: str) -> bool:
    """Whether a value begins so; `pc.index` would import pandas to look for a value of Python's."""
    return bool(pc.any(pc.starts_with(text, pattern=start)).as_py())


def _are_long(text: pa.ChunkedArray) -> bool:
    return all(_bytes(chunk, _ID_LENGTH) is not None for chunk in text.chunks)


def _has_shape(chunk: pa.Array, shapes: tuple[str, ...]) -> bool:
    return any(_fits(_bytes(chunk, len(shape)), shape) for shape in shapes)


def _fits(values: npt.NDArray[np.uint8] | None, shape: str) -> bool:
    if values is None:
        return False
    return all(mark == "#" or bool((values[:, at] == ord(mark)).all()) for at, mark in enumerate(shape))


def _bytes(chunk: pa.Array, length: int) -> npt.NDArray[np.uint8] | None:
    """The bytes of the values, a row each, if every value has that length; nulls have no row."""
    _, offsets, data = chunk.buffers()
    if len(chunk) == chunk.null_count:
        return np.empty((0, length), np.uint8)
    starts = np.frombuffer(offsets, np.int32)[chunk.offset : chunk.offset + len(chunk) + 1]
    if np.count_nonzero(np.diff(starts) == length) != len(chunk) - chunk.null_count:
        return None
    values = np.frombuffer(data, np.uint8)[starts[0] : starts[-1]]
    return values.reshape(-1, length) if len(values) == length * (len(chunk) - chunk.null_count) else None
