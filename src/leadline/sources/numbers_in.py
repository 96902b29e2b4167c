"""Numbers as files write them → BIGINT, DOUBLE and DECIMAL, in SQL, without a binary float on the way.

Read are plain numbers, E notation, grouped thousands (`1,234.50`, `1 234.50`, `1'234.50`,
`1,23,456.00`), amounts with one currency code or sign (`USD 1,234.50`, `€ 12`), negative ones in
parentheses and a trailing %. A decimal comma is read where it is declared, or where a column proves
it (`1.234,50`, `12,5`) and nothing in the column contradicts.
"""

from __future__ import annotations

from typing import Final, Literal

from leadline.sources.sql_text import literal

Style = Literal["point", "comma"]
"""Which mark begins the decimals of a column; the other one divides thousands."""

_CODE, _SIGN = "[A-Z]{3}", "[$€£¥₹]"
PARTS: Final = (
    rf"^\s*(\()?\s*([+-])?\s*(?:({_CODE})|({_SIGN}))?\s*([+-])?\s*(\d[\d.,'’\s\x{{A0}}\x{{202F}}]*|[.,]\d+)"
    rf"(?:[eE]([+-]?\d{{1,2}}))?\s*%?\s*(?:({_CODE})|({_SIGN}))?\s*(\))?\s*$"
)
_NAMES = "['po', 's1', 'c1', 'y1', 's2', 'body', 'e', 'c2', 'y2', 'pc']"
_GROUPS = literal(r"['’\s\x{A0}\x{202F}]+(\d{3})")
_POINT = literal(r"(\d+|[1-9]\d{0,2}(,\d{2,3})*,\d{3})?(\.\d*)?")
_COMMA = literal(r"(\d+|[1-9]\d{0,2}(\.\d{2,3})*\.\d{3})?(,\d*)?")

MACROS: Final = (
    f"CREATE OR REPLACE MACRO in_amount(v) AS regexp_extract(v, {literal(PARTS)}, {_NAMES})",
    "CREATE OR REPLACE MACRO in_body(p) AS CASE "
    "WHEN p.body = '' OR (p.s1 <> '' AND p.s2 <> '') OR (p.po = '') <> (p.pc = '') THEN NULL "
    "WHEN (p.c1 || p.y1 <> '' AND p.c2 || p.y2 <> '') OR (p.po <> '' AND p.s1 || p.s2 <> '') THEN NULL "
    f"ELSE regexp_replace(trim(p.body), {_GROUPS}, '\\1', 'g') END",
    f"CREATE OR REPLACE MACRO in_is_point(b) AS regexp_full_match(b, {_POINT}) AND b NOT IN ('', '.')",
    f"CREATE OR REPLACE MACRO in_is_comma(b) AS regexp_full_match(b, {_COMMA}) AND b NOT IN ('', ',')",
    "CREATE OR REPLACE MACRO in_shift(m, e, w) AS CASE "
    "WHEN w + e <= 0 THEN '0.' || repeat('0', -(w + e)) || m "
    "WHEN w + e >= length(m) THEN m || repeat('0', w + e - length(m)) "
    "ELSE m[:w + e] || '.' || m[w + e + 1:] END",
    "CREATE OR REPLACE MACRO in_plain(b, e) AS CASE WHEN e = '' THEN b ELSE in_shift(replace(b, '.', ''), "
    "TRY_CAST(e AS INTEGER), CASE WHEN contains(b, '.') THEN instr(b, '.') - 1 ELSE length(b) END) END",
    "CREATE OR REPLACE MACRO in_sign(p) AS CASE WHEN p.s1 || p.s2 = '-' OR p.po <> '' THEN '-' ELSE '' END",
    "CREATE OR REPLACE MACRO in_decimals(n) AS "
    "CASE WHEN contains(n, '.') THEN rtrim(n[instr(n, '.') + 1:], '0') ELSE '' END",
)


def body(parts: str) -> str:
    """SQL: the digits and marks of `in_amount(value)`, blanks between thousands left out."""
    return f"in_body({parts})"


def plain(parts: str, digits: str, style: Style) -> str:
    """SQL: the number without sign as text with a decimal point, exact; null if it cannot be read."""
    if style == "point":
        read, text = f"in_is_point({digits})", f"replace({digits}, ',', '')"
    else:
        read, text = f"in_is_comma({digits})", f"replace(replace({digits}, '.', ''), ',', '.')"
    grouped = f"{parts}.e <> '' AND contains({digits}, ',')"
    return f"CASE WHEN {read} AND NOT ({grouped}) THEN in_plain({text}, {parts}.e) END"


def fast_decimal(v: str, places: int) -> str:
    """SQL that reads DECIMAL(28, places) from a plain number of no more places, null for any other."""
    look = literal(rf"-?\d{{1,{28 - places}}}(\.\d{{0,{places}}})?")
    return f"CASE WHEN regexp_full_match({v}, {look}) THEN TRY_CAST({v} AS DECIMAL(28, {places})) END"


def fast_number(v: str) -> str:
    """SQL that reads DOUBLE from a plain number, null for any other."""
    return f"CASE WHEN regexp_full_match({v}, '-?\\d+(\\.\\d+)?') THEN TRY_CAST({v} AS DOUBLE) END"


def fast_integer(v: str) -> str:
    """SQL that reads BIGINT from a plain whole number, null for any other."""
    return f"CASE WHEN regexp_full_match({v}, '-?\\d{{1,18}}') THEN TRY_CAST({v} AS BIGINT) END"


def full_decimal(parts: str, number: str, places: int) -> str:
    """SQL: DECIMAL(28, places) from `plain`; more decimals are rounded half to even, exactly."""
    kind = f"DECIMAL(28, {places})"
    cut = f"(instr({number}, '.') + {places})"
    kept, rest = f"{number}[:{cut}]", f"rtrim({number}[{cut} + 1:], '0')"
    up = f"({rest} > '5' OR ({rest} = '5' AND {number}[{cut}] IN ('1', '3', '5', '7', '9')))"
    step = f"CAST('0.{'1'.rjust(places, '0')}' AS {kind})"
    size = (
        f"CASE WHEN {is_rounded(number, places)} "
        f"THEN TRY_CAST({kept} AS {kind}) + CASE WHEN {up} THEN {step} ELSE 0 END ELSE TRY_CAST({number} AS {kind}) END"
    )
    return f"TRY_CAST(CASE WHEN in_sign({parts}) = '-' THEN -({size}) ELSE {size} END AS {kind})"


def is_rounded(number: str, places: int) -> str:
    """SQL condition: the number has more decimals than are kept."""
    return f"length(in_decimals({number})) > {places}"


def full_number(parts: str, number: str) -> str:
    """SQL: DOUBLE from `plain`, the nearest one."""
    return f"TRY_CAST(in_sign({parts}) || {number} AS DOUBLE)"


def full_integer(parts: str, digits: str, number: str, *, doubtful: bool) -> str:
    """SQL: BIGINT from `plain`, null if it is not whole.

    `5.000` may be five or, as some write it, five thousand: null if nobody said or proved which
    (`doubtful`).
    """
    whole = f"split_part({number}, '.', 1)"
    either = f"regexp_full_match({digits}, '[1-9]\\d{{0,2}}\\.\\d{{3}}')" if doubtful else "false"
    read = f"TRY_CAST(in_sign({parts}) || {whole} AS BIGINT)"
    return f"CASE WHEN in_decimals({number}) = '' AND NOT {either} THEN {read} END"
