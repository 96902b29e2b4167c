"""The part of SOQL that the double speaks; everything else is MALFORMED_QUERY, as a typing error would be.

SELECT Field, Parent.Field, COUNT(), COUNT(Field) name, MIN(Field), MAX(Field), SUM(Field)
FROM Object [WHERE … AND, OR, NOT, = != <> < <= > >= LIKE, IN, NOT IN] [GROUP BY Field, …]
[ORDER BY Field [ASC|DESC] [NULLS FIRST|LAST], …] [LIMIT n] [OFFSET n]
"""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from leadline_double.problems import ApiError, malformed

LONGEST: Final = 100_000
_TOKEN: Final = re.compile(
    r"""\s*(?:
      (?P<moment>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:?\d\d))
    | (?P<date>\d{4}-\d\d-\d\d)
    | (?P<number>[+-]?\d+(?:\.\d+)?)
    | '(?P<text>(?:[^'\\]|\\.)*)'
    | (?P<name>[A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z_][A-Za-z0-9_]*)*)
    | (?P<sign><=|>=|!=|<>|[=<>(),])
    )""",
    re.VERBOSE,
)
_COMPARISONS: Final = frozenset({"=", "!=", "<>", "<", "<=", ">", ">="})
_AGGREGATES: Final = frozenset({"COUNT", "MIN", "MAX", "SUM", "AVG", "COUNT_DISTINCT"})


@dataclass(frozen=True)
class Token:
    """A piece of a query and where it begins."""

    kind: str
    text: str
    at: int

    @property
    def word(self) -> str:
        """The text in capitals, for keywords."""
        return self.text.upper() if self.kind == "name" else ""


@dataclass(frozen=True)
class Column:
    """A selected field path or aggregate; `path` is empty for COUNT()."""

    path: str
    at: int
    aggregate: str | None = None
    alias: str | None = None


@dataclass(frozen=True)
class Comparison:
    """One comparison of a field with literal values."""

    path: str
    at: int
    operator: str
    values: tuple[Any, ...]
    quoted: bool = False


@dataclass(frozen=True)
class Group:
    """AND, OR or NOT of conditions."""

    operator: str
    parts: tuple[Any, ...]


@dataclass(frozen=True)
class Order:
    """One field of ORDER BY."""

    path: str
    at: int
    down: bool
    nulls_last: bool


@dataclass(frozen=True)
class Query:
    """A query as read; `condition` is a Comparison, a Group or None."""

    text: str
    columns: tuple[Column, ...]
    object: str
    object_at: int
    condition: Comparison | Group | None = None
    grouped: tuple[Column, ...] = ()
    orders: tuple[Order, ...] = ()
    limit: int | None = None
    offset: int = 0

    @property
    def counts_rows(self) -> bool:
        """Whether it is SELECT COUNT()."""
        return len(self.columns) == 1 and self.columns[0].aggregate == "COUNT" and not self.columns[0].path

    @property
    def aggregates(self) -> bool:
        """Whether its rows are aggregates."""
        return bool(self.grouped) or any(one.aggregate for one in self.columns)

    def place(self, at: int) -> str:
        """The lines that the platform prints above an error: query, caret, row and column."""
        line = self.text.replace("\n", " ")
        begin = max(0, at - 40)
        return f"\n{line[begin : at + 20]}\n{' ' * (at - begin)}^\nERROR at Row:1:Column:{at + 1}\n"


def tokens_of(text: str) -> list[Token]:
    """A query in pieces.

    Raises:
        ApiError: MALFORMED_QUERY at a sign that starts none.
    """
    found, at = [], 0
    end = len(text.rstrip())
    while at < end:
        hit = _TOKEN.match(text, at)
        if hit is None or hit.lastgroup is None:
            raise malformed(f"unexpected token: '{text[at:].split()[0]}'")
        found.append(Token(hit.lastgroup, hit[hit.lastgroup], hit.start(hit.lastgroup)))
        at = hit.end()
    return found


class Reader:
    """Recursive descent over the tokens."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens = tokens_of(text)
        self.next = 0

    def peek(self) -> Token:
        """The token to come; an empty one at the end."""
        return self.tokens[self.next] if self.next < len(self.tokens) else Token("end", "", len(self.text))

    def take(self, *words: str) -> Token | None:
        """The token to come, if it is one of these words or signs."""
        one = self.peek()
        if one.word in words or (one.kind == "sign" and one.text in words):
            self.next += 1
            return one
        return None

    def expect(self, *words: str) -> Token:
        """The same, but nothing else will do."""
        one = self.take(*words)
        if one is None:
            raise self.unexpected()
        return one

    def name(self) -> Token:
        """A field, object or alias."""
        one = self.peek()
        if one.kind != "name":
            raise self.unexpected()
        self.next += 1
        return one

    def unexpected(self) -> ApiError:
        """The refusal at the token to come."""
        one = self.peek()
        return malformed(f"unexpected token: '{one.text or '<EOF>'}'")

    def query(self) -> Query:
        """The whole query."""
        self.expect("SELECT")
        columns = self.listed(self.column)
        self.expect("FROM")
        entity = self.name()
        condition = self.either() if self.take("WHERE") else None
        grouped = self.group_by() if self.take("GROUP") else ()
        orders = self.order_by() if self.take("ORDER") else ()
        limit = self.whole() if self.take("LIMIT") else None
        offset = self.whole() if self.take("OFFSET") else 0
        if self.peek().kind != "end":
            raise self.unexpected()
        return Query(self.text, columns, entity.text, entity.at, condition, grouped, orders, limit, offset)

    def listed(self, read: Any) -> tuple[Any, ...]:
        """One or more, with commas between."""
        found = [read()]
        while self.take(","):
            found.append(read())
        return tuple(found)

    def column(self) -> Column:
        """A field, or an aggregate with an optional alias."""
        one = self.name()
        if one.word == "TYPEOF" or not self.take("("):
            return Column(one.text, one.at)
        if one.word not in _AGGREGATES:
            self.next -= 1
            raise self.unexpected()
        inner = self.name() if self.peek().kind == "name" else None
        self.expect(")")
        if inner is None and one.word != "COUNT":
            raise self.unexpected()
        following = self.peek()
        alias = self.name().text if following.kind == "name" and following.word != "FROM" else None
        return Column(inner.text if inner else "", inner.at if inner else one.at, one.word, alias)

    def group_by(self) -> tuple[Column, ...]:
        """Fields after GROUP BY."""
        self.expect("BY")
        return tuple(Column(one.text, one.at) for one in self.listed(self.name))

    def order_by(self) -> tuple[Order, ...]:
        """Fields after ORDER BY; nulls come first unless the order says otherwise."""
        self.expect("BY")
        return self.listed(self.order)

    def order(self) -> Order:
        """One of them."""
        one = self.name()
        way = self.take("ASC", "DESC")
        nulls_last = bool(self.take("NULLS") and self.expect("FIRST", "LAST").word == "LAST")
        return Order(one.text, one.at, bool(way and way.word == "DESC"), nulls_last)

    def whole(self) -> int:
        """A number of rows."""
        one = self.peek()
        if one.kind != "number" or not one.text.isdigit():
            raise self.unexpected()
        self.next += 1
        return int(one.text)

    def either(self) -> Comparison | Group:
        """Conditions with OR or AND between; mixing them without parentheses is refused, as the platform does."""
        first = self.negation()
        word = self.peek().word
        if word not in {"AND", "OR"}:
            return first
        parts = [first]
        while self.take(word):
            parts.append(self.negation())
        if self.peek().word in {"AND", "OR"}:
            raise self.unexpected()
        return Group(word, tuple(parts))

    def negation(self) -> Comparison | Group:
        """NOT before a condition."""
        if self.take("NOT"):
            return Group("NOT", (self.negation(),))
        if self.take("("):
            inner = self.either()
            self.expect(")")
            return inner
        return self.test()

    def test(self) -> Comparison:
        """A field, an operator, and what it is compared with."""
        one, sign = self.name(), self.peek()
        if sign.kind == "sign" and sign.text in _COMPARISONS:
            self.next += 1
            quoted = self.peek().kind == "text"
            return Comparison(one.text, one.at, sign.text.replace("<>", "!="), (self.literal(),), quoted)
        if self.take("LIKE"):
            return Comparison(one.text, one.at, "LIKE", (self.literal(),), quoted=True)
        operator = "NOT IN" if self.take("NOT") else "IN"
        self.expect("IN")
        self.expect("(")
        quoted = self.peek().kind == "text"
        values = self.listed(self.literal)
        self.expect(")")
        return Comparison(one.text, one.at, operator, values, quoted)

    def literal(self) -> Any:
        """A value written in a query."""
        one = self.peek()
        self.next += 1
        if one.kind == "text":
            return re.sub(r"\\(.)", lambda hit: {"n": "\n", "r": "\r", "t": "\t"}.get(hit[1], hit[1]), one.text)
        if one.kind == "number":
            return Decimal(one.text)
        if one.kind in {"date", "moment"}:
            return self.day_or_moment(one)
        if one.word in {"TRUE", "FALSE", "NULL"}:
            return {"TRUE": True, "FALSE": False, "NULL": None}[one.word]
        self.next -= 1
        raise self.unexpected()

    def day_or_moment(self, one: Token) -> dt.date:
        """A date, or a moment with its zone; 2026-02-30 is none."""
        try:
            if one.kind == "date":
                return dt.date.fromisoformat(one.text)
            return dt.datetime.fromisoformat(one.text).astimezone(dt.UTC)
        except ValueError:
            raise malformed(f"unexpected token: '{one.text}'") from None


def parse(text: str) -> Query:
    """A query from its text.

    Raises:
        ApiError: MALFORMED_QUERY.
    """
    if len(text) > LONGEST:
        raise ApiError("QUERY_TOO_COMPLICATED", "Query is either selecting too many fields or too long.")
    return Reader(text).query()
