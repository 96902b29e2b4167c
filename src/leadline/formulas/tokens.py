"""The text of a formula cut into tokens, each with its place."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from leadline.errors import FormulaError

TokenKind = Literal["number", "name", "quoted", "sign", "end"]

LONGEST = 4_000
"""Characters of the longest formula that is read."""

_SIGNS = {
    "−": "-",
    "–": "-",
    "×": "*",
    "·": "*",
    "÷": "/",
    "==": "=",
    "<>": "!=",
    "≠": "!=",
    "≤": "<=",
    "≥": ">=",
    "&&": "and",
    "||": "or",
}
"""Other ways to write a sign."""

_TOKEN = re.compile(
    r"""
    (?P<space>\s+)
  | (?P<number>\d+(?:\.\d+)?|\.\d+)
  | (?P<name>[^\W\d]\w*)
  | (?P<quoted>"(?:[^"]|"")*"|'(?:[^']|'')*')
  | (?P<sign>==|<>|!=|<=|>=|&&|\|\||[-+*/()=<>,:−–×·÷≠≤≥])
    """,
    re.VERBOSE,
)


@dataclass(frozen=True, slots=True)
class Token:
    """One token.

    Attributes:
        kind: number, name, quoted, sign, end.
        text: the digits, the name, the name without its quotes, or the plain form of the sign.
        column: place of its first character, from 1.
    """

    kind: TokenKind
    text: str
    column: int


def tokens(text: str) -> list[Token]:
    """All tokens of a formula, the last one of kind `end`.

    Raises:
        FormulaError: a character that belongs to nothing, an open quote, or a text that is too long.
    """
    if len(text) > LONGEST:
        raise FormulaError(f"is {len(text):,} characters long; the longest that is read has {LONGEST:,}")
    found, at = [], 0
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            raise FormulaError(_stray(text[at]), at + 1)
        if match.lastgroup != "space":
            found.append(_token(match))
        at = match.end()
    return [*found, Token("end", "", len(text) + 1)]


def _token(match: re.Match[str]) -> Token:
    text, column = match[0], match.start() + 1
    if match["quoted"] is not None:
        mark = text[0]
        return Token("quoted", text[1:-1].replace(mark * 2, mark), column)
    if match["sign"] is not None:
        plain = _SIGNS.get(text, text)
        return Token("name" if plain in ("and", "or") else "sign", plain, column)
    return Token("number" if match["number"] is not None else "name", text, column)


def _stray(character: str) -> str:
    if character in "\"'":
        return f"the quote {character} is never closed"
    return f"{character!r} means nothing here; a name with other characters than letters, digits and _ stands in quotes"
