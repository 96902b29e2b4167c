"""A connection keeps to less memory while another engine works, and has its own again afterwards."""

import pytest

from leadline import engines


def limit(con):
    return con.execute("SELECT current_setting('memory_limit')").fetchone()[0]


def failing(con, seen):
    """Work beside another engine that ends in an error."""
    with engines.room_for_another(con, "512MiB"):
        seen.append(limit(con))
        raise RuntimeError("on purpose")


def test_the_limit_is_lowered_and_put_back_whatever_happens(tmp_path):
    seen = []
    with engines.writer(tmp_path / "a.duckdb", "1GiB") as con:
        seen.append(limit(con))
        with pytest.raises(RuntimeError, match="on purpose"):
            failing(con, seen)
        assert [*seen, limit(con)] == ["1.0 GiB", "512.0 MiB", "1.0 GiB"]


def test_a_limit_that_is_lower_already_stays(tmp_path):
    with engines.writer(tmp_path / "a.duckdb", "256MiB") as con, engines.room_for_another(con, "2GiB"):
        assert limit(con) == "256.0 MiB"
