"""Every question on Spark, beside DuckDB: equal cell by cell, or the error of a gap that is known."""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from leadline.config import parse
from leadline.errors import SourceError
from leadline.warehouse.mapping import mapped
from leadline.warehouse.published import WarehouseSnapshots
from leadline.workspace import Workspace
from tests.engines.cluster import LOOPBACK, SMALL
from tests.engines.spark_org import published, without_duplicates, workspace
from tests.engines.suite import SUITE, Asked, check_equal

PEOPLE = 200
"""Enough for each question to have rows; more would bring Spark more rows but no other plans."""


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Workspace, Workspace]]:
    """One snapshot as DuckDB's file and as Spark's folders."""
    folder = tmp_path_factory.mktemp("suite")
    own = without_duplicates(folder, PEOPLE)
    published(own, folder / "published")
    (folder / "tables").mkdir()
    other = workspace(folder, own, "local[2]", {**SMALL, **LOOPBACK})
    yield own, other
    assert isinstance(other.snapshots, WarehouseSnapshots)
    other.snapshots.engine.close()


@pytest.mark.parametrize("asked", SUITE, ids=lambda asked: asked.name)
def test_equal_cell_by_cell(both: tuple[Workspace, Workspace], asked: Asked):
    check_equal(asked, "spark", *both)


def test_a_folder_that_a_loader_appends_to_is_refused(both: tuple[Workspace, Workspace]):
    """Two states of one lead, its id once with 15 characters and once with 18."""
    _, other = both
    assert isinstance(other.snapshots, WarehouseSnapshots)
    engine, folder = other.snapshots.engine, other.folder.parent / "tables"
    rows = {"Id": ["00QD000000abcDE", "00QD000000abcDEMAY", "00QD000000abcDFMAY"], "Status": ["Open", "MQL", "Open"]}
    pq.write_table(pa.table(rows), folder / "Lead.parquet")
    with pytest.raises(SourceError, match="Lead holds 3 rows of 2 ids"):
        mapped(
            engine, parse(f'[warehouse]\nengine = "spark"\nurl = "local[2]"\nsource = "{folder}"\nsnapshots = "x"\n')
        )
