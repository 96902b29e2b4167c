"""Proposed settings: what they rest on, that they load, and what they keep of a file that exists."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from leadline import config
from leadline.propose import propose
from leadline.survey import DealStage, Status, Survey, ladder_stage, survey, words


@pytest.fixture
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection with an empty schema `src`, as the ledger makes it."""
    with duckdb.connect() as connection:
        connection.execute("CREATE SCHEMA src")
        yield connection


def table(con: duckdb.DuckDBPyConnection, name: str, columns: str, *rows: str) -> None:
    con.execute(f'CREATE TABLE src."{name}" ({columns})')
    if rows:
        con.execute(f'INSERT INTO src."{name}" VALUES {", ".join(rows)}')


def org(con: duckdb.DuckDBPyConnection) -> None:
    """A small org with a field or status for each stage and every outcome by flag or word."""
    table(con, "Organization", "Id TEXT, TimeZoneSidKey TEXT, FiscalYearStartMonth BIGINT", "('1', 'Europe/Paris', 4)")
    table(
        con, "CurrencyType", "Id TEXT, IsoCode TEXT, IsCorporate BOOLEAN", "('1', 'USD', false)", "('2', 'EUR', true)"
    )
    table(
        con,
        "Lead",
        'Id TEXT, "Status" TEXT, "IsDeleted" BOOLEAN, "Became_MQL__c" TEXT, "MQLNote__c" TEXT, "Salutation" TEXT',
        "('1', 'MQL', false, '2026-01-02', 'good', 'Mr.')",
        "('2', 'Sales Accepted Lead', false, '2026-01-03T10:00:00Z', NULL, 'Ms.')",
        "('3', 'Unqualified', NULL, NULL, NULL, NULL)",
        "('4', 'Recycled to nurture', false, NULL, NULL, NULL)",
        "('5', 'Closed - Converted', false, NULL, NULL, NULL)",
        "('6', 'Working', false, NULL, NULL, NULL)",
        "('7', 'MQL', true, '2026-01-09', NULL, NULL)",
    )
    table(
        con,
        "LeadStatus",
        "Id TEXT, MasterLabel TEXT, ApiName TEXT, SortOrder BIGINT, IsConverted BOOLEAN",
        "('1', 'Working', 'Working', 1, false)",
        "('2', 'Qualified and done', 'Qualified', 2, true)",
    )
    table(con, "LeadHistory", "Id TEXT, Field TEXT", "('1', 'Status')", "('2', 'Status')", "('3', 'Owner')")
    table(
        con,
        "Contact",
        'Id TEXT, "Lifecycle_Stage__c" TEXT',
        "('1', 'Marketing Qualified Lead')",
        "('2', 'Customer')",
        "('3', 'Sales-Qualified')",
    )
    table(
        con,
        "CampaignMember",
        'Id TEXT, "Status" TEXT, "HasResponded" BOOLEAN, "Response_Date__c" TEXT',
        "('1', 'Attended', true, '2026-01-01')",
        "('2', 'Sent', false, NULL)",
    )
    deal_columns = (
        "Id TEXT, StageName TEXT, Amount DECIMAL(28, 8), IsWon BOOLEAN, IsClosed BOOLEAN, CreatedDate TIMESTAMP"
    )
    table(
        con,
        "Opportunity",
        deal_columns,
        "('1', 'Talk', 10, false, false, '2026-01-01')",
        "('2', 'Signed', 20, true, true, '2026-01-01')",
        "('3', 'Gone', NULL, false, true, '2026-01-01')",
    )
    table(
        con,
        "OpportunityStage",
        "Id TEXT, MasterLabel TEXT, SortOrder BIGINT, IsActive BOOLEAN, IsClosed BOOLEAN, IsWon BOOLEAN",
        "('1', 'Talk', 2, true, false, false)",
        "('2', 'Meet', 1, true, false, false)",
        "('3', 'Signed', 3, true, true, true)",
        "('4', 'Gone', 4, true, true, false)",
        "('5', 'Old', 0, false, false, false)",
    )
    table(con, "OpportunityHistory", "Id TEXT, StageName TEXT", "('1', 'Meet')", "('2', 'Talk')")


def sources(settings: config.Settings, funnel: str, stage: str) -> list[dict]:
    """What a stage rests on, defaults left out."""
    found = next(one for one in settings.funnel[funnel].stages if one.name == stage)
    return [source.model_dump(exclude_defaults=True) for source in found.sources]


@pytest.mark.parametrize(
    ("name", "spoken", "stage"),
    [
        ("Became_MQL__c", "became mql", "MQL"),
        ("MQLDate__c", "mql date", "MQL"),
        ("acme__SAL_Timestamp__c", "acme sal timestamp", "SAL"),
        ("Salutation", "salutation", None),
        ("SQLServerUser__c", "sql server user", "SQL"),
        ("Sales Accepted Lead", "sales accepted lead", "SAL"),
        ("marketing-qualified", "marketing qualified", "MQL"),
        ("Customer", "customer", None),
    ],
)
def test_words_of_a_name(name: str, spoken: str, stage: str | None) -> None:
    assert words(name) == spoken
    assert ladder_stage(name) == stage


def test_an_org_with_everything(con: duckdb.DuckDBPyConnection) -> None:
    org(con)
    proposal = propose(survey(con))
    settings = config.parse(proposal.text)
    people = settings.funnel["marketing"]
    assert settings.default_funnel == "marketing"
    assert people.stage_names == ["Inquiry", "MQL", "SAL", "SQL", "Won"]
    assert sources(settings, "marketing", "MQL") == [
        {"object": "Lead", "field": "Became_MQL__c", "stamp": True},
        {"object": "Lead", "field": "Status", "values": ["MQL"]},
        {"object": "Contact", "field": "Lifecycle_Stage__c", "values": ["Marketing Qualified Lead"]},
    ]
    assert sources(settings, "marketing", "SAL") == [
        {"object": "Lead", "field": "Status", "values": ["Sales Accepted Lead"]}
    ]
    assert sources(settings, "marketing", "SQL") == [
        {"object": "Contact", "field": "Lifecycle_Stage__c", "values": ["Sales-Qualified"]},
        {"object": "Opportunity", "milestone": "created"},
    ]
    assert [source.values for source in people.outcomes.disqualified] == [["Unqualified"]]
    assert [source.values for source in people.outcomes.recycled] == [["Recycled to nurture"]]
    assert people.outcomes.won == []
    assert settings.funnel["pipeline"].stage_names == ["Meet", "Talk", "Won"]
    assert settings.responses.date_field == "Response_Date__c"
    assert settings.workspace.fiscal_year_start == 4


def test_comments_say_what_was_found(con: duckdb.DuckDBPyConnection) -> None:
    org(con)
    text = propose(survey(con)).text
    assert "# a date in 2 of 6 Lead records" in text  # the deleted lead is not counted
    assert "# now in 1 of 6 Lead records; 2 recorded changes of Status" in text
    assert "# Lead statuses that map to no stage: Working (1)" in text
    assert "Qualified (0), Closed - Converted (1)" in text
    assert "# Lead.MQLNote__c is not used: 0 of 1 values are dates" not in text  # its values are few: a status
    assert 'timezone = "Europe/Paris"' in text
    assert 'currency = "EUR"' in text
    assert "# 1 of 2 campaign members responded by HasResponded" in text
    assert "# won and lost: the org's flags IsWon and IsClosed" in text


def test_the_account_says_what_is_missing(con: duckdb.DuckDBPyConnection) -> None:
    table(con, "Contact", "Id TEXT", "('1')")
    proposal = propose(survey(con))
    assert config.parse(proposal.text).funnel["marketing"].stage_names == ["Inquiry"]
    assert "MQL and SAL: no field or status of that name, so no stage" in proposal.found
    assert "no campaign members: nothing is an inquiry, journeys begin at the next stage" in proposal.found


def test_nothing_to_propose_from(con: duckdb.DuckDBPyConnection) -> None:
    proposal = propose(survey(con))
    assert config.parse(proposal.text).funnel == {}
    assert proposal.found == ("no leads, contacts or campaign members: a funnel of opportunities only",)


def test_opportunities_alone_with_dates_that_begin_at_a_later_stage(con: duckdb.DuckDBPyConnection) -> None:
    table(
        con,
        "Opportunity",
        "Id TEXT, StageName TEXT, CreatedDate TIMESTAMP",
        "('1', 'Engaging', '2026-01-01')",
        "('2', 'Prospecting', NULL)",
        "('3', 'Won', '2026-01-01')",
        "('4', 'Lost', '2026-01-01')",
    )
    settings = config.parse(propose(survey(con)).text)
    assert list(settings.funnel) == ["pipeline"]
    assert not settings.funnel["pipeline"].of_people
    assert settings.funnel["pipeline"].stage_names == ["Prospecting", "Engaging", "Won"]
    assert sources(settings, "pipeline", "Prospecting") == [
        {"object": "Opportunity", "field": "StageName", "values": ["Prospecting"]}
    ]
    assert sources(settings, "pipeline", "Engaging") == [
        {"object": "Opportunity", "field": "CreatedDate", "stamp": True},
        {"object": "Opportunity", "field": "StageName", "values": ["Engaging"]},
    ]
    outcomes = settings.funnel["pipeline"].outcomes
    assert [source.values for source in (*outcomes.won, *outcomes.lost)] == [["Won"], ["Lost"]]


def test_without_history_the_first_stage_begins_with_creation(con: duckdb.DuckDBPyConnection) -> None:
    columns = "Id TEXT, StageName TEXT, CreatedDate TIMESTAMP, Probability DOUBLE"
    rows = ("('1', 'Late', '2026-01-01', 90)", "('2', 'Early', '2026-01-01', 10)")
    table(con, "Opportunity", columns, *rows)
    settings = config.parse(propose(survey(con)).text)
    assert settings.funnel["pipeline"].stage_names == ["Early", "Late", "Won"]
    assert sources(settings, "pipeline", "Early")[0] == {"object": "Opportunity", "milestone": "created"}


def test_a_stage_that_only_history_knows_is_proposed(con: duckdb.DuckDBPyConnection) -> None:
    table(con, "Opportunity", "Id TEXT, StageName TEXT, Probability DOUBLE", "('1', 'Late', 90)")
    table(con, "OpportunityHistory", "Id TEXT, StageName TEXT, Probability DOUBLE", "('1', 'Early', 5)")
    settings = config.parse(propose(survey(con)).text)
    assert settings.funnel["pipeline"].stage_names == ["Early", "Late", "Won"]


def test_an_open_stage_named_won(con: duckdb.DuckDBPyConnection) -> None:
    stages = (DealStage("Won", 3, is_closed=False, is_won=False),)
    settings = config.parse(propose(Survey(rows={"Opportunity": 3}, deal_stages=stages)).text)
    assert settings.funnel["pipeline"].stage_names == ["Won", "Won (closed)"]


def test_values_that_would_break_the_file(con: duckdb.DuckDBPyConnection) -> None:
    odd = 'a "quoted" \\ name\nwith = lines # and \x7f'
    stages = (DealStage(odd, 1), DealStage("MQL]", 1))
    statuses = (Status(odd, 2), Status('MQL "\n#', 3))
    settings = config.parse(
        propose(Survey({"Opportunity": 2, "Lead": 5}, deal_stages=stages, lead_statuses=statuses)).text
    )
    assert settings.funnel["pipeline"].stage_names[0] == odd
    assert sources(settings, "marketing", "MQL") == [{"object": "Lead", "field": "Status", "values": ['MQL "\n#']}]


def test_a_file_that_exists_is_kept(con: duckdb.DuckDBPyConnection) -> None:
    org(con)
    existing = (
        "# mine\n[workspace]\ntimezone = 'Asia/Tokyo'  # ours\n\n[funnel.old]\nstages = [{ name = 'X', "
        "from = [{ object = 'Lead', field = 'Status', values = ['X'] }] }]\n\n"
        "[files.'a.csv']\nobject = 'Lead'\n"
    )
    text = propose(survey(con), existing).text
    settings = config.parse(text)
    assert text.startswith("# mine\n[workspace]\ntimezone = 'Asia/Tokyo'  # ours\n")
    assert list(settings.files) == ["a.csv"]
    assert list(settings.funnel) == ["marketing", "pipeline"]
    assert settings.workspace.timezone == "Asia/Tokyo"
    assert propose(survey(con), text).text == text


def csv_as_object(con: duckdb.DuckDBPyConnection, name: str, path: Path, columns: dict[str, str]) -> None:
    chosen = ", ".join(f'"{column}" AS "{field}"' for field, column in columns.items())
    con.execute(f"CREATE TABLE src.\"{name}\" AS SELECT {chosen} FROM read_csv('{path}', header = true)")


def test_the_pipeline_of_the_maven_set(con: duckdb.DuckDBPyConnection, shared_data: Path) -> None:
    columns = {"Id": "opportunity_id", "StageName": "deal_stage", "CreatedDate": "engage_date"}
    csv_as_object(con, "Opportunity", shared_data / "maven-crm-sales-opportunities/sales_pipeline.csv", columns)
    proposal = propose(survey(con))
    assert "funnel pipeline: Prospecting → Engaging → Won" in proposal.found
    assert "8,300 of 8,800 opportunities and in none of Prospecting" in proposal.text


def test_chances_that_nobody_set_do_not_order_the_stages(con: duckdb.DuckDBPyConnection) -> None:
    rows = [
        "('1', 'Negotiation', 0, false, false)",
        "('2', 'Proposal/Quote', 0, false, false)",
        "('3', 'Qualification', 10, false, false)",
        "('4', 'Discovery', 0, false, false)",
    ]
    columns = "Id VARCHAR, StageName VARCHAR, Probability DOUBLE, IsClosed BOOLEAN, IsWon BOOLEAN"
    table(con, "Opportunity", columns, *rows)
    stages = [stage.name for stage in survey(con).deal_stages]
    assert stages == ["Qualification", "Discovery", "Proposal/Quote", "Negotiation"]
