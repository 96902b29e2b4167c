"""A few questions on Spark, every day; `spark_suite.py` asks all of them, `spark_cluster.py` builds there."""

from __future__ import annotations

from pathlib import Path

from leadline.warehouse.published import WarehouseSnapshots
from tests.engines.cluster import LOOPBACK, SMALL
from tests.engines.spark_org import published, without_duplicates, workspace
from tests.engines.suite import SUITE, check_equal

PEOPLE = 60
"""Spark's time goes into planning, whatever the number of rows."""


def test_answers_from_a_snapshot_on_spark(tmp_path: Path):
    """One test for all of them: each process that asks starts a Java of its own."""
    own = without_duplicates(tmp_path, PEOPLE)
    published(own, tmp_path / "published")
    other = workspace(tmp_path, own, "local[2]", {**SMALL, **LOOPBACK})
    assert isinstance(other.snapshots, WarehouseSnapshots)
    asked = [one for one in SUITE if one.quick]
    try:
        for one in asked:
            check_equal(one, "spark", own, other)
    finally:
        other.snapshots.engine.close()
    assert asked
