"""Regular columns are typed by one cast of Arrow's; it must never say anything but what the SQL says."""

from __future__ import annotations

import random
from pathlib import Path

import pyarrow as pa
import pytest

from leadline.sources.naming import Column
from leadline.sources.regular import taken
from leadline.sources.stage_object import typing_connection
from leadline.sources.typing_sql import SQL_TYPES, BatchSql, Handling
from tests.scale import scaled

SPELLINGS = {
    ("datetime", "zulu"): [
        *("2024-02-29T23:59:59.999Z", "2024-03-01T00:00:00Z", "0001-01-01T00:00:00.000Z", "9999-12-31T23:59:59Z"),
        *("2023-02-29T00:00:00.000Z", "2024-01-01T24:00:00Z", "2024-01-01T00:00:60Z", "0000-01-01T00:00:00Z"),
        *("2024-01-01 10:00:00Z", "2024-01-01T101010.1Z", "2024-01-01T10:00:00,5Z", "2024-01-01T10:00:00+0Z"),
    ],
    ("datetime", "utc"): [
        *("2024-02-29T23:59:59.000+0000", "1969-12-31T23:59:59.000+0000", "2024-02-30T00:00:00.000+0000"),
        *("2024-01-01T10:00:00.000+0530", "2024-01-01T10:00:00.001+0000", "2024-01-01T10:00:00.000-0000"),
    ],
    ("date", "date"): [
        *("2024-02-29", "1582-10-10", "9999-12-31", "0001-01-01", "0000-12-31", "2023-02-29"),
        *("2024/01/01", "2024-1-001", "2024-13-01", "+024-01-01", "2024-01-0x"),
    ],
    ("bool", None): ["true", "false", "1", "0", "TRUE", "False", " true", "yes", "t", "2", "01"],
    ("id", None): [
        *("00QHs0000IYUGaOMQX", "000000000000000AAA", "00QHs0000IYUGaO", "00QHs0000IYUGaOMQXZ", "000Hs0000IYUGaOMQX"),
    ],
}  # fmt: skip


@pytest.mark.parametrize(("kind", "form"), SPELLINGS)
def test_what_arrow_takes_is_what_the_sql_reads(kind, form, tmp_path: Path):
    rng = random.Random(f"{kind}{form}")
    spellings = SPELLINGS[kind, form]
    seen = {True: 0, False: 0}
    with typing_connection(tmp_path) as con:
        for number in range(scaled(600)):
            few = rng.sample(spellings, 1 if number < len(spellings) * 2 else rng.randint(1, 4))
            values = [rng.choice([*few, None]) if rng.random() < 0.3 else rng.choice(few) for _ in range(9)]
            chunks = [pa.array(values[:4], pa.string())[1:], pa.array(values[4:], pa.string())]
            table = pa.table({"c0": pa.chunked_array(chunks)})
            handling = Handling(Column("Field", kind, (0,)), form=form)
            fast = taken(handling, table)
            seen[fast is not None] += 1
            if fast is None:
                continue
            con.register("batch", table)
            read = con.sql(BatchSql([handling]).typed(set())).to_arrow_table().column(0)
            assert fast.to_pylist() == read.to_pylist()
            assert fast.null_count == table.column(0).null_count
    assert min(seen.values()) > 0


def test_unknown_columns_of_dates_stay_the_text_they_are():
    handling = Handling(Column("MQL_Date__c", "text", (0,), known=False), form="date", dated=True)
    for values, regular in {("2024-02-29", None): True, ("2024-02-30",): False, ("0000-01-01",): False}.items():
        found = taken(handling, pa.table({"c0": pa.array(values, pa.string())}))
        assert (found is not None) is regular
        assert found is None or tuple(found.to_pylist()) == values


def test_what_needs_a_closer_look_is_left_to_the_sql():
    table = pa.table({"c0": pa.array(["USD", "000"]), "c1": pa.array(["5", "6"])})
    assert taken(Handling(Column("CurrencyIsoCode", "text", (0,))), table) is None
    assert taken(Handling(Column("Amount", "decimal", (1,))), table) is None
    assert taken(Handling(Column("Id", "id", (0, 1))), table) is None
    assert taken(Handling(Column("Status", "text", (0,), values={"USD": "EUR"})), table) is None
    assert taken(Handling(Column("Status", "text", (0,))), table) is not None
    assert set(SQL_TYPES) >= {kind for kind, _ in SPELLINGS}
