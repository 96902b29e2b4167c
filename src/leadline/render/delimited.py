"""A result as CSV that a spreadsheet cannot be made to run.

RFC 4180: comma, double quotes where needed, CRLF, UTF-8. Text that a spreadsheet would take
for a formula gets an apostrophe in front; plain negative numbers stay numbers.
"""

from __future__ import annotations

import csv
import io
import json
import re

import pyarrow as pa
import pyarrow.compute as pc

from leadline.results import Result

# A cell that begins like this can be evaluated (OWASP, CSV injection), unless it is a number.
# Line feed and the full-width forms are evaluated by some programs and locales only.
_FORMULA = r"^[=+\-@\t\r\n\x00＝＋－＠]"
_NUMBER = r"^-[0-9]+(\.[0-9]+)?$"


def csv_text(result: Result, *, machine: bool = False) -> str:
    """The rows as CSV with a header.

    Args:
        result: what to write.
        machine: text cells exactly as they are, for programs only; never open such a file in
            a spreadsheet when the names in it come from outside.
    """
    table = result.plain()
    names, columns = table.column_names, table.columns
    if not machine:
        names = [_safe_name(name) for name in names]
        columns = [_safe(values) if pa.types.is_string(values.type) else values for values in columns]
    target = io.StringIO()
    writer = csv.writer(target, lineterminator="\r\n")
    writer.writerow(names)
    writer.writerows(zip(*(_texts(values).to_pylist() for values in columns), strict=True))
    return target.getvalue()


def _texts(values: pa.ChunkedArray) -> pa.ChunkedArray:
    """Values as the text CSV holds: booleans in lower case, lists as JSON, nothing for a null."""
    if pa.types.is_list(values.type):
        return pa.chunked_array([pa.array([_json(value) for value in values.to_pylist()], pa.string())])
    return values.cast(pa.string()) if pa.types.is_boolean(values.type) else values


def _json(value: list[dict[str, object]] | None) -> str | None:
    return None if value is None else json.dumps(value, ensure_ascii=False)


def _safe(values: pa.ChunkedArray) -> pa.ChunkedArray:
    risky = pc.and_not(pc.match_substring_regex(values, _FORMULA), pc.match_substring_regex(values, _NUMBER))
    return pc.if_else(risky, pc.binary_join_element_wise("'", values, ""), values)


def _safe_name(name: str) -> str:
    return f"'{name}" if re.match(_FORMULA, name) else name
