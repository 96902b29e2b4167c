"""The list behind a number is the number: every metric, by every kind of dimension, cell by cell, on random orgs."""

from __future__ import annotations

from collections import Counter, defaultdict
from functools import partial
from typing import Any

import pytest

from leadline.metrics.conversion import conversion
from leadline.metrics.counts.fates import fates
from leadline.metrics.counts.newness import newness
from leadline.metrics.influence import influence
from leadline.metrics.pipeline import pipeline
from leadline.metrics.query import Query
from leadline.metrics.velocity import velocity
from leadline.metrics.volume import VIEWS, volume
from leadline.model.opened import Opened
from leadline.results import Result
from tests.properties import orgs, questions
from tests.scale import costly

DIMENSIONS = ("campaign", "campaign_type", "lead_source", "campaign_path", "written_by", "pass")
"""One of each kind: of campaigns, of persons, of a hierarchy, of the record, of the journey."""

Row = dict[str, Any]


def counted(result: Result, key: tuple[str, ...], number: str) -> dict[tuple, int]:
    """Cell → number, where there is any."""
    found: dict[tuple, int] = defaultdict(int)
    for row in result.table.to_pylist():
        found[tuple(row[name] for name in key)] += row[number] or 0
    return {cell: value for cell, value in found.items() if value}


def listed(rows: list[Row], key: tuple[str, ...], number: str | None) -> dict[tuple, int]:
    """The same of the rows of a list: counted, or summed up."""
    found: Counter[tuple] = Counter()
    for row in rows:
        found[tuple(row[name] for name in key)] += 1 if number is None else int(row[number] or 0)
    return {cell: value for cell, value in found.items() if value}


def own(result: Result, by: tuple[str, ...]) -> Result:
    """Without the rows that hold a campaign with all below it: their units stand in the rows below."""
    if "campaign_path" not in by:
        return result
    import dataclasses

    import pyarrow.compute as pc

    whole = pc.match_substring(pc.fill_null(result.table.column("campaign_path"), ""), "(all below)")
    return dataclasses.replace(result, table=result.table.filter(pc.invert(whole)))


def check_counts(found: Opened, by: tuple[str, ...]) -> None:
    """Volume of every unit and view, cohort conversion, times in stages."""
    for unit in questions.units(found):
        if "pass" in by and unit == "opportunities":
            continue
        asked = Query(unit=unit, by=by, grain="quarter")
        for view in VIEWS:
            result = volume(found, asked, view=view)
            key = (*by, "period", "stage")
            rows = result.records().table.to_pylist()
            assert listed(rows, key, None) == counted(own(result, by), key, "count"), (unit, view)
        result = conversion(found, asked)
        rows = [row | {"from_stage": row["stage"]} for row in result.records().table.to_pylist()]
        key = (*by, "period", "from_stage")
        assert listed(rows, key, None) == counted(own(result, by), key, "started"), unit
        assert listed(rows, key, "in_numerator") == counted(own(result, by), key, "converted"), unit
    for unit in sorted({"journeys", "opportunities"} & set(questions.units(found))):
        if "pass" in by and unit == "opportunities":
            continue
        result = velocity(found, Query(unit=unit, by=by, grain="year"))
        key = (*by, "period", "stage")
        assert listed(result.records().table.to_pylist(), key, None) == counted(result, key, "n"), unit


def check_sums(found: Opened, by: tuple[str, ...]) -> None:
    """Credit and pipeline: what the rows of the list add up to."""
    if "pass" in by or "campaign_path" in by:
        return
    key = (*by, "period", "bucket", "model")
    result = influence(found, Query(by=by, grain="year"))
    rows = result.records().table.to_pylist()
    there = tuple(name for name in key if name in (rows[0] if rows else result.table.column_names))
    total = [
        row | {"all": row["won_amount"] + row["open_amount"] + row["lost_amount"]} for row in result.table.to_pylist()
    ]
    summed: Counter[tuple] = Counter()
    for row in total:
        summed[tuple(row[name] for name in there)] += row["all"]
    assert listed(rows, there, "credit") == {cell: value for cell, value in summed.items() if value}
    result = pipeline(found, Query(by=by, grain="year", unit="opportunities"))
    rows = result.records().table.to_pylist()
    key = (*by, "period", "stage")
    assert listed(rows, key, "count") == counted(result, key, "count")
    assert listed(rows, key, "value") == counted(result, key, "value")


@pytest.mark.parametrize("seed", range(costly(20)))
def test_every_list_is_its_number_in_every_cell(seed: int):
    found = orgs.opened(orgs.drawn(seed, orgs=4))
    dimension = DIMENSIONS[seed % len(DIMENSIONS)]
    by = (dimension,) if questions.units(found) != ("opportunities",) else ("opportunity_type",)
    check_counts(found, by)
    check_sums(found, by)
    if by != ("opportunity_type",):
        for ask in (partial(fates, found), partial(newness, found)):
            result = ask(
                Query(unit="responses", by=by, grain="year") if ask.func is newness else Query(by=by, grain="year")
            )
            key = (*by, "period")
            assert listed(result.records().table.to_pylist(), key, None) == counted(own(result, by), key, "count")
