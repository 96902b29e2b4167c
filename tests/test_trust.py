"""Trust: which units a finding touches, the grade, the evidence, the lineage."""

from __future__ import annotations

import datetime as dt
import random
from typing import Any

import ibis
import ibis.expr.types as ir
import pyarrow as pa
import pytest

from leadline.metrics import trust
from leadline.metrics.influence import influence
from leadline.metrics.query import UNITS, Query, ask
from leadline.metrics.volume import volume
from leadline.model.asof import AsOf
from leadline.model.money import Currency
from leadline.model.opened import Opened
from leadline.model.store import Store
from leadline.results import Step, Trust
from tests.audit_orgs import audited_faulty
from tests.oracle.tiny import FULL, Tiny
from tests.scale import scaled

TEXT, WHOLE = pa.string(), pa.int64()
SHAPES: dict[str, dict[str, pa.DataType]] = {
    "findings": {"code": TEXT, "object": TEXT, "severity": TEXT, "moves": TEXT, "whole": pa.bool_()},
    "finding_records": {"code": TEXT, "object": TEXT, "person_id": TEXT, "opportunity_id": TEXT},
    "journeys": {"journey_id": TEXT, "person_id": TEXT, "pass_no": WHOLE, "funnel": TEXT},
    "journey_opportunities": {"journey_id": TEXT, "opportunity_id": TEXT, "funnel": TEXT},
    "responses": {
        "response_id": TEXT, "person_id": TEXT, "journey_id": TEXT, "fate": TEXT, "date_evidence": TEXT,
        "funnel": TEXT, "responded_s": WHOLE, "responded_day": WHOLE, "responded_is_date": pa.bool_(),
    },
    "opportunity_people": {"opportunity_id": TEXT, "person_id": TEXT},
    "people": {"person_id": TEXT, "account_id": TEXT},
    "journey_stages": {
        "journey_id": TEXT, "stage_no": WHOLE, "entered_s": WHOLE, "entered_day": WHOLE,
        "entered_is_date": pa.bool_(), "evidence": TEXT, "known": TEXT, "later_s": WHOLE, "later_day": WHOLE,
        "beyond_s": WHOLE, "beyond_day": WHOLE, "funnel": TEXT,
    },
    "opportunity_reached": {
        "opportunity_id": TEXT, "stage_no": WHOLE, "entered_s": WHOLE, "entered_day": WHOLE,
        "entered_is_date": pa.bool_(), "evidence": TEXT, "known": TEXT, "later_s": WHOLE, "later_day": WHOLE,
        "beyond_s": WHOLE, "beyond_day": WHOLE, "funnel": TEXT,
    },
}  # fmt: skip
"""The columns of the tables that trust reads."""

Rows = list[dict[str, Any]]


def table(rows: Rows, shape: dict[str, pa.DataType]) -> ir.Table:
    """Rows as a table; columns a row leaves out are null."""
    return ibis.memtable(pa.Table.from_pylist([dict.fromkeys(shape) | row for row in rows], schema=pa.schema(shape)))


def snapshot(**given: Rows) -> Opened:
    """A snapshot of these rows and nothing else."""
    backend = ibis.duckdb.connect()
    store = Store(backend)
    for name, shape in SHAPES.items():
        rows = [{"funnel": "main"} | row if "funnel" in shape else row for row in given.get(name, [])]
        store.keep(name, table(rows, shape))
    moment = dt.datetime(2024, 12, 31, tzinfo=dt.UTC)
    return Opened(
        backend=backend,
        tables=store.tables,
        settings=Tiny().settings,
        zone="UTC",
        currency=Currency("USD", 2),
        as_of=AsOf.at(moment, "UTC"),
        moment=moment,
        known_at=moment,
        snapshot="made",
        numbers={},
        meta={},
    )


def finding(
    code: str, severity: str = "warning", moves: str = "volume,influence", whole: bool = False, about: str = "Account"
) -> dict[str, Any]:
    """A row of `findings`."""
    return {"code": code, "object": about, "severity": severity, "moves": moves, "whole": whole}


def units(*names: str, **columns: list[Any]) -> ir.Table:
    """Units counted, with further columns."""
    return ibis.memtable(pa.table({"unit_id": pa.array(names, TEXT), **columns}))


def journeys_with(bad: int, total: int, *findings: dict[str, Any], **given: Rows) -> Trust:
    """Trust of `total` journeys of which `bad` belong to persons with a finding `fault`."""
    names = [f"p{n}" for n in range(total)]
    opened = snapshot(
        findings=[finding("fault"), *findings],
        finding_records=[{"code": "fault", "person_id": name} for name in names[:bad]],
        journeys=[{"journey_id": f"{name}#1", "person_id": name, "pass_no": 1} for name in names],
        **given,
    )
    return trust.of(ask(opened, Query()), "volume", units(*[f"{name}#1" for name in names]))


@pytest.mark.parametrize(
    ("bad", "grade"), [(0, "A"), (2, "A"), (3, "B"), (5, "B"), (6, "C"), (15, "C"), (16, "D"), (100, "D")]
)
def test_the_grade_is_the_share_of_units_no_finding_touches(bad: int, grade: str):
    found = journeys_with(bad, 100)
    assert (found.grade, found.clean_share) == (grade, (100 - bad) / 100)
    assert found.findings == (("fault",) if bad else ())
    assert found.evidence == ({"finding:fault": bad} if bad else {})


def test_a_finding_without_records_caps_the_grade_at_b():
    capped = journeys_with(0, 10, finding("zone-unknown", whole=True))
    assert (capped.grade, capped.clean_share, capped.findings) == ("B", 1.0, ("zone-unknown",))
    assert journeys_with(5, 10, finding("zone-unknown", whole=True)).grade == "D"


def test_informations_and_findings_of_other_metrics_lower_nothing():
    found = journeys_with(
        0, 10, finding("told", "info", whole=True), finding("elsewhere", moves="velocity", whole=True)
    )
    assert found == Trust("A", 1.0, {}, ())


def test_without_units_there_is_no_grade():
    found = journeys_with(0, 0, finding("no-responses", whole=True))
    assert (found.grade, found.clean_share, found.findings) == (None, None, ("no-responses",))


def test_what_counts_nothing_has_no_trust():
    assert trust.of(ask(snapshot(), Query()), "volume", None) == Trust()


def test_a_snapshot_without_an_audit_has_a_grade_by_what_is_known():
    opened = snapshot()
    del opened.tables["findings"], opened.tables["finding_records"]
    assert trust.of(ask(opened, Query()), "volume", units("p#1")).grade == "A"


def test_the_denominator_of_a_rate_and_the_marks_of_a_count_are_the_units():
    opened = snapshot(
        findings=[finding("fault", moves="volume,conversion")],
        finding_records=[{"code": "fault", "person_id": "p"}],
        journeys=[
            {"journey_id": "p#1", "person_id": "p", "pass_no": 1},
            {"journey_id": "q#1", "person_id": "q", "pass_no": 1},
        ],
    )
    asked = ask(opened, Query())
    classes = units("p#1", "q#1", "q#1", **{"class": ["too_young", "started", "started"]})
    assert trust.of(asked, "conversion", classes).clean_share == 1.0
    marks = units("p#1", "q#1", "p#1", mark=["count", "count", "regressions"])
    assert trust.of(asked, "volume", marks).clean_share == 0.5


def test_units_of_money_are_its_absolute_amount():
    opened = snapshot(
        findings=[finding("fault", moves="influence")],
        finding_records=[{"code": "fault", "object": "Opportunity", "opportunity_id": "D1"}],
    )
    asked = ask(opened, Query(unit="opportunities"))
    found = trust.of(asked, "influence", units("D1", "D2", "D3", amount=[-300, 600, 100]))
    assert (found.grade, found.clean_share, found.evidence) == ("D", 0.7, {"finding:fault": 1})
    assert trust.of(asked, "influence", units("D1", amount=[0])).grade is None


def test_people_touch_opportunities_only_where_they_are_credited():
    opened = snapshot(
        findings=[finding("fault")],
        finding_records=[{"code": "fault", "person_id": "p"}],
        opportunity_people=[{"opportunity_id": "D1", "person_id": "p"}, {"opportunity_id": "D2", "person_id": "q"}],
    )
    asked = ask(opened, Query(unit="opportunities"))
    counted = units("D1", "D2", amount=[100, 100])
    assert trust.of(asked, "influence", counted).clean_share == 0.5
    assert trust.of(asked, "volume", counted).clean_share == 1.0


def test_what_people_do_moves_no_opportunity_by_itself():
    records = [{"code": "role", "object": "OpportunityContactRole", "opportunity_id": "D1"}]
    opened = snapshot(
        findings=[
            finding("role", about="OpportunityContactRole"),
            finding("late", whole=True, about="LeadHistory"),
            finding("zone", whole=True, about="Organization"),
        ],
        finding_records=records,
        journey_opportunities=[{"journey_id": "p#1", "opportunity_id": "D1"}],
        journeys=[{"journey_id": "p#1", "person_id": "p"}],
    )
    counted = units("D1", amount=[100])
    by_itself = trust.of(ask(opened, Query(unit="opportunities")), "volume", counted)
    assert (by_itself.clean_share, by_itself.findings) == (1.0, ("zone",))
    credited = trust.of(ask(opened, Query(unit="opportunities")), "influence", counted)
    assert (credited.clean_share, credited.findings) == (0.0, ("role", "late", "zone"))
    journey = trust.of(ask(opened, Query()), "volume", units("p#1"))
    assert (journey.clean_share, journey.findings) == (0.0, ("role", "late", "zone"))


def test_evidence_is_in_the_words_of_stage_entries():
    shown = [
        ("first_responded", "observed"), ("created", "observed"), ("stamped", "observed"), (None, "observed"),
        ("history", "observed"), ("observed", "observed"), (None, "skipped"), (None, "untimed"),
    ]  # fmt: skip
    rows = [{"journey_id": "p#1", "stage_no": n, "evidence": e, "known": k} for n, (e, k) in enumerate(shown)]
    found = journeys_with(0, 1, journey_stages=rows)
    assert found.evidence == {"implied": 2, "milestone": 2, "stamped": 2, "history": 1, "observed": 1}
    assert list(found.evidence)[:3] == ["implied", "milestone", "stamped"]


def test_evidence_is_that_of_the_units_in_the_filter():
    rows = [{"journey_id": f"{name}#1", "stage_no": 0, "evidence": "history", "known": "observed"} for name in "pq"]
    opened = snapshot(journey_stages=rows)
    every = trust.of(ask(opened, Query()), "volume", units("p#1"))
    some = trust.of(ask(opened, Query(start=dt.date(2024, 1, 1))), "volume", units("p#1"))
    assert (every.evidence, some.evidence) == ({"history": 2}, {"history": 1})


def test_evidence_of_influence_is_that_of_the_responses_behind_it():
    opened = snapshot(
        opportunity_people=[{"opportunity_id": "D1", "person_id": "p"}, {"opportunity_id": "D2", "person_id": "q"}],
        responses=[
            {"response_id": "m1", "person_id": "p", "fate": "tipped", "date_evidence": "first_responded"},
            {"response_id": "m2", "person_id": "p", "fate": "no_date"},
            {"response_id": "m3", "person_id": "q", "fate": "tipped", "date_evidence": "created"},
        ],
    )
    asked = ask(opened, Query(unit="opportunities"))
    assert trust.of(asked, "influence", units("D1", amount=[1])).evidence == {"stamped": 1}


class World:
    """A random snapshot as plain sets, and by brute force the units a finding touches."""

    def __init__(self, chance: random.Random) -> None:
        people = [f"p{n}" for n in range(6)]
        deals = [f"D{n}" for n in range(5)]
        self.account = {name: chance.choice(["a1", "a2", None]) for name in people}
        self.journeys = {f"{name}#{n + 1}": name for name in people for n in range(chance.randint(0, 2))}
        self.holds = {(name, deal) for name in self.journeys for deal in deals if chance.random() < 0.2}
        self.on = {(deal, name) for deal in deals for name in people if chance.random() < 0.3}
        self.tips = {f"m{n}": chance.choice([*self.journeys, None]) for n in range(8)}
        self.asks = {name: self.journeys.get(one or "", chance.choice(people)) for name, one in self.tips.items()}
        self.hits = {
            code: ({one for one in people if chance.random() < 0.2}, {one for one in deals if chance.random() < 0.2})
            for code in ("one", "two")
        }
        accounts = {self.account[name] for name in self.journeys.values()} - {None}
        self.units: dict[str, list[str]] = {
            "journeys": sorted(self.journeys),
            "people": sorted(set(self.journeys.values())),
            "accounts": sorted(str(one) for one in accounts),
            "responses": sorted(self.tips),
            "opportunities": deals,
        }

    def opened(self) -> Opened:
        """The snapshot."""
        by_person = [
            {"code": code, "object": "Account", "person_id": one}
            for code, (people, _) in self.hits.items()
            for one in people
        ]
        by_deal = [
            {"code": code, "object": "Account", "opportunity_id": one}
            for code, (_, deals) in self.hits.items()
            for one in deals
        ]
        return snapshot(
            findings=[finding(code) for code in self.hits],
            finding_records=[*by_person, *by_deal],
            journeys=[{"journey_id": one, "person_id": name} for one, name in self.journeys.items()],
            journey_opportunities=[{"journey_id": one, "opportunity_id": deal} for one, deal in self.holds],
            opportunity_people=[{"opportunity_id": deal, "person_id": name} for deal, name in self.on],
            people=[{"person_id": name, "account_id": one} for name, one in self.account.items()],
            responses=[
                {
                    "response_id": one,
                    "person_id": self.asks[one],
                    "journey_id": self.tips[one],
                    "fate": "tipped" if self.tips[one] else "joined_after",
                }
                for one in self.tips
            ],
        )

    def touched(self, code: str, unit: str, kind: str) -> set[str]:
        """Units of one kind that a finding touches."""
        people, deals = self.hits[code]
        journeys = {one for one, name in self.journeys.items() if name in people}
        journeys |= {one for one, deal in self.holds if deal in deals}
        if unit == "opportunities":
            return deals | ({deal for deal, name in self.on if name in people} if kind == "influence" else set())
        if unit == "responses":
            return {one for one in self.tips if self.asks[one] in people or self.tips[one] in journeys}
        owners = {self.journeys[one] for one in journeys}
        sets = {"journeys": journeys, "people": owners, "accounts": {str(self.account[one]) for one in owners}}
        return sets[unit] & set(self.units[unit])


def test_any_unit_is_touched_through_its_people_and_opportunities():
    checked = 0
    for seed in range(scaled(60)):
        world = World(random.Random(seed))
        opened = world.opened()
        for unit in UNITS:
            kind = "influence" if unit == "opportunities" and seed % 2 else "volume"
            names = world.units[unit]
            if not names:
                continue
            found = trust.of(ask(opened, Query(unit=unit)), kind, units(*names, amount=[1] * len(names)))
            hits = {code: world.touched(code, unit, kind) for code in world.hits}
            counts = {code: len(ones) for code, ones in hits.items() if ones}
            seen = {key.removeprefix("finding:"): n for key, n in found.evidence.items() if key.startswith("finding:")}
            assert seen == counts, (seed, unit)
            assert found.clean_share == (len(names) - len(set().union(*hits.values()))) / len(names), (seed, unit)
            checked += 1
    assert checked > 20


def test_lineage_comes_in_order_and_only_the_steps_of_the_metric():
    opened = snapshot()
    rows: Rows = [
        {"step": "opportunities with an amount", "rows_in": 2, "rows_out": 1, "why": "1 no amount"},
        {"step": "journeys", "rows_in": 3, "rows_out": 4, "why": "funnel main"},
        {"step": "persons", "rows_in": 3, "rows_out": 3, "why": ""},
    ]
    shape = {"step": TEXT, "rows_in": WHOLE, "rows_out": WHOLE, "why": TEXT}
    assert trust.lineage(opened, "volume") == ()
    opened.tables["_lineage"] = table(rows, shape)
    assert [step.step for step in trust.lineage(opened, "influence")] == ["persons", "opportunities with an amount"]
    assert trust.lineage(opened, "velocity") == (Step("persons", 3, 3, ""), Step("journeys", 3, 4, "funnel main"))


@pytest.fixture(scope="module")
def planted() -> Opened:
    """The org with every fault, through the whole model and the audit."""
    return audited_faulty()[0]


def test_volume_of_a_real_model_shows_what_touches_it(planted: Opened):
    """The list behind the number, taken apart by the records of the findings, gives the same share."""
    result = volume(planted, Query())
    listed = result.records().table.to_pylist()
    records = planted.arrow(planted["finding_records"]).to_pylist()
    moving = {
        row["code"]
        for row in planted.arrow(planted["findings"]).to_pylist()
        if row["severity"] != "info" and "volume" in row["moves"]
    }
    people = {row["person_id"] for row in records if row["code"] in moving}
    deals = {row["opportunity_id"] for row in records if row["code"] in moving}
    held = planted.arrow(planted["journey_opportunities"]).to_pylist()
    holding = {row["journey_id"] for row in held if row["opportunity_id"] in deals}
    clean = [row for row in listed if row["person_id"] not in people and row["unit_id"] not in holding]
    assert listed
    assert result.trust.clean_share == len(clean) / len(listed)
    assert "history-starts-late" in result.trust.findings


def test_influence_of_a_real_model_is_graded_by_amount(planted: Opened):
    """Of D01, D02, D03, D07–D10 and D12 (100, 200, 300, 700, 800, 100, 100, 100) only D10 and D08 are untouched.

    D01: a role of nobody. D02: no role. D03: C2 has an undated response. D07: close moved. D09: no
    close date. D12: closes after as-of. No finding touches C1.
    """
    result = influence(planted, Query())
    assert result.trust.clean_share == 900 / 2400
    assert result.trust.grade == "D"
    assert result.trust.evidence["finding:opportunity-without-role"] == 1


def test_stage_names_of_the_made_snapshots_are_those_of_the_funnel():
    assert ask(snapshot(), Query()).funnel == FULL
