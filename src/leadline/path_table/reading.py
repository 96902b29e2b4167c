"""Paths as texts or lists, from arrays or a CSV file, into journeys of codes: no step per row."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from leadline import money
from leadline.errors import SourceError, UnknownNameError, UsageError
from leadline.maths.paths.journeys import Floats, Journeys, journeys

if TYPE_CHECKING:
    from leadline.sources.csv_reader import CsvReader

PROBE = 100_000
"""Paths looked at to see whether many are the same."""

DECIMALS = 12
"""Decimal places of a value that are read before it is rounded to minor units."""

Where = Callable[[int], str]
"""The place of a row, for messages: `line 7`."""


@dataclass(frozen=True, slots=True)
class Columns:
    """Names of a file's columns."""

    path: str
    conversions: str
    value: str | None = None
    nulls: str | None = None


@dataclass(frozen=True)
class PathTable:
    """What was read.

    Attributes:
        given: the journeys.
        names: name of each code.
        rows: rows of the input.
        digits: decimal places of the value.
        currency: as told, or empty.
        has_value, has_nulls: whether those were given.
        notes: what was decided while reading.
    """

    given: Journeys
    names: list[str]
    rows: int
    digits: int
    currency: str
    has_value: bool
    has_nulls: bool
    notes: tuple[str, ...]


def from_file(
    file: Path, columns: Columns, separator: str, delimiter: str, encoding: str | None, currency: str
) -> PathTable:
    """The columns of a CSV file.

    Raises:
        SourceError: the file or a row cannot be read.
        UsageError: a column that is not there, or an empty separator.
    """
    from leadline.sources.batches import Again

    reader = _reader(file, delimiter, encoding)
    taken: list[Any] = []
    for one in reader.batches():
        if isinstance(one, Again):
            taken.clear()
            continue
        if one.rejects:
            first = one.rejects[0]
            raise SourceError(f"{file} line {first.line}: {first.reason}. Mend the row; no row of a path is left out.")
        taken.append(one)
    wanted = [columns.path, columns.conversions, columns.value, columns.nulls]
    found = [None if name is None else _column(taken, reader.names, name, str(file)) for name in wanted]
    starts = np.cumsum([0, *(one.table.num_rows for one in taken)])

    def where(row: int) -> str:
        batch = int(np.searchsorted(starts, row, "right")) - 1
        return f"{file} line {taken[batch].line(row - int(starts[batch]))}"

    assert found[0] is not None
    assert found[1] is not None
    return _table(found[0], found[1], found[2], found[3], separator, currency, where, tuple(reader.notes))


def _reader(file: Path, delimiter: str, encoding: str | None) -> CsvReader:
    from leadline.sources.archives import list_files
    from leadline.sources.csv_reader import CsvReader

    if len(delimiter) != 1:
        raise UsageError(f"The delimiter {delimiter!r} is not one character; write what stands between two columns.")
    files = list_files(file).files
    if len(files) != 1 or files[0].is_parquet:
        raise SourceError(f"{file} is not one CSV file; name the file of paths.")
    return CsvReader(files[0], delimiter=delimiter, encoding=encoding, remedy="say --delimiter {}")


def columns_of(file: Path, delimiter: str = ",", encoding: str | None = None) -> list[str]:
    """Names of the columns of a CSV file, as they stand.

    Raises:
        SourceError: the file cannot be read.
        UsageError: a delimiter of more than one character.
    """
    return _reader(file, delimiter, encoding).names


def from_arrays(paths: Any, conversions: Any, value: Any, nulls: Any, separator: str, currency: str) -> PathTable:
    """Arrays or lists of equal length; a path is a text or a list of texts.

    Raises:
        UsageError: lengths that differ, or values of the wrong kind.
    """
    texts = _arrow(paths, "paths")
    numbers = [
        None if one is None else _arrow(one, name)
        for one, name in ((conversions, "conversions"), (value, "value"), (nulls, "nulls"))
    ]
    lengths = {len(texts), *(len(one) for one in numbers if one is not None)}
    if len(lengths) > 1:
        raise UsageError(f"paths, conversions, value and nulls differ in length: {sorted(lengths)}.")
    assert numbers[0] is not None
    return _table(texts, numbers[0], numbers[1], numbers[2], separator, currency, lambda row: f"path {row}", ())


def _arrow(values: Any, name: str) -> pa.ChunkedArray:
    try:
        made = values if isinstance(values, pa.Array | pa.ChunkedArray) else pa.array(values)
    except (pa.ArrowInvalid, pa.ArrowTypeError) as fault:
        raise UsageError(f"{name} cannot be read as one column: {fault}.") from fault
    return made if isinstance(made, pa.ChunkedArray) else pa.chunked_array([made])


def _column(taken: list[Any], names: list[str], name: str, file: str) -> pa.ChunkedArray:
    if name not in names:
        raise UnknownNameError("column", name, names, file)
    if names.count(name) > 1:
        raise SourceError(f"{file} has {names.count(name)} columns named {name!r}; rename all but one.")
    at = f"c{names.index(name)}"
    chunks = [chunk for one in taken for chunk in one.table.column(at).chunks]
    return pa.chunked_array(chunks, pa.string())


def _table(
    paths: pa.ChunkedArray,
    conversions: pa.ChunkedArray,
    value: pa.ChunkedArray | None,
    nulls: pa.ChunkedArray | None,
    separator: str,
    currency: str,
    where: Where,
    notes: tuple[str, ...],
) -> PathTable:
    if not separator:
        raise UsageError("The separator is empty; write what stands between two states, e.g. ' > '.")
    digits = money.digits(currency) if currency else 2
    blank = np.zeros(len(paths))
    said = [*notes]
    counts = [
        blank if one is None else _counts(one, name, where)
        for one, name in ((conversions, "conversions"), (nulls, "nulls"))
    ]
    worth = blank if value is None else _minor(value, digits, where, said)
    codes, offsets, names, rows_of = _coded(paths, separator, said)
    if ((counts[0] == 0) & (worth != 0)).any():
        row = int(np.flatnonzero((counts[0] == 0) & (worth != 0))[0])
        raise UsageError(f"{where(row)} has a value and no conversion; a value belongs to conversions.")
    sums = [one if rows_of is None else np.bincount(rows_of, one) for one in (*counts, worth)]
    try:
        given = journeys(codes, offsets, sums[0], nulls=sums[1], value=sums[2], states=len(names))
    except ValueError as fault:
        raise UsageError(f"The paths cannot be counted: {fault}.") from fault
    return PathTable(given, names, len(paths), digits, currency, value is not None, nulls is not None, tuple(said))


def _counts(values: pa.ChunkedArray, name: str, where: Where) -> Floats:
    """A column of counts; an empty cell is none of `nulls`, and refused for `conversions`."""
    found = _numbers(values, name, where)
    if name == "conversions" and found.null_count:
        row = int(np.flatnonzero(pc.is_null(found).to_numpy())[0])
        raise UsageError(f"{where(row)}: conversions are empty; write 0 where a path never converted.")
    counts = pc.fill_null(found.cast(pa.float64()), 0.0).to_numpy()
    wrong = ~(np.isfinite(counts) & (counts >= 0))
    if wrong.any():
        row = int(np.flatnonzero(wrong)[0])
        raise UsageError(f"{where(row)}: {name} are {counts[row]:g}; they are counts, 0 or more.")
    return counts


def _minor(values: pa.ChunkedArray, digits: int, where: Where, said: list[str]) -> Floats:
    """Amounts in minor units, rounded half to even; what was rounded or empty is said."""
    found = _numbers(values, "value", where)
    if pa.types.is_decimal(found.type):
        kept = pc.round(found, ndigits=digits, round_mode="half_to_even")
        rounded = pc.sum(pc.not_equal(kept, found)).as_py() or 0
        minor = np.rint(pc.fill_null(kept.cast(pa.float64()), 0.0).to_numpy() * 10**digits)
    else:
        raw = pc.fill_null(found.cast(pa.float64()), 0.0).to_numpy() * 10**digits
        if not np.isfinite(raw).all():
            raise UsageError(f"{where(int(np.flatnonzero(~np.isfinite(raw))[0]))}: the value is no finite number.")
        minor = np.rint(raw)
        # A binary fraction is never the decimal one wrote: only what is further off was rounded.
        rounded = int((np.abs(raw - minor) > 1e-6).sum())
    if rounded:
        said.append(f"Values rounded, half to even, for they have more than {digits} decimals: {rounded:,}.")
    if found.null_count:
        said.append(f"Values that are empty and count as 0: {found.null_count:,}.")
    return minor


def _numbers(values: pa.ChunkedArray, name: str, where: Where) -> pa.ChunkedArray:
    """A column as numbers: texts as decimals, or as floats where one of them has an exponent.

    Raises:
        UsageError: a text that is no number, or a column of another kind.
    """
    if pa.types.is_dictionary(values.type):
        values = values.cast(values.type.value_type)
    kind = values.type
    if pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind) or pa.types.is_null(kind):
        return values.cast(pa.decimal128(38, DECIMALS)) if pa.types.is_decimal(kind) else values.cast(pa.float64())
    if pa.types.is_boolean(kind):
        return values.cast(pa.int8()).cast(pa.float64())
    if not (pa.types.is_string(kind) or pa.types.is_large_string(kind)):
        raise UsageError(f"{name} holds {kind}, which is no number.")
    texts = pc.utf8_trim_whitespace(values)
    texts = pc.if_else(pc.equal(texts, ""), pa.scalar(None, texts.type), texts)
    plain = pc.match_substring_regex(texts, rf"^[+-]?(\d{{1,20}}(\.\d{{0,{DECIMALS}}})?|\.\d{{1,{DECIMALS}}})$")
    if pc.all(plain).as_py() is not False:
        return texts.cast(pa.decimal128(38, DECIMALS))
    number = pc.match_substring_regex(texts, r"^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?$")
    if pc.all(number).as_py() is not False:
        return texts.cast(pa.float64())
    row = int(np.flatnonzero(~pc.fill_null(number, True).to_numpy())[0])
    raise UsageError(
        f"{where(row)}: {name} is {values[row].as_py()!r}, which is no number; write it with a point and without "
        "marks between thousands, e.g. 1234.50."
    )


def _coded(paths: pa.ChunkedArray, separator: str, said: list[str]) -> tuple[Any, Any, list[str], Any]:
    """Codes and offsets of the paths, names of the codes, and the path of each row where equal ones were grouped."""
    if pa.types.is_dictionary(paths.type):
        paths = paths.cast(paths.type.value_type)
    rows_of = None
    if pa.types.is_list(paths.type) or pa.types.is_large_list(paths.type):
        steps = paths.combine_chunks()
    elif pa.types.is_string(paths.type) or pa.types.is_large_string(paths.type) or pa.types.is_null(paths.type):
        texts = pc.fill_null(paths.cast(pa.large_string()), "")
        if _repeats(texts):
            found = texts.combine_chunks().dictionary_encode()
            rows_of, texts = found.indices.to_numpy().astype(np.int64), found.dictionary
        _warn(texts, separator, said)
        split = pc.split_pattern(texts, pattern=separator)
        steps = split.combine_chunks() if isinstance(split, pa.ChunkedArray) else split
    else:
        raise UsageError(f"paths holds {paths.type}; a path is a text or a list of texts.")
    return *_names(steps, said), rows_of


def _repeats(texts: pa.ChunkedArray) -> bool:
    """Whether grouping equal paths pays: it costs more than it saves where most are different."""
    probe = texts.slice(0, PROBE)
    return len(probe) > 0 and pc.count_distinct(probe).as_py() * 2 <= len(probe)


def _warn(texts: Any, separator: str, said: list[str]) -> None:
    core = separator.strip()
    if core and core != separator and not pc.any(pc.match_substring(texts, separator)).as_py():
        many = pc.sum(pc.match_substring(texts, core)).as_py() or 0
        if many:
            said.append(
                f"No path holds the separator {separator!r}, but {many:,} hold {core!r}: each of them counts as one "
                f"state. If {core!r} parts their states, ask with --separator {core!r}."
            )


def _names(steps: Any, said: list[str]) -> tuple[Any, Any, list[str]]:
    """Codes of the steps by their trimmed names; steps without a name are left out and counted."""
    encoded = steps.flatten().dictionary_encode()
    kind = encoded.dictionary.type
    if not (pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_null(kind)):
        raise UsageError(f"paths holds lists of {kind}; a state is a text.")
    trimmed = pc.utf8_trim_whitespace(encoded.dictionary.cast(pa.large_string())).to_pylist()
    names = sorted({one for one in trimmed if one})
    code_of = {name: code for code, name in enumerate(names)}
    table = np.array([code_of.get(one, -1) for one in trimmed], dtype=np.int64)
    codes = np.concatenate([table, [-1]])[pc.fill_null(encoded.indices, len(table)).to_numpy()]
    lengths = pc.fill_null(pc.list_value_length(steps), 0).to_numpy().astype(np.int64)
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    named = codes >= 0
    if not named.all():
        many = int((~named & (np.repeat(lengths, lengths) > 1)).sum())
        if many:
            said.append(f"Steps without a name, left out: {many:,}.")
        offsets = np.concatenate([[0], np.cumsum(named)])[offsets]
    return codes[named], offsets, names
