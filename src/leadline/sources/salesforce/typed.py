"""Texts of the API → the types of the ledger, a column at a time.

Both ways in give the same table of texts: a page of Bulk CSV as it stands, and a page of REST
with its digits kept. So one record read both ways is one record.

Of custom fields the ledger keeps texts; numbers and instants among them get one spelling.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pcsv

from leadline.errors import SalesforceError
from leadline.schema import DATE_ONLY, OBJECTS, Kind
from leadline.sources.salesforce.shapes import ObjectShape

ARROW: Final[dict[Kind, pa.DataType]] = {
    "id": pa.string(),
    "text": pa.string(),
    "bool": pa.bool_(),
    "integer": pa.int64(),
    "number": pa.float64(),
    "decimal": pa.decimal128(28, 8),
    "rate": pa.decimal128(28, 12),
    "date": pa.date32(),
    "datetime": pa.timestamp("us"),
}
_EXACT: Final = pa.decimal128(38, 18)
_FRACTION: Final = pa.decimal128(20, 18)
_NUMBERS: Final = frozenset({"int", "long", "double", "currency", "percent"})
_EMPTY_ID: Final = "000000000000000AAA"
_PLACES: Final[dict[Kind, int]] = {"decimal": 8, "rate": 12}


def kinds(name: str, fields: Sequence[str]) -> dict[str, Kind]:
    """Kind of each field of an object as the ledger keeps it, and of the list of date-only fields."""
    known = OBJECTS[name]
    return {field: known.get(field, "text") for field in fields} | {DATE_ONLY: "text"}


def schema(name: str, fields: Sequence[str]) -> pa.Schema:
    """The schema of a file of these fields."""
    return pa.schema([(field, ARROW[kind]) for field, kind in kinds(name, fields).items()])


def from_csv(body: bytes, fields: Sequence[str]) -> pa.Table:
    """A page of Bulk results as texts; an empty value is null, and nothing else is.

    Raises:
        ValueError: it is no CSV of these fields.
    """
    if not body.strip():
        raise ValueError("a page without a header")
    table = pcsv.read_csv(
        io.BytesIO(body),
        read_options=pcsv.ReadOptions(block_size=max(1 << 20, min(len(body) + 1, 1 << 24))),
        parse_options=pcsv.ParseOptions(newlines_in_values=True),
        convert_options=pcsv.ConvertOptions(
            column_types=dict.fromkeys(_header(body), pa.string()), null_values=[""], strings_can_be_null=True
        ),
    )
    if [name.casefold() for name in table.column_names] != [name.casefold() for name in fields]:
        raise ValueError("columns other than those asked for")
    return table.rename_columns(list(fields))


def _header(body: bytes) -> list[str]:
    line = body.partition(b"\n")[0].decode("utf-8-sig").strip()
    return [name.strip().strip('"') for name in line.split(",")]


def from_records(records: Sequence[dict[str, Any]], shape: ObjectShape, fields: Sequence[str]) -> pa.Table:
    """A page of REST records, read with their digits kept, as texts; booleans are typed already.

    Raises:
        ValueError: a value is not what its type says.
    """
    booleans = {name for name in fields if shape.fields[name].type == "boolean"}
    types = pa.schema([(name, pa.bool_() if name in booleans else pa.string()) for name in fields])
    if any(name not in record for record in records[:1] for name in fields):
        raise ValueError("a record without a field that was asked for")
    try:
        return pa.Table.from_pylist(list(records), schema=types)
    except (pa.ArrowInvalid, pa.ArrowTypeError) as error:
        raise ValueError("a value of another type") from error


def typed(texts: pa.Table, shape: ObjectShape) -> pa.Table:
    """The columns of a page in the types of the ledger.

    Raises:
        SalesforceError: a value does not fit its field; the message names the field, not the value.
    """
    fields = texts.column_names
    columns = []
    for name, kind in kinds(shape.name, fields).items():
        if name == DATE_ONLY:
            columns.append(pa.nulls(texts.num_rows, pa.string()))
            continue
        try:
            columns.append(_column(texts.column(name), kind, shape.fields[name].type))
        except pa.ArrowInvalid:
            raise SalesforceError(
                f"{shape.name}.{name} holds values that are no {kind}, as which it is kept; in the org it is of type "
                f"{shape.fields[name].type}. Nothing was changed."
            ) from None
    return pa.table(columns, schema=schema(shape.name, fields))


def _column(values: pa.ChunkedArray, kind: Kind, salesforce_type: str) -> pa.ChunkedArray:
    if kind == "text":
        return _text(values, salesforce_type)
    if kind == "id":
        return pc.if_else(pc.equal(values, _EMPTY_ID), pa.scalar(None, pa.string()), values)
    if kind == "datetime":
        return values.cast(pa.timestamp("us", "UTC")).cast(pa.timestamp("us"))
    if kind in _PLACES:
        return pc.round(values.cast(_EXACT), _PLACES[kind], "half_to_even").cast(ARROW[kind])
    if kind == "integer":
        return values.cast(_EXACT).cast(pa.int64())
    return values.cast(ARROW[kind])


def _text(values: pa.ChunkedArray, salesforce_type: str) -> pa.ChunkedArray:
    values = values.cast(pa.string())
    if salesforce_type in _NUMBERS:
        whole = pc.replace_substring_regex(_digits(values.cast(_EXACT)), r"^(-?\d+)\.0+$", r"\1")
        return pc.replace_substring_regex(whole, r"^(-?\d+\.\d*[1-9])0+$", r"\1")
    if salesforce_type == "datetime":
        whole = pc.replace_substring_regex(values, r"^(.{19})(?:\.0+)?(?:Z|[+]0000)$", r"\1Z")
        return pc.replace_substring_regex(whole, r"^(.{19}\.\d*[1-9])0*(?:Z|[+]0000)$", r"\1Z")
    return values


def _digits(exact: pa.ChunkedArray) -> pa.ChunkedArray:
    """Numbers in plain digits; Arrow by itself writes what is nearer to zero than a millionth as `0E-18`, `1E-7`."""
    size = pc.abs(exact)
    below = pc.less(size, pa.scalar(1, _EXACT))
    fraction = pc.if_else(below, size, pa.scalar(0, _EXACT)).cast(_FRACTION)
    # With a one in front, which is then put away, every fraction is written out.
    behind = pc.utf8_slice_codeunits(pc.add(fraction, pa.scalar(1, _FRACTION)).cast(pa.string()), 1)
    digits = pc.if_else(below, pc.binary_join_element_wise("0", behind, ""), size.cast(pa.string()))
    sign = pc.if_else(pc.less(exact, pa.scalar(0, _EXACT)), "-", "")
    return pc.binary_join_element_wise(sign, digits, "")
