"""Dates and instants as files write them → DATE and TIMESTAMP (UTC), in SQL.

Read are ISO dates and instants (`2020-05-21`, `2020-05-21T17:39:24.000+0000`, `…Z`, offsets, blanks
for the T), the same with slashes or dots if the year comes first with four digits, and dates whose
order is declared: `02/23/26 08:55 PM`, `23.02.2026 20:55`. Without a declared order those are never
guessed. Years of two digits are 1969 to 2068.

Each regular form that one cast can read has a fast expression, which is null for anything else;
only a year 0000 passes it and has to be looked for in the result.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable
from typing import Final, Literal, get_args

from leadline.sources.sql_text import literal

DateOrder = Literal["ymd", "dmy", "mdy"]
Form = Literal["utc", "zulu", "local", "date", "midnight", "any"]
"""How the values of a column look: instants as the API writes them (`….000+0000`), instants with Z,
instants without a zone, ISO dates, ISO dates with midnight behind them as weekly exports write
dates, or anything that can be read."""

PARTS: Final = (
    r"^\s*(\d{1,4})([-/.])(\d{1,2})([-/.])(\d{1,4})(?:[T ,]+(\d{1,2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,9}))?)?)?"
    r"\s*([AaPp]\.?[Mm]\.?)?\s*(Z|z|[+-]\d{2}(?::?\d{2})?)?\s*$"
)
_NAMES = "['a', 's1', 'b', 's2', 'c', 'h', 'mi', 's', 'f', 'ap', 'off']"

MACROS: Final = (
    f"CREATE OR REPLACE MACRO in_parts(v) AS regexp_extract(v, {literal(PARTS)}, {_NAMES})",
    "CREATE OR REPLACE MACRO in_year(y) AS "
    "CASE WHEN length(y) = 4 THEN y WHEN length(y) <> 2 THEN NULL WHEN y >= '69' THEN '19' || y ELSE '20' || y END",
    "CREATE OR REPLACE MACRO in_date(p, ord) AS TRY_CAST(CASE "
    "WHEN p.s1 <> p.s2 OR p.a = '0000' OR (p.h = '' AND (p.ap <> '' OR p.off <> '')) THEN NULL "
    "WHEN length(p.a) = 4 AND length(p.c) <= 2 THEN p.a || '-' || p.b || '-' || p.c "
    "WHEN length(p.a) > 2 THEN NULL "
    "WHEN ord = 'mdy' THEN in_year(p.c) || '-' || p.a || '-' || p.b "
    "WHEN ord = 'dmy' THEN in_year(p.c) || '-' || p.b || '-' || p.a "
    "WHEN ord = 'ymd' AND length(p.a) = 2 AND length(p.c) <= 2 THEN in_year(p.a) || '-' || p.b || '-' || p.c "
    "END AS DATE)",
    "CREATE OR REPLACE MACRO in_hour(p) AS CASE "
    "WHEN p.ap = '' THEN TRY_CAST(p.h AS INTEGER) "
    "WHEN TRY_CAST(p.h AS INTEGER) BETWEEN 1 AND 12 "
    "THEN TRY_CAST(p.h AS INTEGER) % 12 + CASE WHEN lower(p.ap[1]) = 'p' THEN 12 ELSE 0 END END",
    "CREATE OR REPLACE MACRO in_seconds(p) AS CASE "
    "WHEN p.h = '' THEN 0 "
    "WHEN p.mi <= '59' AND p.s <= '59' AND (in_hour(p) < 24 OR (in_hour(p) = 24 AND p.mi = '00' AND p.s IN ('', '00'))) "
    "THEN in_hour(p) * 3600 + TRY_CAST(p.mi AS INTEGER) * 60 + coalesce(TRY_CAST(p.s AS INTEGER), 0) END",
    "CREATE OR REPLACE MACRO in_offset(p) AS CASE WHEN p.off IN ('', 'Z', 'z') THEN 0 ELSE "
    "(CASE WHEN p.off[1] = '-' THEN -60 ELSE 60 END) * (TRY_CAST(p.off[2:3] AS INTEGER) * 60 "
    "+ coalesce(TRY_CAST(right(replace(p.off, ':', '')[4:], 2) AS INTEGER), 0)) END",
    "CREATE OR REPLACE MACRO in_clock(p, ord) AS CAST(in_date(p, ord) AS TIMESTAMP) "
    "+ to_seconds(in_seconds(p) - in_offset(p)) + to_microseconds(TRY_CAST(left(rpad(p.f, 6, '0'), 6) AS BIGINT))",
)

_FAST_CONDITIONS = {
    "utc": "ends_with({v}, '.000+0000')",
    "zulu": "(length({v}) IN (20, 24) AND ends_with({v}, 'Z'))",
    "local": "(length({v}) = 19 AND {v}[17] = ':')",
    "date": "(length({v}) = 10 AND {v}[5] = '-')",
    "midnight": "(length({v}) = 19 AND ends_with({v}, ' 00:00:00') AND {v}[5] = '-')",
}
_FIRST_LOOK: tuple[tuple[Form, re.Pattern[str]], ...] = (
    ("utc", re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.000\+0000")),
    ("zulu", re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{3})?Z")),
    ("local", re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d")),
    ("date", re.compile(r"\d{4}-\d\d-\d\d")),
)
_ANY_DATE = re.compile(PARTS)


def form_of(value: str, instants: bool = True) -> Form:
    """The form of one value, from its looks; without `instants` a date may have midnight behind it."""
    if not instants and value.endswith(" 00:00:00") and len(value) == 19:
        return "midnight"
    return next((form for form, look in _FIRST_LOOK if look.fullmatch(value)), "any")


def looks_dated(value: str, order: DateOrder | None) -> bool:
    """Whether a value of an unknown column could be a date that can be read."""
    match = _ANY_DATE.match(value)
    return match is not None and (len(match[1]) == 4 or order is not None)


def orders_that_read(values: Iterable[str]) -> list[DateOrder]:
    """Orders of day, month and year in which every one of these values is a date."""
    parts = [(match[1], match[3], match[5]) for value in values if (match := _ANY_DATE.match(value))]
    return [order for order in get_args(DateOrder) if all(_is_date(found, order) for found in parts)]


def _is_date(parts: tuple[str, str, str], order: DateOrder) -> bool:
    named = dict(zip(order, parts, strict=True))
    if len(named["y"]) not in (2, 4):
        return False
    try:
        # Any leap year: how the years of a century are told apart settles nothing here.
        dt.date(2000, int(named["m"]), int(named["d"]))
    except ValueError:
        return False
    return True


def fast_date(v: str, form: Form) -> str | None:
    """SQL that reads a DATE of a regular form, null for any other; None if there is none."""
    if form not in {"date", "midnight"}:
        return None
    return f"CASE WHEN {_FAST_CONDITIONS[form].format(v=v)} THEN TRY_CAST(left({v}, 10) AS DATE) END"


def fast_text(v: str, form: Form, zone: str | None) -> str | None:
    """SQL that writes a date or instant of a regular form as ISO text, null for any other."""
    if form in {"date", "midnight"}:
        return f"CASE WHEN {fast_date(v, form)} IS NOT NULL AND NOT starts_with({v}, '0000') THEN left({v}, 10) END"
    if form in {"utc", "zulu"}:
        whole = f"length({v}) = {28 if form == 'utc' else 20}"
        return f"CASE WHEN {whole} AND {fast_instant(v, form, zone)} IS NOT NULL THEN left({v}, 19) || 'Z' END"
    if form == "local":
        return f"strftime({fast_instant(v, form, zone)}, '%Y-%m-%dT%H:%M:%SZ')"
    return None


def fast_instant(v: str, form: Form, zone: str | None) -> str | None:
    """SQL that reads a TIMESTAMP of a regular form, null for any other; None if there is none."""
    if form in {"any", "midnight"}:
        return None
    cast = f"TRY_CAST({v} AS TIMESTAMP)"
    return f"CASE WHEN {_FAST_CONDITIONS[form].format(v=v)} THEN {_zoned(cast, zone) if form == 'local' else cast} END"


def full_date(parts: str, order: DateOrder | None) -> str:
    """SQL that reads a DATE from `in_parts(value)`; a time of day is left out."""
    return f"CASE WHEN in_seconds({parts}) IS NOT NULL THEN in_date({parts}, {_order(order)}) END"


def full_instant(parts: str, order: DateOrder | None, zone: str | None) -> str:
    """SQL that reads a TIMESTAMP from `in_parts(value)`: UTC, or midnight of a date."""
    clock = f"in_clock({parts}, {_order(order)})"
    if zone is None:
        return clock
    return f"CASE WHEN {parts}.h = '' OR {parts}.off <> '' THEN {clock} ELSE {_zoned(clock, zone)} END"


def as_text(parts: str, order: DateOrder | None, zone: str | None) -> str:
    """SQL that writes a date or instant as ISO text; fractions of a second only where there are any."""
    instant = full_instant(parts, order, zone)
    fraction = f"CASE WHEN rtrim({parts}.f, '0') = '' THEN '' ELSE '.' || left(rtrim({parts}.f, '0'), 6) END"
    return (
        f"CASE WHEN {parts}.h = '' THEN strftime(in_date({parts}, {_order(order)}), '%Y-%m-%d') "
        f"ELSE strftime({instant}, '%Y-%m-%dT%H:%M:%S') || {fraction} || 'Z' END"
    )


def is_date_only(v: str, form: Form, parts: str) -> str:
    """SQL condition: the value is a date without a time of day."""
    return f"{v} IS NOT NULL" if form == "date" else "false" if form != "any" else f"{parts}.h = ''"


def _zoned(clock: str, zone: str | None) -> str:
    return f"CAST(timezone({literal(zone)}, {clock}) AS TIMESTAMP)" if zone and zone != "UTC" else clock


def _order(order: DateOrder | None) -> str:
    return literal(order) if order else "NULL"
