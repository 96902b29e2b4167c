"""What must hold of every answer on every org."""

from __future__ import annotations

import random

import pytest

from leadline.metrics.query import Query
from leadline.metrics.volume import volume
from leadline.model import catalogue
from tests.properties import orgs, questions
from tests.scale import costly

SEEDS = range(costly(20))
SUMS = ("count", "implied", "re_entries", "regressions", "requalifications")
CLASSES = ("started", "converted", "too_young", "implied", "out_of_order", "undated")
DIMENSIONS = ("campaign", "campaign_type", "lead_source", "generated_by")


def summed(rows, key, names):
    """Sums per key, in which nothing is not told apart from an absent row."""
    sums: dict[tuple, dict[str, int]] = {}
    for row in rows:
        found = sums.setdefault(tuple(row[name] for name in key), dict.fromkeys(names, 0))
        for name in names:
            found[name] += row[name] or 0
    return {place: found for place, found in sums.items() if any(found.values())}


@pytest.mark.parametrize("seed", SEEDS)
def test_the_list_is_the_number(seed):
    found = orgs.opened(orgs.drawn(seed))
    for name, ask in list(questions.volumes(found, grain="quarter"))[seed % 3 :: 3]:
        result = ask(found)
        listed = result.records().table.to_pylist()
        counted = {(row["period"], row["stage"]): row["count"] for row in result.table.to_pylist() if row["count"]}
        seen: dict[tuple, int] = {}
        for row in listed:
            seen[row["period"], row["stage"]] = seen.get((row["period"], row["stage"]), 0) + 1
        assert seen == counted, name
    for name, ask in questions.conversions(found):
        result = ask(found)
        listed = result.records().table.to_pylist()
        assert len(listed) == sum(row["started"] for row in result.table.to_pylist()), name
        assert sum(row["in_numerator"] for row in listed) == sum(
            row["converted"] for row in result.table.to_pylist()
        ), name
    for name, ask in questions.influences():
        result = ask(found)
        listed = result.records().table.to_pylist()
        amounts = ("won_amount", "open_amount", "lost_amount")
        assert sum(row["credit"] for row in listed) == sum(
            row[amount] for row in result.table.to_pylist() for amount in amounts
        ), name


@pytest.mark.parametrize("seed", SEEDS)
def test_parts_add_up_to_the_whole(seed):
    found = orgs.opened(orgs.drawn(seed))
    dimension = DIMENSIONS[seed % len(DIMENSIONS)]
    pairs = list(zip(questions.volumes(found), questions.volumes(found, by=(dimension,)), strict=True))
    for whole, parts in pairs[seed % 3 :: 3]:
        key = ("period", "stage")
        assert summed(parts[1](found).table.to_pylist(), key, SUMS) == summed(
            whole[1](found).table.to_pylist(), key, SUMS
        ), parts[0]
    for whole, parts in zip(questions.conversions(found), questions.conversions(found, by=(dimension,)), strict=True):
        key = ("from_stage", "to_stage")
        assert summed(parts[1](found).table.to_pylist(), key, CLASSES) == summed(
            whole[1](found).table.to_pylist(), key, CLASSES
        ), parts[0]


@pytest.mark.parametrize("seed", SEEDS)
def test_periods_add_up_to_all_time(seed):
    found = orgs.opened(orgs.drawn(seed))
    for unit in questions.units(found):
        whole = volume(found, Query(unit=unit)).table.to_pylist()
        months = volume(found, Query(unit=unit, grain="month")).table.to_pylist()
        assert summed(months, ("stage",), SUMS) == summed(whole, ("stage",), SUMS), unit


@pytest.mark.parametrize("seed", SEEDS)
def test_fates_add_up_to_all_members_that_responded(seed):
    found = orgs.opened(orgs.drawn(seed))
    members = sorted(found.arrow(found["members"].select("response_id"))["response_id"].to_pylist())
    for name, funnel in found.settings.funnel.items():
        if not funnel.of_people:
            continue
        own = found["responses"]
        fates = found.arrow(own.filter(own.funnel == name).select("response_id", "fate"))
        assert sorted(fates["response_id"].to_pylist()) == members
        assert None not in fates["fate"].to_pylist()


@pytest.mark.parametrize("seed", SEEDS)
def test_credit_and_what_remains_are_the_amount(seed):
    found = orgs.opened(orgs.drawn(seed))
    for name, ask in questions.influences(grain="year"):
        result = ask(found)
        for total in result.totals:
            parts = ("credited", "pending", "unattributed", "other_window")
            assert total["total_amount"] == sum(total[f"{part}_amount"] for part in parts), name
            assert total["unattributed_amount"] == sum(total["unattributed"].values()), name


@pytest.mark.parametrize("seed", SEEDS)
def test_the_order_of_rows_and_columns_changes_nothing(seed):
    case = orgs.drawn(seed)
    one, other = orgs.opened(case), orgs.opened(orgs.shuffled(case, random.Random(seed + 1)))
    for info in catalogue.PUBLISHED:
        if info.name in one:
            columns = one[info.name].columns
            assert table(one, info.name, columns) == table(other, info.name, columns), info.name


def table(found, name, columns):
    """All rows of a table as sorted text."""
    return sorted(map(repr, zip(*found.arrow(found[name].select(*columns)).to_pydict().values(), strict=True)))


@pytest.mark.parametrize("seed", SEEDS)
def test_everything_later_changes_no_answer(seed):
    case = orgs.drawn(seed)
    now, later = orgs.opened(orgs.moved(case, orgs.WEEKS * 0)), orgs.opened(orgs.moved(case, orgs.WEEKS))
    for name, ask in questions.some(now, seed):
        assert questions.rows(ask(now)) == questions.rows(ask(later), moved=orgs.WEEKS), name


@pytest.mark.parametrize("seed", SEEDS)
def test_records_of_later_events_change_no_earlier_answer(seed):
    case = orgs.drawn(seed)
    known, more = orgs.opened(case), orgs.opened(orgs.with_later(case, orgs.WEEKS * 10))
    for name, ask in questions.some(known, seed):
        assert questions.rows(ask(known)) == questions.rows(ask(more)), name
