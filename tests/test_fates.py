"""Fates add up to every member that responded; new and known people to every response that counts."""

from __future__ import annotations

import datetime as dt
import random
from collections import Counter

import pytest

from leadline.errors import UsageError
from leadline.metrics.counts.fates import fates
from leadline.metrics.counts.newness import newness
from leadline.metrics.query import Query
from leadline.model.opened import Opened
from leadline.results import Result
from tests.agreement import engine
from tests.agreement.show import ORGS
from tests.oracle.batch import random_batch
from tests.oracle.oracle import answer
from tests.oracle.tiny import Tiny
from tests.scale import costly

BATCHES = [11, 16, *range(200, 220)][: costly(20)]


def small() -> Opened:
    """One response of each fate, and a person who is new, known, or both at once."""
    org = Tiny()
    org.lead("L1", "2024-02-01T00:00", MQL_Date__c=dt.date(2024, 3, 10))
    org.lead("L2", "2024-03-05T00:00")
    org.lead("L3", None)
    org.member("m1 before", "L1", "2024-03-01T10:00", campaign="a")
    org.member("m2 tipped", "L1", "2024-03-05T10:00", campaign="b")
    org.member("m3 after", "L1", "2024-03-20T10:00", campaign="c")
    org.member("m4 twice", "L1", "2024-03-21T10:00", campaign="c")
    org.member("m5 new", "L2", "2024-03-05", campaign="a")
    org.member("m6 undated", "L2", None, campaign="b")
    org.member("m7 future", "L2", "2024-12-31T20:00", campaign="c")
    org.member("m8 nobody", "L9", "2024-03-07T10:00", campaign="a")
    org.member("m9 unknown", "L3", "2024-03-08T10:00", campaign="a")
    org.member("n1 sent", "L3", "2024-03-08T10:00", campaign="b", HasResponded=False)
    return engine.built(org.org, org.settings, dt.datetime(2024, 12, 31, 12, tzinfo=dt.UTC))


def counts(result: Result, *columns: str) -> dict[tuple, int]:
    """Values of some columns → count."""
    return {tuple(row[name] for name in columns): row["count"] for row in result.table.to_pylist()}


def test_fates_worked_on_paper() -> None:
    result = fates(small(), Query())
    assert counts(result, "fate", "reason") == {
        ("after_as_of", None): 1,
        ("excluded", "no person"): 1,
        ("no_date", None): 1,
        ("duplicate_member", None): 1,
        ("tipped", None): 1,
        ("joined_before", None): 1,
        ("joined_after", None): 1,
        ("not_qualified", None): 2,
    }
    assert result.totals == ({"period": "all", "count": 9, "counted": 5},)
    assert sorted(result.records().table["unit_id"].to_pylist()) == [
        "m1 before",
        "m2 tipped",
        "m3 after",
        "m4 twice",
        "m5 new",
        "m6 undated",
        "m7 future",
        "m8 nobody",
        "m9 unknown",
    ]


def test_by_campaign_and_period_worked_on_paper() -> None:
    result = fates(small(), Query(by=("campaign_id",), grain="month"))
    assert counts(result, "campaign_id", "period", "fate") == {
        ("a", "2024-03", "excluded"): 1,
        ("a", "2024-03", "joined_before"): 1,
        ("a", "2024-03", "not_qualified"): 2,
        ("b", "2024-03", "tipped"): 1,
        ("b", None, "no_date"): 1,
        ("c", "2024-03", "duplicate_member"): 1,
        ("c", "2024-03", "joined_after"): 1,
        ("c", "2024-12", "after_as_of"): 1,
    }
    shares = {row["fate"]: row["share"] for row in result.table.to_pylist() if row["campaign_id"] == "a"}
    assert shares == {"excluded": 0.25, "joined_before": 0.25, "not_qualified": 0.5}


def test_new_and_known_worked_on_paper() -> None:
    result = newness(small(), Query())
    assert counts(result, "person", "response") == {
        ("known", "first"): 1,  # m1: L1 is a month old
        ("known", "repeat"): 2,  # m2, m3
        ("new", "first"): 1,  # m5: created on the day of the response
        ("unknown", "first"): 1,  # m9: no creation date
    }
    assert result.totals == ({"period": "all", "count": 5, "net_new_people": 1},)
    # A range does not make a later response the first one.
    late = newness(small(), Query(start=dt.date(2024, 3, 4)))
    assert counts(late, "person", "response")["known", "repeat"] == 2


def test_both_count_responses_only() -> None:
    for table in (fates, newness):
        with pytest.raises(UsageError, match="counts responses"):
            table(small(), Query(unit="people"))


@pytest.mark.parametrize("seed", BATCHES)
def test_fates_add_up_and_agree_with_the_oracle(seed: int) -> None:
    org, settings, as_of = random_batch(random.Random(seed), ORGS)
    truth = answer(org, settings, as_of)
    if not truth.funnel.of_people:
        return
    opened = engine.built(org, settings, as_of)
    expected = Counter(one.fate for one in truth.responses.values() if one.fate)
    for by in ((), ("campaign_type",), ("campaign", "lead_source")):
        result = fates(opened, Query(by=by, grain="quarter"))
        found: Counter[str] = Counter()
        for row in result.table.to_pylist():
            found[row["fate"]] += row["count"]
        assert found == expected
        listed = Counter(result.records().table["stage"].to_pylist())
        assert listed == expected
        people = newness(opened, Query(by=by, grain="quarter"))
        assert sum(people.table["count"].to_pylist()) == sum(total["counted"] for total in result.totals)
        assert people.records().table.num_rows == sum(people.table["count"].to_pylist())
        firsts = [row for row in people.records().table.to_pylist() if row["stage"] == "first"]
        assert len({row["person_id"] for row in firsts}) == len(firsts)
