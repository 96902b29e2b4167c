"""How a result is put before people: which columns, what headings, what text in each cell.

The terminal table and the HTML report show the same grid. Machine formats do not pass here.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from leadline import dates, money
from leadline.results import Column, Result

NOTHING = "–"
NOT_REACHED = "not reached"
TOO_FEW = "too few"
EMPTY = "(empty)"
UNDATED = "undated"
ALL_TIME = "all"
"""Label of the only period of a question without grain."""

# Settings of the question, not of a row: said once above the table where they do not vary.
_CONSTANTS = (
    "period",
    "view",
    "convention",
    "window_days",
    "measure",
    "horizon_days",
    "model",
    "scope",
    "window",
    "hierarchy",
    "date_field",
)
# Counts worth a column only where there is something to count.
_ONLY_IF_ANY = frozenset(
    [
        "observed",
        "implied",
        "re_entries",
        "regressions",
        "requalifications",
        "too_young",
        "out_of_order",
        "undated",
        "excluded",
        "stuck",
        "thin",
        "responses",
        "amount",
    ]
)
# Column → the two columns that hold its 95 % limits.
_BANDS = {
    "rate": ("rate_low", "rate_high"),
    "median_days": ("median_low", "median_high"),
    "value": ("value_low", "value_high"),
    "landing": ("landing_low", "landing_high"),
    "landing_amount": ("landing_low_amount", "landing_high_amount"),
    "value_amount": ("value_low_amount", "value_high_amount"),
    "p75_days": ("p75_low", "p75_high"),
    "p90_days": ("p90_low", "p90_high"),
    "advance_share": ("advance_low", "advance_high"),
    "difference": ("difference_low", "difference_high"),
    "ratio": ("ratio_low", "ratio_high"),
}
# Kind of result → column → columns that hold the same in another unit; a row has one of them.
_SIZES = ("actual", "goal", "expected_to_date", "required", "so_far", "landing")
_SAME: dict[str, dict[str, tuple[str, ...]]] = {
    "goals": {name: (f"{name}_amount",) for name in _SIZES},
    "reverse": {"needed": ("needed_amount",), "value": ("rate", "value_amount")},
}
# Absent values of these mean "not reached" where anything was counted. A lower limit is not among
# them: where it is absent the band is undefined, and nothing is said of it.
_PERCENTILES = frozenset(("median_days", "median_high", "p75_days", "p75_high", "p90_days", "p90_high"))
_TEXTUAL = ("text", "date", "instant", "boolean", "list")
_BUCKETS = {"pending": "pending: milestones not yet reached", "other_window": "other window"}
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")


@dataclass(frozen=True, slots=True)
class Heading:
    """A column of a grid: its name in the result, its label, and whether it holds numbers."""

    name: str
    label: str
    numeric: bool
    help: str = ""


@dataclass(frozen=True, slots=True)
class Grid:
    """A table of text.

    Attributes:
        headings: columns shown, in order.
        rows: text of each cell.
        constants: settings that hold for every row, as (label, text).
        hidden: names of columns left out because they say nothing here.
    """

    headings: tuple[Heading, ...]
    rows: tuple[tuple[str, ...], ...]
    constants: tuple[tuple[str, str], ...] = ()
    hidden: tuple[str, ...] = field(default=())


def grid(result: Result, *, wide: bool = False) -> Grid:
    """The table of a result as text; `wide` shows every column as it is."""
    cells = {column.name: _cells(result, column) for column in result.columns}
    if wide:
        return _assemble(result, [column.name for column in result.columns], cells, (), ())
    constants = tuple(_constants(result, cells))
    lifted = {name for name, _, _ in constants}
    merged = _merge(result, cells)
    same = [name for name, others in _SAME.get(result.kind, {}).items() if merged.issuperset(others)]
    shown = [
        c.name
        for c in result.columns
        if c.name not in lifted | merged
        and (_says_something(result, c) or ("bucket" in merged and c.name == "campaign") or c.name in same)
    ]
    hidden = tuple(c.name for c in result.columns if c.name not in lifted | merged and c.name not in shown)
    return _assemble(result, shown, cells, tuple((label, text) for _, label, text in constants), hidden)


def facts(result: Result) -> list[tuple[str, str]]:
    """What every table states about itself, as (label, text)."""
    zone = result.timezone
    pairs = [
        ("unit", result.unit),
        ("as of", local_time(result.as_of, zone) if result.as_of else ""),
        ("known at", local_time(result.known_at, zone) if result.known_at else ""),
        ("time zone", zone if result.as_of else ""),
        ("currency", result.currency),
        ("snapshot", result.snapshot),
    ]
    said = set(result.table.column_names) & set(_CONSTANTS)
    filters = "; ".join(
        f"{key} {setting_text(value)}"
        for key, value in result.filters.items()
        if key not in said and value not in (None, "", [], {}, ())
    )
    return [(label, clean(text)) for label, text in [*pairs, ("filters", filters)] if text]


def local_time(instant: Any, zone: str) -> str:
    """An instant in the reporting zone, to the minute; the last microsecond of a day is that day's end."""
    local = dates.in_zone(instant, zone)
    if (local.hour, local.minute, local.second) == (23, 59, 59):
        return f"{local:%Y-%m-%d} (end of day)"
    return f"{local:%Y-%m-%d %H:%M}"


def trust_line(result: Result) -> str:
    """Grade, share untouched, evidence and findings in one sentence."""
    trust = result.trust
    if trust.grade is None:
        parts = ["Trust: no grade"]
    else:
        share = (
            f": {percent(trust.clean_share)} of {result.unit} untouched by a finding"
            if trust.clean_share is not None
            else ""
        )
        parts = [f"Trust {trust.grade}{share}"]
    if trust.evidence:
        parts.append("evidence: " + ", ".join(f"{count:,} {clean(name)}" for name, count in trust.evidence.items()))
    if trust.findings:
        parts.append("findings: " + ", ".join(clean(code) for code in trust.findings))
    return " · ".join(parts)


def amount_text(result: Result, minor: int) -> str:
    """Minor units of the result's currency as grouped text."""
    return money.format_minor(minor, result.currency_digits, grouped=True)


def percent(share: float | None) -> str:
    """A share as a percentage with one decimal; two below 0.1 %."""
    if share is None or not math.isfinite(share):
        return NOTHING
    return f"{share:.2%}".replace("%", " %") if 0 < abs(share) < 0.001 else f"{share:.1%}".replace("%", " %")


def clean(text: str) -> str:
    """Text on one line, without control characters or marks that turn the writing direction."""
    return _CONTROL.sub("\N{REPLACEMENT CHARACTER}", text)


def label(name: str) -> str:
    """A column name in words."""
    return clean(name.replace("_", " "))


def _assemble(
    result: Result,
    names: Sequence[str],
    cells: Mapping[str, list[str]],
    constants: tuple[tuple[str, str], ...],
    hidden: tuple[str, ...],
) -> Grid:
    by_name = {column.name: column for column in result.columns}
    headings = tuple(
        Heading(name, label(name), by_name[name].type not in _TEXTUAL, by_name[name].help) for name in names
    )
    rows = tuple(zip(*(cells[name] for name in names), strict=True)) if names else ()
    return Grid(headings, rows, constants, hidden)


def _cells(result: Result, column: Column) -> list[str]:
    values = result.table.column(column.name).to_pylist()
    digits = result.digits_of(column)
    if column.name in _PERCENTILES and "n" in result.table.column_names:
        counted = result.table.column("n").to_pylist()
        thin = result.table.column("thin").to_pylist() if "thin" in result.table.column_names else [False] * len(values)
        return [_percentile(value, n, few) for value, n, few in zip(values, counted, thin, strict=True)]
    empty = UNDATED if column.name == "period" else EMPTY if column.name in dimensions(result) else NOTHING
    return [empty if value is None else _text(value, column, digits, result.timezone) for value in values]


def dimensions(result: Result) -> list[str]:
    """Columns asked for by `--by`: those before the first column of the metric or of the list itself."""
    names = [column.name for column in result.columns]
    own = next((name for name in ("unit_id", "period") if name in names), None)
    return names[: names.index(own)] if own else []


def _text(value: Any, column: Column, digits: int, zone: str) -> str:
    if isinstance(value, float) and not math.isfinite(value):
        return NOTHING
    if column.type == "integer":
        return f"{value:,}"
    if column.type == "number":
        return f"{value:,.1f}"
    if column.type == "rate":
        return percent(value)
    if column.type == "money":
        return money.format_minor(value, digits, grouped=True)
    if column.type == "instant":
        return local_time(value, zone)
    if column.type == "boolean":
        return "yes" if value else "no"
    if column.type == "list":
        return list_text(value)
    return clean(str(value))


def _percentile(value: float | None, counted: int | None, thin: bool | None) -> str:
    """A percentile of time; with units but no value it was not reached, unless they are too few to say."""
    if value is None or math.isnan(value):
        return NOTHING if not counted else TOO_FEW if thin else NOT_REACHED
    return f"{value:,.1f}"


def _constants(result: Result, cells: Mapping[str, list[str]]) -> Iterator[tuple[str, str, str]]:
    """Columns that are settings and do not vary: (name, label, text); the text is empty for a null."""
    for name in _CONSTANTS:
        if result.table.num_rows and name in cells and len(set(cells[name])) == 1:
            text = cells[name][0]
            yield name, label(name), "" if text in (NOTHING, ALL_TIME) else text


def _merge(result: Result, cells: dict[str, list[str]]) -> set[str]:
    """Fold limits into their estimate and the buckets of influence into one name; what was folded."""
    merged: set[str] = set()
    for name, (low, high) in _BANDS.items():
        if name in cells and low in cells and high in cells:
            cells[name] = [_with_band(*texts) for texts in zip(cells[name], cells[low], cells[high], strict=True)]
            merged |= {low, high}
    if rated := {"rate", "value"} & cells.keys() if "small" in cells else set():
        few = result.table.column("small").to_pylist()
        for name in rated:
            marked = zip(cells[name], few, strict=True)
            cells[name] = [f"{text} small" if small and text != NOTHING else text for text, small in marked]
        merged.add("small")
    merged |= _merge_units(result, cells)
    if {"bucket", "reason", "campaign"} <= cells.keys():
        _name_buckets(result, cells)
        merged |= {"bucket", "reason", "campaign_id"} & cells.keys()
    return merged


def _merge_units(result: Result, cells: dict[str, list[str]]) -> set[str]:
    """Fold what stands in several columns because its unit differs into one; what was folded."""
    folded: set[str] = set()
    for name, others in _SAME.get(result.kind, {}).items():
        if {name, *others} <= cells.keys():
            columns = [cells[one] for one in (name, *others)]
            cells[name] = [
                next((text for text in row if text != NOTHING), NOTHING) for row in zip(*columns, strict=True)
            ]
            folded |= set(others)
    return folded


def _name_buckets(result: Result, cells: dict[str, list[str]]) -> None:
    """One column that says campaign or remainder; dimensions of a campaign say nothing of a remainder."""
    asked = dimensions(result)
    names = dict.fromkeys([*asked, "bucket", "reason", "campaign"])
    rows = result.table.select(list(names)).to_pylist()
    # Credit by a dimension of campaigns is named in the dimension's own column.
    cells["campaign"] = [
        bucket_name(result, row) if row["campaign"] or row["bucket"] != "campaign" else "" for row in rows
    ]
    for name in asked:
        if name != "campaign":
            loose = [row["bucket"] != "campaign" and row[name] is None for row in rows]
            cells[name] = ["" if none else text for none, text in zip(loose, cells[name], strict=True)]


def bucket_name(result: Result, row: Mapping[str, Any]) -> str:
    """Name of an influence row: its campaign, or in brackets where else the money is.

    Credit by a dimension of campaigns has no campaign of its own; there the dimensions name it.
    """
    if row["bucket"] != "campaign":
        reason = f": {clean(row['reason'])}" if row["reason"] else ""
        return f"({_BUCKETS.get(row['bucket'], label(row['bucket']))}{reason})"
    if row["campaign"]:
        return clean(row["campaign"])
    values = [EMPTY if row[name] is None else clean(str(row[name])) for name in dimensions(result)]
    return " · ".join(values) or "(campaign without name)"


def _with_band(value: str, low: str, high: str) -> str:
    if low == NOTHING:
        return value
    return f"{value} ({low.removesuffix(' %')} to {high.removesuffix(' %')})"


def _says_something(result: Result, column: Column) -> bool:
    values = result.table.column(column.name)
    if not result.table.num_rows:
        return True
    if pa.types.is_floating(values.type):
        present = pc.any(pc.is_finite(values)).as_py()
        return bool(present) or column.name in _PERCENTILES
    if values.null_count == len(values):
        return False
    if column.name not in _ONLY_IF_ANY:
        return True
    return bool(pc.any(values if pa.types.is_boolean(values.type) else pc.not_equal(values, 0)).as_py())


def list_text(objects: Sequence[Mapping[str, Any]]) -> str:
    """A list of objects in words: of each its first value, what else is known of it in brackets."""
    return ", ".join(_object_text(one) for one in objects) or NOTHING


def _object_text(one: Mapping[str, Any]) -> str:
    first, *rest = one.items()
    told = ", ".join(f"{key} {value}" for key, value in rest if value is not None)
    return clean(f"{first[1]} ({told})" if told else str(first[1]))


def setting_text(value: Any) -> str:
    """The value of a filter in words."""
    if isinstance(value, Mapping):
        return ", ".join(f"{key} = {setting_text(inner)}" for key, inner in value.items())
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
