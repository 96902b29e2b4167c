"""From the text of a formula to its tree, by recursive descent.

formula    = or
or         = and { "or" and }
and        = not { "and" not }
not        = "not" not | comparison
comparison = sum [ ( "=" | "!=" | "<" | "<=" | ">" | ">=" ) sum ]
sum        = product { ( "+" | "-" ) product }
product    = sign { ( "*" | "/" ) sign }
sign       = "-" sign | "+" sign | atom
atom       = number | "null" | "(" formula ")" | name [ ":" "SUM" ] | name "(" arguments ")"
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

from leadline.errors import FormulaError, did_you_mean
from leadline.formulas import tree
from leadline.formulas.tokens import Token, tokens
from leadline.formulas.tree import Binary, Call, Node, Null, Number, Operand, Parent, Previous, Unary

DEEPEST = 40
"""Brackets and signs within each other that are read; far beyond what anyone writes."""

_OTHER_NAMES = {"parentgroupval": "parent", "prevgroupval": "previous", "blankvalue": "coalesce", "isblank": "isnull"}
"""Names that Salesforce gives to functions of ours."""

_COMPARED = ("=", "!=", "<", "<=", ">", ">=")
_CALLED = ("amount", "parent", "previous", *tree.FUNCTIONS, *tree.COUNTS, *tree.STEPS, *tree.DURATIONS)


def parse(text: str) -> Node:
    """The tree of a formula.

    Raises:
        FormulaError: it cannot be read; with the column and what would be right.
    """
    reader = _Reader(tokens(text))
    found = reader.formula()
    reader.end()
    return found


class _Reader:
    """Reads tokens from left to right, one method per rule of the grammar."""

    def __init__(self, found: list[Token]) -> None:
        self._tokens = found
        self._at = 0
        self._depth = 0

    @property
    def _next(self) -> Token:
        return self._tokens[self._at]

    def _take(self) -> Token:
        token = self._next
        self._at += 1
        return token

    def _is(self, *signs: str) -> bool:
        """Whether the next token is one of these signs or words."""
        token = self._next
        return token.kind in ("sign", "name") and token.text.casefold() in signs

    def _expect(self, sign: str, after: str) -> None:
        if not self._is(sign):
            raise FormulaError(f"{sign!r} is missing after {after}; found {_shown(self._next)}", self._next.column)
        self._take()

    def end(self) -> None:
        """Nothing may follow a formula."""
        token = self._next
        if token.kind == "end":
            return
        before = self._tokens[self._at - 1]
        if token.kind == "name" and before.kind == "name":
            raise FormulaError(
                f'two names side by side; a name of several words stands in quotes: "{before.text} {token.text}"',
                before.column,
            )
        raise FormulaError(f"found {_shown(token)} where the formula should end or go on with + - * /", token.column)

    def formula(self) -> Node:
        """A whole formula, or one in brackets."""
        self._depth += 1
        if self._depth > DEEPEST:
            raise FormulaError(f"more than {DEEPEST} brackets within each other", self._next.column)
        found = self._chain(self._all, ("or",))
        self._depth -= 1
        return found

    def _all(self) -> Node:
        return self._chain(self._not, ("and",))

    def _not(self) -> Node:
        if self._is("not"):
            token = self._take()
            return self._deeper(lambda: Unary("not", self._not(), token.column))
        left = self._sum()
        if not self._is(*_COMPARED):
            return left
        token = self._take()
        found = Binary(token.text, left, self._sum(), token.column)
        if self._is(*_COMPARED):
            raise FormulaError("a second comparison in a row; join comparisons with `and`", self._next.column)
        return found

    def _sum(self) -> Node:
        return self._chain(self._product, ("+", "-"))

    def _product(self) -> Node:
        return self._chain(self._sign, ("*", "/"))

    def _chain(self, part: Callable[[], Node], signs: tuple[str, ...]) -> Node:
        found = part()
        while self._is(*signs):
            token = self._take()
            found = Binary(token.text.casefold(), found, part(), token.column)
        return found

    def _sign(self) -> Node:
        if self._is("-"):
            token = self._take()
            return self._deeper(lambda: Unary("-", self._sign(), token.column))
        if self._is("+"):
            self._take()
            return self._deeper(self._sign)
        return self._atom()

    def _deeper(self, part: Callable[[], Node]) -> Node:
        self._depth += 1
        if self._depth > DEEPEST:
            raise FormulaError(f"more than {DEEPEST} signs in a row", self._next.column)
        found = part()
        self._depth -= 1
        return found

    def _atom(self) -> Node:
        token = self._take()
        if token.kind == "number":
            return Number(Fraction(token.text), token.column)
        if token.kind == "sign" and token.text == "(":
            inner = self.formula()
            self._expect(")", "what the bracket holds")
            return inner
        if token.kind == "quoted":
            return self._stage(token)
        if token.kind == "name":
            return self._called(token) if self._is("(") else self._named(token)
        raise FormulaError(f"found {_shown(token)} where a number, a stage or a function should stand", token.column)

    def _named(self, token: Token) -> Node:
        word = token.text.casefold()
        if word == "null":
            return Null(token.column)
        if word in tree.OUTCOMES:
            return Operand(word, column=token.column)
        if word in ("and", "or", "not"):
            raise FormulaError(
                f"found {_shown(token)} where a number, a stage or a function should stand", token.column
            )
        if word in _CALLED and not self._is(":"):
            raise FormulaError(
                f"{token.text} is a word of formulas and needs brackets: {word}(…); "
                f'a stage of that name stands in quotes: "{token.text}"',
                token.column,
            )
        return self._stage(token)

    def _stage(self, token: Token) -> Operand:
        """A stage by name; `NAME:SUM`, as a Salesforce summary formula writes it, is sum(NAME)."""
        if not self._is(":"):
            return Operand("entered", (token.text,), column=token.column)
        self._take()
        word = self._take()
        if word.text.casefold() != "sum":
            raise FormulaError(f"only :SUM can follow a stage, not :{word.text}", word.column)
        return Operand("sum", (token.text,), column=token.column)

    def _called(self, token: Token) -> Node:
        word = token.text.casefold()
        word = _OTHER_NAMES.get(word, word)
        if word not in _CALLED:
            raise FormulaError(
                f"there is no function {token.text!r}.{did_you_mean(token.text, _CALLED)} Known: {', '.join(_CALLED)}",
                token.column,
            )
        self._take()
        if word in ("parent", "previous"):
            return self._group(word, token)
        arguments = self._arguments(token)
        if word in tree.FUNCTIONS:
            return _function(word, arguments, token)
        return _amount(arguments, token) if word == "amount" else _counted(word, arguments, token)

    def _arguments(self, token: Token) -> tuple[Node, ...]:
        found: list[Node] = []
        while not self._is(")"):
            found.append(self.formula())
            if not self._is(","):
                break
            self._take()
        self._expect(")", f"the arguments of {token.text}")
        return tuple(found)

    def _group(self, word: str, token: Token) -> Node:
        """`parent(formula, dimension)` or `previous(formula, number)`."""
        inner = self.formula()
        second: Token | None = None
        if self._is(","):
            self._take()
            second = self._take()
        self._expect(")", f"the arguments of {token.text}")
        if word == "parent":
            if second is not None and second.kind not in ("name", "quoted"):
                raise FormulaError(
                    f"the second argument of parent is a dimension, {tree.PERIOD} or {tree.TOTAL}, not {_shown(second)}",
                    second.column,
                )
            return Parent(inner, second.text if second else None, token.column)
        back = second.text if second else "1"
        if second is not None and (second.kind != "number" or not back.isdigit() or int(back) == 0):
            raise FormulaError(
                f"the second argument of previous is a whole number of periods from 1, not {_shown(second)}",
                second.column,
            )
        return Previous(inner, int(back), token.column)


def _function(word: str, arguments: tuple[Node, ...], token: Token) -> Call:
    fewest, most = tree.FUNCTIONS[word]
    if not fewest <= len(arguments) <= most:
        wanted = str(fewest) if fewest == most else f"{fewest} to {most}"
        raise FormulaError(f"{word} takes {wanted} arguments and has {len(arguments)}", token.column)
    return Call(word, arguments, token.column)


def _counted(word: str, arguments: tuple[Node, ...], token: Token) -> Operand:
    """An operand that is about stages: standing(SAL), started(MQL, SQL), median_days(MQL)."""
    allowed = (2,) if word in tree.STEPS else (1, 2) if word in tree.DURATIONS else (1,)
    stages = [one.stages[0] for one in arguments if _is_stage(one) and isinstance(one, Operand)]
    if len(arguments) not in allowed or len(stages) != len(arguments):
        known = " or ".join(f"{word}({', '.join('AB'[:count])})" for count in allowed)
        raise FormulaError(f"{word} takes stages, {known}, nothing computed", token.column)
    return Operand(word, tuple(stages), column=token.column)


def _amount(arguments: tuple[Node, ...], token: Token) -> Operand:
    one = arguments[0] if len(arguments) == 1 else None
    if not isinstance(one, Operand) or one.what not in tree.COUNTS or one.money:
        raise FormulaError(
            "amount takes a stage or one of its views: amount(SQL), amount(standing(SQL)), amount(sum(SQL))",
            token.column,
        )
    return Operand(one.what, one.stages, money=True, column=token.column)


def _is_stage(node: Node) -> bool:
    return isinstance(node, Operand) and node.what == "entered" and not node.money


def _shown(token: Token) -> str:
    return "the end" if token.kind == "end" else repr(token.text)
