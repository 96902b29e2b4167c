"""Every number has an address; behind it stand its definition in figures, its fields, loads, steps and faults."""

from __future__ import annotations

import datetime as dt
import json
import random
from pathlib import Path

import ibis
import pytest
from ibis.backends.duckdb import Backend

from leadline import workspace
from leadline.cli.app import run
from leadline.errors import UnknownNameError, UsageError
from leadline.explain.watched import fields_asked, watched
from leadline.model import build, rests
from leadline.model.opened import Opened
from leadline.model.source import Source
from leadline.model.store import Store
from leadline.results import Result
from leadline.workspace import Workspace
from tests import small_org
from tests.agreement import engine
from tests.properties import orgs, questions
from tests.scale import costly

START, END = dt.date(2026, 1, 1), dt.date(2026, 4, 1)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    return workspace.open(small_org.built(tmp_path_factory.mktemp("explain")))


def forms(home: Workspace) -> list[Result]:
    """A table of every metric."""
    metrics = home.metrics
    return [
        metrics.volume(by=["campaign_type", "lead_source"], grain="month"),
        metrics.volume(view="cohort", unit="people", where={"campaign_type": "Webinar"}),
        metrics.comparison(grain="month", start=START, end=END),
        metrics.fates(by=["campaign"]),
        metrics.newness(),
        metrics.pipeline(),
        metrics.pipeline(view="movements", start=START, end=END),
        metrics.conversion(convention="touched", by=["campaign_type"]),
        metrics.conversion(convention="summary", date_field="opened"),
        metrics.conversion_matrix(window_days=30),
        metrics.conversion_triangle(age="weeks"),
        metrics.velocity(measure="elapsed", days="working"),
        metrics.velocity(show="detours"),
        metrics.influence(models=["first", "even"], by=["campaign_type"], start=START, end=END),
        metrics.formula("win_rate"),
        metrics.formula(expression="SQL / MQL", by=["campaign_type"]),
        metrics.reverse(100000),
    ]


def test_every_number_has_an_address_that_leads_back(home: Workspace):
    from leadline.address import parse

    for result in forms(home):
        seen = set()
        for row in range(result.table.num_rows):
            for column in result.columns:
                text = result.address(row, column.name)
                assert str(parse(text)) == text
                assert result.row_of(parse(text).cell) == row, text
                seen.add(text)
        assert len(seen) == result.table.num_rows * len(result.columns), result.title
        again = home.metrics.ask(str(result.asked))
        assert again.table.equals(result.table), str(result.asked)


def test_an_explanation_says_the_figures(home: Workspace):
    # By hand: persons One to Four responded; One and Two have an MQL date before their deals, Three one without a deal.
    found = home.explain("conversion?convention=touched#rate@from_stage=Inquiry,to_stage=MQL")
    assert found.value == 0.75
    assert found.sentence == "Of 4 journeys that reached Inquiry, 3 went on to MQL or beyond: 75.0 %."
    assert found.formula == "rate = converted ÷ started = 3 ÷ 4 = 75.0 %"
    steps = {step.step: (step.rows_in, step.rows_out) for step in found.steps}
    assert steps["responses"] == (5, 4)  # person Five was sent something and did not respond
    assert steps["journeys that reached Inquiry"] == (4, 4)
    assert steps["of these, on to MQL or beyond"] == (4, 3)
    sources = {one["object"]: one for one in found.sources}
    assert "MQL_Date__c" in sources["Lead"]["fields"]
    assert "HasResponded" in sources["CampaignMember"]["fields"]
    assert [load["name"] for load in found.loads] == ["export"]
    assert sources["Lead"]["loads"] == [found.loads[0]["key"]]
    assert found.previous == {"why": "No earlier snapshot is kept."}
    assert "journey_stages" in found.sql
    assert json.loads(found.to_json())["row"]["converted"] == 3


def test_a_result_explains_its_own_numbers(home: Workspace):
    assert home.metrics.volume().explain(0, "count").sentence == "4 journeys counted in stage Inquiry."


def test_trust_is_that_of_the_cell(home: Workspace):
    whole = home.explain("volume#count@stage=Inquiry")
    webinar = home.explain("volume?by=campaign_type#count@campaign_type=Webinar,stage=Inquiry")
    assert webinar.value == 2
    assert sum(webinar.evidence.values()) < sum(whole.evidence.values())


@pytest.mark.parametrize(
    ("address", "fault", "said"),
    [
        ("volme#count", UnknownNameError, "Did you mean 'volume'"),
        ("volume?vieuw=cohort#count", UnknownNameError, "Did you mean 'view'"),
        ("volume#cuont@stage=MQL", UnknownNameError, "Did you mean 'count'"),
        ("volume#count@stage=MQX", UsageError, "No row .* told apart by: stage"),
        ("volume#count", UsageError, "4 rows"),
        ("volume", UsageError, "is a whole table"),
        ("volume?touched=yes#count", UsageError, "neither true nor false"),
        ("volume?from=March#count", UsageError, "a date such as"),
    ],
)
def test_what_cannot_be_explained_says_why(home: Workspace, address: str, fault: type[UsageError], said: str):
    with pytest.raises(fault, match=said):
        home.explain(address)


def test_the_command_explains_and_lists_addresses(home: Workspace, capsys: pytest.CaptureFixture[str]):
    place = ["--workspace", str(home.folder)]
    assert run(["explain", "volume#count@stage=MQL", "--format", "json", *place]) == 0
    assert json.loads(capsys.readouterr().out)["value"] == 3
    assert run(["explain", "volume", *place]) == 0
    assert "3\tvolume#count@stage=MQL" in capsys.readouterr().out
    assert run(["explain", *place]) == 2
    assert run(["explain", "--field", "Lead.MQL_Date__c", *place]) == 0
    assert "These numbers change with it: volume" in capsys.readouterr().out


def test_a_field_knows_what_rests_on_it(home: Workspace):
    def resting(name: str) -> set[str]:
        rows = home.field(name).table.to_pylist()
        return {row["metric"] for row in rows if row["rests_on_it"]}

    assert {"volume", "conversion", "velocity"} <= resting("Lead.MQL_Date__c")
    assert "pipeline" not in resting("Lead.MQL_Date__c")
    assert {"pipeline", "influence"} <= resting("Opportunity.Amount")
    assert resting("Lead.FirstName") == set()
    with pytest.raises(UnknownNameError, match="Did you mean 'Lead'"):
        home.field("Leed.Status")
    with pytest.raises(UsageError, match=r"OBJECT\.FIELD"):
        home.field("Status")


def traced(case: orgs.Case) -> tuple[Opened, dict[str, dict[str, frozenset[rests.Place]]]]:
    """The engine's model of an org whose tables know their fields."""
    org, settings, as_of = case
    backend = ibis.duckdb.connect()
    store = Store(backend)
    tables = {
        name: backend.create_table(name, ibis.memtable(engine.arrow(name, rows)), database=_src(backend))
        for name, rows in org.items()
    }
    source = Source(tables)
    done = build.build(source, settings, as_of, store, as_of=as_of)
    opened = Opened(backend, store.tables, settings, done.zone, done.currency, done.as_of, as_of, as_of, "", {}, {})
    return opened, rests.tables(store, source)


def _src(backend: Backend) -> str:
    backend.con.execute("CREATE SCHEMA IF NOT EXISTS src")
    return "src"


@pytest.mark.parametrize("seed", range(costly(20)))
def test_a_number_changes_only_with_fields_it_rests_on(seed: int):
    case = orgs.drawn(seed, orgs=4)
    org, settings, as_of = case
    opened, known = traced(case)
    rng = random.Random(seed)
    asked = questions.some(opened, seed)[::2]
    fields = {}
    before = {}
    for name, ask in asked:
        memory = watched(opened)
        before[name] = questions.rows(ask(memory))
        fields[name] = fields_asked(memory, known)
    candidates = sorted({(held, field) for held, rows in org.items() for row in rows for field in row if field != "Id"})
    for held, field in rng.sample(candidates, min(3, len(candidates))):
        bare = {**org, held: [{**row, field: None} for row in org[held]]}
        changed = orgs.opened((bare, settings, as_of))
        for name, ask in asked:
            if questions.rows(ask(changed)) != before[name]:
                assert (held, field) in fields[name], f"{name} changes with {held}.{field}"


def test_lists_have_links_where_the_org_is_known(tmp_path: Path):
    made = workspace.create(tmp_path / "linked")
    (made.folder / "leadline.toml").write_text('[salesforce]\ndomain = "acme.my.salesforce.com"\n')
    made.sources.import_files(small_org.write_export(tmp_path / "export"))
    listed = made.metrics.volume(unit="opportunities").records().table.to_pylist()
    assert {row["link"] for row in listed} == {f"https://acme.my.salesforce.com/{row['record_id']}" for row in listed}
    assert len(listed) > 0


def test_a_share_of_all_waiting_is_that_of_the_table(home: Workspace):
    table = home.metrics.velocity(unit="journeys", by=["campaign_type"])
    own = [row for row in table.plain().to_pylist() if row["campaign_type"] == "Webinar" and row["waiting_share"]]
    assert own
    # The other campaign's journeys wait as well: those of the webinar alone are not all.
    assert sum(row["waiting_share"] for row in own) < 1
    address = f"velocity?by=campaign_type&unit=journeys#waiting_share@campaign_type=Webinar,stage={own[0]['stage']}"
    assert home.explain(address).value == own[0]["waiting_share"]
