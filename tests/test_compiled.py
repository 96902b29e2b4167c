"""SQL that is compiled once: the same structure is known again, anything else is not."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from unittest.mock import patch

import ibis
import ibis.expr.types as ir
import pytest
from ibis.backends.duckdb import Backend

from leadline.model.compiled import Compiler
from leadline.model.store import Store

ROWS = "CREATE TABLE t AS SELECT * FROM (VALUES (1, 'a'), (2, 'b')) AS rows (n, name)"


CHANGES: dict[str, Callable[[ir.Table], ir.Table]] = {
    "larger": lambda table: table.filter(table.n > 2),
    "at least": lambda table: table.filter(table.n >= 1),
    "true": lambda table: table.mutate(x=ibis.literal(True)),
    "one": lambda table: table.mutate(x=ibis.literal(1)),
    "float": lambda table: table.mutate(x=ibis.literal(1.0)),
    "decimal": lambda table: table.mutate(x=ibis.literal(Decimal("1.0"))),
    "longer decimal": lambda table: table.mutate(x=ibis.literal(Decimal("1.00"))),
    "zero": lambda table: table.mutate(x=ibis.literal(0.0)),
    "negative zero": lambda table: table.mutate(x=ibis.literal(-0.0)),
    "other name": lambda table: table.mutate(y=ibis.literal(1)),
    "ordered": lambda table: table.order_by("n"),
    "descending": lambda table: table.order_by(table.n.desc()),
    "fewer": lambda table: table.select("name"),
    "joined": lambda table: table.join(table.view(), "n"),
}


def backend(*more: str) -> Backend:
    made = ibis.duckdb.connect()
    for statement in (ROWS, *more):
        made.con.execute(statement).fetchall()
    return made


def question(of: Backend) -> ir.Table:
    table = of.table("t")
    return table.filter(table.n > 1).group_by("name").agg(total=table.n.sum())


def test_the_same_question_of_another_connection_is_compiled_once():
    compiler, first, second = Compiler(), backend(), backend()
    text = compiler.statement(first, question(first))
    assert text == str(first.compile(question(first)))
    with patch.object(Backend, "compile", side_effect=AssertionError("compiled again")):
        assert compiler.statement(second, question(second)) == text


@pytest.mark.parametrize("change", CHANGES)
def test_another_question_has_its_own_text(change: str):
    compiler, one = Compiler(), backend()
    others = [
        lambda table: table.filter(table.n > 1),
        lambda table: table.mutate(x=ibis.literal(2)),
        lambda table: table.order_by("name"),
    ]
    for other in others:
        compiler.statement(one, other(one.table("t")))
    for value in (True, 1, 1.0, Decimal("1.0"), Decimal("1.00"), 0.0, -0.0):
        compiler.statement(one, one.table("t").mutate(x=ibis.literal(value)))
    asked = CHANGES[change](one.table("t"))
    assert compiler.statement(one, asked) == str(one.compile(asked))


def test_a_table_with_other_columns_or_in_another_place_is_another_one():
    compiler, one = Compiler(), backend("CREATE SCHEMA s", "CREATE TABLE s.t AS SELECT 9 AS n, 'z' AS name")
    wider = backend("ALTER TABLE t ADD COLUMN more INTEGER")
    here, there, more = one.table("t"), one.table("t", database="s"), wider.table("t")
    for expression, of in ((here, one), (there, one), (more, wider)):
        asked = expression.filter(expression.n > 0)
        assert compiler.statement(of, asked) == str(of.compile(asked))


def test_what_is_known_is_bounded(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("leadline.model.compiled.MOST", 20)
    compiler, one = Compiler(), backend()
    for number in range(50):
        asked = one.table("t").filter(one.table("t").n > number)
        assert compiler.statement(one, asked) == str(one.compile(asked))
        assert compiler.known < 40


def test_tables_made_by_two_stores_hold_what_each_reads():
    for statement, expected in (("SELECT 1", [(2, "b", 2)]), ("UPDATE t SET n = 7 WHERE n = 2", [(7, "b", 7)])):
        one = backend(statement)
        made = Store(one).keep("kept", one.table("t").filter(one.table("t").n > 1).mutate(again=one.table("t").n))
        assert one.con.execute("SELECT * FROM kept").fetchall() == expected, made


def test_a_second_look_at_one_table_is_known_again():
    compiler, first, second = Compiler(), backend(), backend()

    def beside(of: Backend) -> ir.Table:
        table = of.table("t")
        return table.join(other := table.view(), table.n < other.n).select(table.name, larger=other.n)

    text = compiler.statement(first, beside(first))
    with patch.object(Backend, "compile", side_effect=AssertionError("compiled again")):
        assert compiler.statement(second, beside(second)) == text


def test_two_looks_are_not_one():
    compiler, one = Compiler(), backend()
    table = one.table("t")
    first, second = table.view(), table.view()
    twice = table.join(first, table.n < first.n).join(second, first.n < second.n).select(second.name)
    once = table.join(first, table.n < first.n).join(second, table.n < second.n).select(second.name)
    assert compiler.number(twice) != compiler.number(once)


def test_an_answer_is_what_the_engine_says():
    compiler, one = Compiler(), backend()
    table = question(one)
    assert compiler.arrow(one, table).equals(one.to_pyarrow(table))
    assert compiler.arrow(one, table.count()).as_py() == 1


def test_a_table_in_memory_has_no_statement():
    compiler, one = Compiler(), backend()
    held = ibis.memtable({"n": [1, 2]})
    assert compiler.statement(one, held.filter(held.n > 1)) is None
    assert compiler.arrow(one, held.filter(held.n > 1)).to_pylist() == [{"n": 2}]
