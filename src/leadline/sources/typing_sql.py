"""The query that makes typed columns of a batch of text, and the one that says what it met.

Each column is read fast while its values have one regular form, and thoroughly from the first batch
in which they do not. The fast expression is null for every value it was not made for, so counting
nulls shows whether it was enough.

A query has four levels, each a subquery of the next: `v` the text, `p` its parts, `b` and `n` the
digits of a number, and the typed values `t`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from leadline.schema import DATE_ONLY, Kind
from leadline.sources import dates_in, numbers_in
from leadline.sources.batches import column_name
from leadline.sources.dates_in import DateOrder, Form
from leadline.sources.naming import Column
from leadline.sources.numbers_in import Style
from leadline.sources.sql_text import literal, quoted

SQL_TYPES: Final[dict[Kind, str]] = {
    "id": "VARCHAR",
    "text": "VARCHAR",
    "bool": "BOOLEAN",
    "integer": "BIGINT",
    "number": "DOUBLE",
    "decimal": "DECIMAL(28, 8)",
    "rate": "DECIMAL(28, 12)",
    "date": "DATE",
    "datetime": "TIMESTAMP",
}
_PLACES: Final[dict[Kind, int]] = {"decimal": 8, "rate": 12}
_NUMERIC: Final[frozenset[Kind]] = frozenset({"integer", "number", "decimal", "rate"})
_DATED: Final[frozenset[Kind]] = frozenset({"date", "datetime"})
CURRENCY: Final = "CurrencyIsoCode"
NO_CURRENCY: Final = "000"
"""What an export writes where a record has no currency."""
NO_ID: Final = "000000000000000AAA"
"""What an export writes into many a lookup that is empty."""

_SUFFIX = " || ".join(
    "'ABCDEFGHIJKLMNOPQRSTUVWXYZ012345'[1"
    + "".join(f" + CASE WHEN v[{5 * block + at + 1}] BETWEEN 'A' AND 'Z' THEN {1 << at} ELSE 0 END" for at in range(5))
    + "]"
    for block in range(3)
)
MACROS: Final = (
    *dates_in.MACROS,
    *numbers_in.MACROS,
    f"CREATE OR REPLACE MACRO in_short_id(v) AS CASE WHEN v IN ('', '{NO_ID[:15]}', '{NO_ID}') THEN NULL "
    f"WHEN length(v) = 15 AND regexp_full_match(v, '[0-9A-Za-z]{{15}}') THEN v || {_SUFFIX} ELSE v END",
    f"CREATE OR REPLACE MACRO in_id(v) AS CASE WHEN length(v) = 18 AND v <> '{NO_ID}' THEN v "
    "ELSE in_short_id(trim(v)) END",
    "CREATE OR REPLACE MACRO in_bool(v) AS CASE WHEN v IN ('true', '1', 'TRUE') THEN true "
    "WHEN v IN ('false', '0', 'FALSE') THEN false "
    "ELSE CASE lower(trim(v)) WHEN 'true' THEN true WHEN '1' THEN true WHEN 'false' THEN false WHEN '0' THEN false END END",
)


@dataclass(slots=True)
class Handling:
    """How a column of a file is read at present.

    Attributes:
        form: regular form of dates; None until the first value was seen.
        full: whether its values are read thoroughly.
        style: decimal mark of its numbers.
        declared: whether that mark was declared rather than concluded.
        dated: a column the schema does not know, all of whose values so far are dates.
    """

    column: Column
    form: Form | None = None
    full: bool = False
    style: Style = "point"
    declared: bool = False
    dated: bool = False

    @property
    def has_dates(self) -> bool:
        """Whether its values are read as dates."""
        return self.dated or self.column.kind in _DATED

    @property
    def has_numbers(self) -> bool:
        """Whether its values are read as numbers."""
        return self.column.kind in _NUMERIC

    @property
    def checked(self) -> bool:
        """Whether a value can be wrong."""
        return self.dated or self.column.kind not in {"text", "id"}


@dataclass(frozen=True, slots=True)
class BatchSql:
    """Queries over a batch registered as the view `batch`.

    Attributes:
        handlings: the columns to read, in order.
        order: declared order of day, month and year, or None.
        zone: zone of instants that name none; None is UTC.
        derive_currency: take `CurrencyIsoCode` from the codes that stand beside amounts.
    """

    handlings: list[Handling]
    order: DateOrder | None = None
    zone: str | None = None
    derive_currency: bool = False

    def has_fast(self, key: int) -> bool:
        """Whether the column's values can be read fast in the form they have."""
        handling = self.handlings[key]
        return not handling.has_dates or self._fast_date(key) != "NULL"

    def typed(self, without: set[int]) -> str:
        """SELECT of the typed columns by name except those `without`; empty if none is left.

        To them come `_date_only` and a currency from codes, where there can be any.
        """
        wanted = [
            f"CAST({self._value(key)} AS {SQL_TYPES[handling.column.kind]}) AS {quoted(handling.column.name)}"
            for key, handling in enumerate(self.handlings)
            if key not in without
        ]
        if days := self._date_only():
            wanted.append(f"{days} AS {DATE_ONLY}")
        if self.derive_currency and (currency := self._currency()) and CURRENCY not in self._names():
            wanted.append(f"{currency} AS {CURRENCY}")
        return f"SELECT {', '.join(wanted)} FROM {self._levels()}" if wanted else ""

    def _names(self) -> set[str]:
        return {handling.column.name for handling in self.handlings}

    def met(self) -> str:
        """SELECT of one row that counts, per thoroughly read column, what it met: `WHAT_key`."""
        counts = [
            f"count(*) FILTER ({condition}) AS {what}_{key}"
            for key in self._full_keys()
            for what, condition in self._conditions(key).items()
        ]
        lists = [
            f"coalesce(list(DISTINCT {text} ORDER BY {text}) FILTER ({text} <> ''), []) AS {what}_{key}"
            for key in self._full_keys()
            if self.handlings[key].has_numbers
            for what, text in {"codes": f"p{key}.c1 || p{key}.c2", "signs": f"p{key}.y1 || p{key}.y2"}.items()
        ]
        return f"SELECT {', '.join([*counts, *lists])} FROM {self._levels(typed=True)}"

    def wrong_rows(self) -> str:
        """SELECT of `_row`, columns and reasons of each row in which a value is wrong."""
        wrong = {key: self._conditions(key)["bad"] for key in self._full_keys()}
        columns = [f"CASE WHEN {bad} THEN {literal(self.handlings[key].column.name)} END" for key, bad in wrong.items()]
        reasons = [f"CASE WHEN {bad} THEN {self._reason(key)} END" for key, bad in wrong.items()]
        return (
            f"SELECT _row, concat_ws('; ', {', '.join(columns)}), concat_ws('; ', {', '.join(reasons)}) "
            f"FROM {self._levels(typed=True)} WHERE {' OR '.join(wrong.values())} ORDER BY _row"
        )

    def examples(self, key: int, what: str) -> str:
        """SELECT of up to three values of a column that meet a condition of `met`."""
        condition = self._conditions(key)[what]
        return f"SELECT v{key} FROM {self._levels(typed=True)} WHERE {condition} GROUP BY ALL ORDER BY ALL LIMIT 3"

    def _full_keys(self) -> list[int]:
        return [key for key, handling in enumerate(self.handlings) if handling.full]

    def _levels(self, typed: bool = False) -> str:
        """The subqueries below; `typed` adds `t`, the typed values of thoroughly read columns."""
        full = self._full_keys()
        dates = [key for key in full if self.handlings[key].has_dates]
        numbers = [key for key in full if self.handlings[key].has_numbers]
        query = _level("batch", (f"{self._source(key)} AS v{key}" for key in range(len(self.handlings))))
        parts = [f"in_parts(v{key}) AS p{key}" for key in dates] + [f"in_amount(v{key}) AS p{key}" for key in numbers]
        query = _level(query, parts)
        query = _level(query, (f"{numbers_in.body(f'p{key}')} AS b{key}" for key in numbers))
        plain = (numbers_in.plain(f"p{key}", f"b{key}", self.handlings[key].style) for key in numbers)
        query = _level(query, (f"{number} AS n{key}" for key, number in zip(numbers, plain, strict=True)))
        return _level(query, (f"{self._value(key)} AS t{key}" for key in full)) if typed else query

    def _source(self, key: int) -> str:
        handling = self.handlings[key]
        column = handling.column
        names = [column_name(index) for index in column.sources]
        if column.constant is not None:
            text = literal(column.constant)
        elif len(names) == 1:
            text = names[0]
        else:
            joined = ", ".join(f"coalesce({name}, '')" for name in names)
            text = f"CASE WHEN coalesce({', '.join(names)}) IS NOT NULL THEN concat_ws('+', {joined}) END"
        if column.values:
            cases = " ".join(f"WHEN {literal(old)} THEN {literal(new)}" for old, new in column.values.items())
            text = f"nullif(CASE coalesce({text}, '') {cases} ELSE {text} END, '')"
        return f"nullif(trim({text}), '')" if handling.full else text

    def _value(self, key: int) -> str:
        handling = self.handlings[key]
        kind, v = handling.column.kind, f"v{key}"
        if kind == "id":
            return f"in_id({v})"
        if kind == "bool":
            return f"in_bool({v})"
        if handling.has_dates:
            return self._date(key) if handling.full else self._fast_date(key)
        if not handling.has_numbers:
            return f"nullif({v}, '{NO_CURRENCY}')" if handling.column.name == CURRENCY else v
        return self._number(key) if handling.full else _fast_number(kind, v)

    def _fast_date(self, key: int) -> str:
        handling, v = self.handlings[key], f"v{key}"
        form = handling.form
        if form is None:
            return "NULL"
        if handling.column.kind == "datetime":
            return dates_in.fast_instant(v, form, self.zone) or "NULL"
        if handling.dated:
            return dates_in.fast_text(v, form, self.zone) or "NULL"
        return dates_in.fast_date(v, form) or "NULL"

    def _date(self, key: int) -> str:
        handling, p = self.handlings[key], f"p{key}"
        if handling.dated:
            return dates_in.as_text(p, self.order, self.zone)
        if handling.column.kind == "date":
            return dates_in.full_date(p, self.order)
        return dates_in.full_instant(p, self.order, self.zone)

    def _number(self, key: int) -> str:
        kind, p, n = self.handlings[key].column.kind, f"p{key}", f"n{key}"
        if kind == "integer":
            handling = self.handlings[key]
            doubtful = handling.style == "point" and not handling.declared
            return numbers_in.full_integer(p, f"b{key}", n, doubtful=doubtful)
        if kind == "number":
            return numbers_in.full_number(p, n)
        read = numbers_in.full_decimal(p, n, _PLACES[kind])
        currency = self._currency()
        code = f"{p}.c1 || {p}.c2"
        return f"CASE WHEN {code} = '' OR coalesce({currency} = {code}, true) THEN {read} END" if currency else read

    def _currency(self) -> str:
        """SQL: the row's currency, from its own column or from the codes beside its amounts."""
        for key, handling in enumerate(self.handlings):
            if handling.column.name == CURRENCY:
                return f"nullif(v{key}, '{NO_CURRENCY}')"
        codes = [
            f"nullif(p{key}.c1 || p{key}.c2, '')"
            for key in self._full_keys()
            if self.handlings[key].column.kind == "decimal"
        ]
        return f"coalesce({', '.join(codes)})" if codes else ""

    def _conditions(self, key: int) -> dict[str, str]:
        handling, v, p, b, n = self.handlings[key], f"v{key}", f"p{key}", f"b{key}", f"n{key}"
        if handling.column.name == "Id":
            return {"bad": f"t{key} IS NULL"}
        bad = {"bad": f"{v} IS NOT NULL AND t{key} IS NULL"}
        if handling.has_numbers:
            return bad | {
                "rounded": numbers_in.is_rounded(n, _PLACES.get(handling.column.kind, 999)),
                "point": f"in_is_point({b}) AND NOT in_is_comma({b})",
                "comma": f"in_is_comma({b}) AND NOT in_is_point({b})",
            }
        if handling.has_dates:
            undeclared = "false" if self.order else f"{p}.a <> '' AND length({p}.a) <= 2"
            timed = f"{p}.h <> '' AND in_seconds({p}) <> 0" if handling.column.kind == "date" else "false"
            zoneless = "false" if handling.column.kind == "date" else f"{p}.h <> '' AND {p}.off = ''"
            return bad | {
                "undeclared": undeclared,
                "timed": timed,
                "zoneless": zoneless,
                "short": f"{p}.a <> '' AND length({p}.a) <> 4 AND length({p}.c) <> 4",
            }
        return bad

    def _reason(self, key: int) -> str:
        column = self.handlings[key].column
        if column.name == "Id":
            return "'no Id'"
        value = f"'''' || left(v{key}, 80) || ''''"
        kind = self.handlings[key].column.kind
        if self.handlings[key].has_dates:
            return f"{value} || {literal(f' is no date{_in_order(self.order)}')}"
        if kind == "bool":
            return f"{value} || ' is neither true, false, 1 nor 0'"
        mark = f" with a decimal {self.handlings[key].style}" if self.handlings[key].declared else ""
        what = literal((" is no whole number" if kind == "integer" else " is no number") + mark)
        if kind != "decimal":
            return f"{value} || {what}"
        foreign = f"p{key}.c1 || p{key}.c2 <> {currency}" if (currency := self._currency()) else "false"
        return (
            f"{value} || CASE WHEN {foreign} THEN ' is in another currency than the record' "
            f"WHEN n{key} IS NOT NULL THEN ' is too large' ELSE {what} END"
        )

    def _date_only(self) -> str:
        days = {
            handling.column.name: dates_in.is_date_only(f"v{key}", handling.form or "utc", f"p{key}")
            for key, handling in enumerate(self.handlings)
            if handling.column.kind == "datetime"
        }
        days = {name: condition for name, condition in days.items() if condition != "false"}
        if not days:
            return ""
        names = " || ".join(f"CASE WHEN {day} THEN {literal(name + ',')} ELSE '' END" for name, day in days.items())
        return f"CASE WHEN {' OR '.join(f'({day})' for day in days.values())} THEN ',' || {names} END"


def _fast_number(kind: Kind, v: str) -> str:
    if kind == "integer":
        return numbers_in.fast_integer(v)
    return numbers_in.fast_number(v) if kind == "number" else numbers_in.fast_decimal(v, _PLACES[kind])


def _in_order(order: DateOrder | None) -> str:
    spoken = {"ymd": "year, month, day", "dmy": "day, month, year", "mdy": "month, day, year"}
    return f" (ISO, or in the order {spoken[order]})" if order else ""


def _level(below: str, expressions: Iterable[str]) -> str:
    added = "".join(f", {expression}" for expression in expressions)
    return f"(SELECT *{added} FROM {below})" if added else below
