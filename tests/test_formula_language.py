"""Formulas as text: what is read, what it means, what is refused and how."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction

import pytest

from leadline.errors import FormulaError
from leadline.formulas import kinds, tree
from leadline.formulas.evaluate import evaluate
from leadline.formulas.parser import parse
from leadline.formulas.shares import share
from leadline.formulas.shipped import SHIPPED
from leadline.formulas.tree import Binary, Call, Node, Null, Number, Operand, Parent, Previous, Unary
from tests.scale import scaled

STAGES = ["Inquiry", "MQL", "SAL", "SQL", "Closed Won", "Won"]


@dataclass(frozen=True)
class Values:
    """Cells of one group: operand text → value; the parent holds ten times it, the previous period half."""

    known: dict[str, Fraction]

    def value(self, operand: Operand, place: Fraction) -> Fraction | None:
        found = self.known.get(tree.text(operand))
        return None if found is None else found * place

    def parent(self, place: Fraction, level: str | None) -> Fraction:
        return place * 10

    def previous(self, place: Fraction, back: int) -> Fraction | None:
        return place / 2**back if back < 3 else None


def value(text: str, **known: int) -> Fraction | bool | None:
    cells = Values({name: Fraction(number) for name, number in known.items()})
    return evaluate(parse(text), cells, Fraction(1))


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("SQL/MQL", "SQL / MQL"),
        ("sql:sum ÷ MQL:SUM", "sum(sql) / sum(MQL)"),
        ('"Closed Won" × 2', '"Closed Won" * 2'),
        ("'Closed Won' − 'it''s'", '"Closed Won" - "it\'s"'),
        ("a - (b - c)", "a - (b - c)"),
        ("(a - b) - c", "a - b - c"),
        ("a / (b * c)", "a / (b * c)"),
        ("-(a + b)", "-(a + b)"),
        ("+a", "a"),
        ("IF(a >= 1 && not b <> 2, a, NULL)", "if(a >= 1 and not b != 2, a, null)"),
        ("(a < b) = (b < c)", "(a < b) = (b < c)"),
        ("PARENTGROUPVAL(SQL, campaign_type)", "parent(SQL, campaign_type)"),
        ("PREVGROUPVAL(SQL)", "previous(SQL)"),
        ("previous(SQL, 12)", "previous(SQL, 12)"),
        ("BLANKVALUE(a, .5)", "coalesce(a, 0.5)"),
        ("amount(standing(SQL))", "amount(standing(SQL))"),
        ('"sum" + sum("sum")', '"sum" + sum("sum")'),
        ("0.125 * a", "0.125 * a"),
    ],
)
def test_what_is_written_is_read(text: str, plain: str) -> None:
    assert tree.text(parse(text)) == plain
    assert parse(plain) == parse(text)


SIGNS = ["+", "-", "*", "/", "=", "!=", "<", "<=", ">", ">=", "and", "or"]


def drawn(rng: random.Random, depth: int) -> Node:
    """A tree that a formula can write, of at most this depth."""
    if depth == 0 or rng.random() < 0.15:
        leaves: list[Node] = [
            Number(Fraction(rng.randrange(0, 10**6), 10 ** rng.randrange(0, 5))),
            Null(),
            Operand(rng.choice(tree.COUNTS), (_word(rng),), money=rng.random() < 0.3),
            Operand(rng.choice(tree.STEPS), (_word(rng), _word(rng))),
            Operand(rng.choice(tree.OUTCOMES)),
            Operand(rng.choice(tree.DURATIONS), (_word(rng), _word(rng))[: rng.randint(1, 2)]),
        ]
        return rng.choice(leaves)

    def inner() -> Node:
        return drawn(rng, depth - 1)

    name = rng.choice(list(tree.FUNCTIONS))
    fewest, most = tree.FUNCTIONS[name]
    makers: list[Callable[[], Node]] = [
        lambda: Unary(rng.choice(["-", "not"]), inner()),
        lambda: Binary(rng.choice(SIGNS), inner(), inner()),
        lambda: Call(name, tuple(inner() for _ in range(rng.randint(fewest, min(most, fewest + 2))))),
        lambda: Parent(inner(), rng.choice([None, tree.TOTAL, _word(rng)])),
        lambda: Previous(inner(), rng.randint(1, 400)),
    ]
    return rng.choice(makers)()


def _word(rng: random.Random) -> str:
    return rng.choice(["MQL", "Closed Won", "sum", "if", 'a "b"', "it's", "Größe_2", "1st", "a-b", "null", " "])


def test_text_of_a_tree_reads_back_as_that_tree() -> None:
    rng = random.Random(11)
    for _ in range(scaled(5_000)):
        node = drawn(rng, rng.randrange(6))
        assert parse(tree.text(node)) == node, tree.text(node)


def test_arithmetic_is_that_of_fractions() -> None:
    """Against Python's own reading of the same text, which knows the same precedence."""
    rng = random.Random(12)
    for _ in range(scaled(5_000)):
        parts = [str(rng.randrange(1, 9))]
        for _ in range(rng.randrange(8)):
            parts += [rng.choice("+-*/"), rng.choice(["", "-", "("]), str(rng.randrange(1, 9))]
            if parts[-2] == "(":
                parts += ["-", str(rng.randrange(1, 9)), ")"]
        text = " ".join(filter(None, parts))
        exact = " ".join(f"Fraction({part})" if part.isdigit() else part for part in text.split())
        try:
            expected: Fraction | None = eval(exact)  # text of digits and signs, made here
        except ZeroDivisionError:
            expected = None
        assert value(text) == expected, text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a / b", None),
        ("0 * (a / b)", None),
        ("a / b = a / b", None),
        ("if(a / b > 1, 1, 2)", None),
        ("if(isnull(a / b), 7, 8)", 7),
        ("coalesce(a / b, a, 9)", 4),
        ("coalesce(null, null)", None),
        ("max(a, null)", None),
        ("max(a, 3, 9) + min(a, 3) - abs(0 - a)", 8),
        ("a > 3 or a / b > 1", True),
        ("a > 5 and a / b > 1", False),
        ("a > 3 and a / b > 1", None),
        ("not a > 3", False),
        ("absent + 1", None),
        ("a / parent(a)", Fraction(1, 10)),
        ("a / previous(a) - 1", 1),
        ("previous(a, 3)", None),
        ("previous(parent(a))", 20),
        ("if(a != 4, 1 / 0, a)", 4),
    ],
)
def test_no_value_spreads_and_is_never_a_zero(text: str, expected: object) -> None:
    assert value(text, a=4, b=0) == expected


@pytest.mark.parametrize(
    ("text", "column", "said"),
    [
        ("", 1, "found the end where a number"),
        ("SQL /", 6, "found the end where a number"),
        ("SQL / * 2", 7, "found '*' where a number"),
        ("(SQL + 1", 9, "')' is missing after what the bracket holds; found the end"),
        ("SQL 2", 5, "found '2' where the formula should end"),
        ("Closed Won / MQL", 1, 'a name of several words stands in quotes: "Closed Won"'),
        ("SQL % 2", 5, "'%' means nothing here"),
        ('"SQL', 1, 'the quote " is never closed'),
        ("standng(SAL)", 1, "there is no function 'standng'. Did you mean 'standing'?"),
        ("eval(1)", 1, "there is no function 'eval'"),
        ("__import__", 1, "there is no stage '__import__'"),
        ("started(MQL)", 1, "started takes stages, started(A, B), nothing computed"),
        ("median_days(MQL, SAL, SQL)", 1, "median_days(A) or median_days(A, B)"),
        ("median_days(SQL, MQL)", 1, "SQL does not come before MQL"),
        ("cohort(MQL + 1)", 1, "cohort takes stages, cohort(A)"),
        ("amount(3)", 1, "amount takes a stage or one of its views"),
        ("amount(amount(SQL))", 1, "amount takes a stage or one of its views"),
        ("if(1, 2)", 1, "if takes 3 arguments and has 2"),
        ("parent(SQL, 3)", 13, "the second argument of parent is a dimension, period or total"),
        ("previous(SQL, 0)", 15, "a whole number of periods from 1"),
        ("previous(SQL, 1.5)", 15, "a whole number of periods from 1"),
        ("MQL:AVG", 5, "only :SUM can follow a stage, not :AVG"),
        ("1 < 2 < 3", 7, "a second comparison in a row"),
        ("sum / MQL", 1, "sum is a word of formulas and needs brackets"),
        ("SQL and MQL", 1, "`and` needs yes or no (a comparison) and got a count"),
        ("(SQL > 1) + 2", 6, "`+` needs a number and got yes or no"),
        ("SQL > 1", 5, "yields yes or no; write if(…, 1, 0)"),
        ("if(SQL, 1, 2)", 4, "the first argument of if needs yes or no"),
        ("won_amount + MQL", 12, "`+` cannot put money and a count together"),
        ("won_amount > median_days(MQL)", 12, "`>` cannot put money and days together"),
        ("if(MQL > 1, won_amount, MQL)", 25, "if cannot put money and a count together"),
        ("won_amount * open_amount", 12, "yields money^2 × days^0, which has no meaning of its own"),
        ("1 + 2", 3, "names no stage and nothing else that is counted"),
        ("SLQ / MQL", 1, "there is no stage 'SLQ'. Did you mean 'SQL'?"),
        ("SQL / MLQ + SLQ", 7, "Stages: Inquiry, MQL, SAL, SQL, Closed Won, Won; there is no stage 'SLQ'"),
        ("converted(SQL, MQL)", 1, "SQL does not come before MQL"),
        ("MQL" + " + MQL" * 1_000, 0, "the longest that is read has 4,000"),
        ("(" * 50 + "MQL" + ")" * 50, 41, "more than 40 brackets"),
        ("-" * 50 + "MQL", 41, "more than 40 signs"),
    ],
)
def test_what_makes_no_sense_is_refused_with_its_place(text: str, column: int, said: str) -> None:
    with pytest.raises(FormulaError, match="Formula") as caught:
        kinds.format_of(kinds.named(parse(text), STAGES))
    assert caught.value.column == column
    assert said in caught.value.reason


@pytest.mark.parametrize(
    ("text", "format"),
    [
        ("SQL / MQL", "rate"),
        ("SQL + MQL", "number"),
        ("SQL / 12", "number"),
        ("SQL / MQL * 100", "number"),
        ("SQL / previous(SQL) - 1", "rate"),
        ("won_amount / won_count", "money"),
        ("won_amount / (won_amount + lost_amount)", "rate"),
        ("open_count * (won_count / (won_count + lost_count)) * (won_amount / won_count) / median_days(SQL)", "money"),
        ("median_days(MQL) - 3", "days"),
        ("if(won_amount > 1000, won_amount, 0)", "money"),
        ("coalesce(null, won_amount)", "money"),
    ],
)
def test_what_a_formula_yields(text: str, format: str) -> None:
    assert kinds.format_of(parse(text)) == format


@pytest.mark.parametrize(("text", "wanted"), [("SQL / MQL", "money"), ("won_amount", "rate"), ("SQL", "days")])
def test_a_format_that_does_not_fit_is_refused(text: str, wanted: kinds.Format) -> None:
    with pytest.raises(FormulaError, match=f"cannot be shown as {wanted}"):
        kinds.format_of(parse(text), wanted)


def test_stages_are_found_whatever_their_case() -> None:
    assert tree.text(kinds.named(parse('sql / "closed won"'), STAGES)) == 'SQL / "Closed Won"'


@pytest.mark.parametrize(
    ("text", "is_share"),
    [
        ("won_count / (won_count + lost_count)", True),
        ("lost_count / (won_count + lost_count)", True),
        ("won_count / (won_count + won_count)", False),
        ("won_count / (lost_count + 1)", False),
        ("open_count / (won_count + open_count)", False),
        ("converted(MQL, SQL) / started(MQL, SQL)", True),
        ("converted(MQL, SQL) / started(MQL, SAL)", False),
        ("cohort(SQL) / cohort(MQL)", True),
        ("cohort(MQL) / cohort(SQL)", False),
        ("cohort(SQL) / cohort(SAL)", False),  # optional: who passed it by has not reached it
        ("standing(SAL) / (standing(MQL) + standing(SAL))", True),
        ("SQL / MQL", False),
        ("SQL / (SQL + MQL)", False),
        ("SQL / parent(SQL)", True),
        ("SQL / parent(MQL)", False),
        ("won_amount / (won_amount + lost_amount)", False),
        ("sum(SQL) / sum(MQL)", False),
    ],
)
def test_only_a_part_of_its_whole_has_an_interval(text: str, is_share: bool) -> None:
    assert (share(parse(text), STAGES, {"SAL"}) is not None) is is_share


@pytest.mark.parametrize("name", SHIPPED)
def test_shipped_formulas_are_formulas(name: str) -> None:
    one = SHIPPED[name]
    node = kinds.named(parse(one.expression), STAGES)
    assert kinds.format_of(node) == one.format
    assert (share(node, STAGES) is not None) is (name != "win_rate_amount")
