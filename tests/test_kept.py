"""Tables a question keeps live as long as something asks them, and no longer."""

import gc

import ibis
import pytest

from leadline.model.kept import Kept


@pytest.fixture
def backend():
    found = ibis.duckdb.connect()
    yield found
    found.disconnect()


def names(backend):
    rows = backend.con.execute("SELECT table_name FROM duckdb_tables() WHERE temporary ORDER BY 1").fetchall()
    return [name for (name,) in rows]


def numbers(size):
    return ibis.range(size).unnest().name("n").as_table()


def test_a_kept_table_is_dropped_when_no_expression_rests_on_it(backend):
    kept = Kept()
    total = kept.keep(backend, numbers(3)).aggregate(total=ibis._.n.sum())
    gc.collect()
    other = kept.keep(backend, numbers(4))
    assert len(names(backend)) == 2
    assert backend.to_pyarrow(total).to_pylist() == [{"total": 3}]
    del total
    gc.collect()
    kept.drop(backend)
    assert len(names(backend)) == 1
    assert backend.to_pyarrow(other.count()).as_py() == 4


def test_many_questions_leave_no_tables_behind(backend):
    kept = Kept()
    for size in range(30):
        assert backend.to_pyarrow(kept.keep(backend, numbers(size)).count()).as_py() == size
    gc.collect()
    kept.drop(backend)
    assert names(backend) == []


def test_what_is_kept_already_is_not_run_again(backend):
    backend.con.execute("CREATE TABLE t AS SELECT 1 AS n")
    kept = Kept()
    first = kept.keep(backend, backend.table("t").filter(ibis._.n > 0))
    again = kept.keep(backend, backend.table("t").filter(ibis._.n > 0))
    assert first.op() is again.op()
    assert len(names(backend)) == 1


def test_a_table_comes_back_after_its_last_question(backend):
    backend.con.execute("CREATE TABLE t AS SELECT 1 AS n")
    kept = Kept()
    for _ in range(3):
        table = kept.keep(backend, backend.table("t").filter(ibis._.n > 0))
        kept.drop(backend)
        assert backend.to_pyarrow(table.count()).as_py() == 1
        del table
        gc.collect()
