"""`Source`: the raw records as the model sees them."""

from __future__ import annotations

import ibis
import pyarrow as pa
import pytest

from leadline.model.source import Source


@pytest.mark.parametrize(
    ("name", "marks"),
    [("Lead", [True, False, None, False]), ("User", ["true", "false", None, "0"]), ("User", [" 1", "False", "", "x"])],
)
def test_deleted_records_are_left_out_whether_the_schema_knows_the_column_or_not(name: str, marks: list):
    kind = pa.bool_() if name == "Lead" else pa.string()
    con = ibis.duckdb.connect()
    records = con.create_table(name, pa.table({"Id": ["1", "2", "3", "4"], "IsDeleted": pa.array(marks, kind)}))
    source = Source({name: records})
    assert sorted(con.to_pyarrow(source.table(name)).column("Id").to_pylist()) == ["2", "3", "4"]
    assert con.to_pyarrow(source.with_deleted(name)).num_rows == 4
    con.disconnect()
