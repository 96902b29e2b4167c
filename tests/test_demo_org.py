"""The demo org's files: deterministic, whole, of one piece, in three formats."""

from __future__ import annotations

import csv
import datetime as dt
import io
import tomllib
import zipfile
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pyarrow.parquet as pq
import pytest

from leadline.config import Settings
from leadline.demo import stories as stories_module
from leadline.demo.org import CONFIG_TOML, EXPORT_CONFIG_TOML, DemoOrg, generate
from leadline.demo.writers import NOT_EXPORTED
from leadline.errors import UsageError
from leadline.schema import OBJECTS

PEOPLE = 1500

POINTERS = [
    ("CampaignMember", "CampaignId", "Campaign"),
    ("CampaignMember", "LeadId", "Lead"),
    ("CampaignMember", "ContactId", "Contact"),
    ("CampaignMember", "CreatedById", "User"),
    ("Campaign", "ParentId", "Campaign"),
    ("Contact", "AccountId", "Account"),
    ("Contact", "MasterRecordId", "Contact"),
    ("Event", "WhoId", "Contact"),
    ("Lead", "ConvertedAccountId", "Account"),
    ("Lead", "ConvertedContactId", "Contact"),
    ("Lead", "ConvertedOpportunityId", "Opportunity"),
    ("Lead", "MasterRecordId", "Lead"),
    ("Lead", "OwnerId", "User"),
    ("LeadHistory", "LeadId", "Lead"),
    ("Opportunity", "AccountId", "Account"),
    ("Opportunity", "CampaignId", "Campaign"),
    ("OpportunityContactRole", "ContactId", "Contact"),
    ("OpportunityContactRole", "OpportunityId", "Opportunity"),
    ("OpportunityHistory", "OpportunityId", "Opportunity"),
    ("Task", "WhoId", "Lead"),
]


@pytest.fixture(scope="module")
def org(tmp_path_factory: pytest.TempPathFactory) -> DemoOrg:
    return generate(tmp_path_factory.mktemp("csv"), people=PEOPLE, seed=3)


@pytest.fixture(scope="module")
def con(org: DemoOrg) -> Iterator[duckdb.DuckDBPyConnection]:
    """Every file as a view of text columns; an empty cell is a null."""
    with duckdb.connect() as con:
        for name in org.paths:
            con.execute(
                f"""CREATE VIEW "{name}" AS SELECT * FROM read_csv('{org.folder}/{name}.csv', delim=',',
                quote='"', escape='"', header=true, all_varchar=true, strict_mode=true, auto_detect=false,
                columns={columns(org.folder / f"{name}.csv")})"""
            )
        yield con


def columns(path: Path) -> dict[str, str]:
    with path.open(encoding="utf-8", newline="") as file:
        return dict.fromkeys(next(csv.reader(file)), "VARCHAR")


def one(con: duckdb.DuckDBPyConnection, sql: str) -> object:
    row = con.execute(sql).fetchone()
    assert row is not None
    return row[0]


class Heard:
    """Progress that remembers its steps: name, total, done."""

    def __init__(self) -> None:
        self.steps: list[list] = []

    def begin(self, step: str, total: int | None = None, unit: str = "rows") -> None:
        self.steps.append([step, total, 0])

    def advance(self, count: int = 1) -> None:
        self.steps[-1][2] += count


def test_progress_hears_of_all_people_piece_by_piece(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stories_module, "BLOCK_PEOPLE", 40)
    heard = Heard()
    generate(tmp_path, people=103, seed=3, progress=heard)
    assert heard.steps == [["make 103 people", 103, 103], ["finish the files", None, 0]]


def test_the_same_seed_gives_the_same_bytes_and_another_seed_other_ones(org: DemoOrg, tmp_path: Path) -> None:
    same = generate(tmp_path / "same", people=PEOPLE, seed=3)
    other = generate(tmp_path / "other", people=PEOPLE, seed=4)
    for path in org.folder.iterdir():
        assert path.read_bytes() == (same.folder / path.name).read_bytes(), path.name
    lead = "Lead.csv"
    assert (org.folder / lead).read_bytes() != (other.folder / lead).read_bytes()


@pytest.mark.parametrize("kind", ["parquet", "export-zip"])
def test_the_other_formats_are_deterministic_too(kind: str, tmp_path: Path) -> None:
    first = generate(tmp_path / "first", people=300, format=kind)  # type: ignore[arg-type]
    again = generate(tmp_path / "again", people=300, format=kind)  # type: ignore[arg-type]
    for path in first.folder.iterdir():
        assert path.read_bytes() == (again.folder / path.name).read_bytes(), path.name


def test_rows_are_as_said_and_members_about_five_per_person(org: DemoOrg) -> None:
    for name, rows in org.rows.items():
        with (org.folder / f"{name}.csv").open(encoding="utf-8", newline="") as file:
            assert sum(1 for _ in csv.reader(file)) - 1 == rows, name
    assert 3.5 < org.rows["CampaignMember"] / PEOPLE < 5.5


def test_every_column_is_a_field_leadline_knows_or_a_custom_stamp(org: DemoOrg) -> None:
    extra = {
        (name, column)
        for name in org.paths
        for column in columns(org.folder / f"{name}.csv")
        if column not in OBJECTS[name]
    }
    stamps = {(name, column) for name in ("Lead", "Contact") for column in ("MQL_Date__c", "SAL_Date__c")}
    assert extra == stamps | {("OpportunityStage", "ForecastCategory"), ("CampaignMember", "LastModifiedById")} - {
        (name, column) for name in OBJECTS for column in OBJECTS[name]
    }


def test_ids_are_unique_over_the_whole_org(con: duckdb.DuckDBPyConnection, org: DemoOrg) -> None:
    union = " UNION ALL ".join(f'SELECT "Id" FROM "{name}"' for name in org.paths)
    assert one(con, f"SELECT count(*) - count(DISTINCT Id) FROM ({union})") == 0


@pytest.mark.parametrize(("child", "column", "parent"), POINTERS)
def test_pointers_lead_somewhere(con: duckdb.DuckDBPyConnection, child: str, column: str, parent: str) -> None:
    prefix = one(con, f'SELECT left(min(Id), 3) FROM "{parent}"')
    lost = f'SELECT count(*) FROM "{child}" WHERE left("{column}", 3) = \'{prefix}\''
    assert one(con, lost) != 0
    assert one(con, f'{lost} AND "{column}" NOT IN (SELECT Id FROM "{parent}")') == 0


def test_one_member_per_record_and_campaign(con: duckdb.DuckDBPyConnection) -> None:
    for column in ("LeadId", "ContactId"):
        rows = f"FROM CampaignMember WHERE {column} IS NOT NULL AND NOT (LeadId IS NOT NULL AND ContactId IS NOT NULL)"
        assert one(con, f"SELECT count(*) - count(DISTINCT (CampaignId, {column})) {rows}") == 0


def test_nothing_was_touched_after_the_extraction(con: duckdb.DuckDBPyConnection, org: DemoOrg) -> None:
    stamps = [
        (name, column)
        for name in org.paths
        for column in columns(org.folder / f"{name}.csv")
        if column in ("CreatedDate", "LastModifiedDate", "SystemModstamp")
    ]
    union = " UNION ALL ".join(f'SELECT max("{column}") AS stamp FROM "{name}"' for name, column in stamps)
    newest = one(con, f"SELECT max(stamp) FROM ({union})")
    assert newest == org.extracted_at.strftime("%Y-%m-%dT%H:%M:%S.000Z") == "2026-07-01T01:30:00.000Z"


def test_a_status_change_begins_where_the_last_one_ended(con: duckdb.DuckDBPyConnection) -> None:
    changes = """SELECT *, lag(NewValue) OVER w AS before, lead(NewValue) OVER w AS after
        FROM LeadHistory WHERE Field = 'Status' WINDOW w AS (PARTITION BY LeadId ORDER BY CreatedDate)"""
    assert one(con, f"SELECT count(*) FROM ({changes}) WHERE before <> OldValue OR OldValue = NewValue") == 0
    last = f"SELECT * FROM ({changes}) WHERE after IS NULL"
    assert one(con, f"SELECT count(*) FROM ({last}) c JOIN Lead l ON l.Id = c.LeadId WHERE l.Status <> c.NewValue") == 0


def test_status_history_starts_nine_months_after_the_first_lead(con: duckdb.DuckDBPyConnection) -> None:
    first_lead = dt.date.fromisoformat(str(one(con, "SELECT left(min(CreatedDate), 10) FROM Lead")))
    first_change = dt.date.fromisoformat(str(one(con, "SELECT left(min(CreatedDate), 10) FROM LeadHistory")))
    assert 265 <= (first_change - first_lead).days <= 280


def test_every_opportunity_has_a_creation_row_and_ends_in_its_present_stage(con: duckdb.DuckDBPyConnection) -> None:
    rows = """SELECT OpportunityId, min(CreatedDate) AS first, arg_max(StageName, CreatedDate) AS stage,
        arg_max(Amount, CreatedDate) AS amount, arg_max(CloseDate, CreatedDate) AS close
        FROM OpportunityHistory GROUP BY OpportunityId"""
    joined = f"FROM Opportunity o LEFT JOIN ({rows}) h ON h.OpportunityId = o.Id"
    assert one(con, f"SELECT count(*) {joined} WHERE h.first IS DISTINCT FROM o.CreatedDate") == 0
    assert one(con, f"SELECT count(*) {joined} WHERE h.stage IS DISTINCT FROM o.StageName") == 0
    assert one(con, f"SELECT count(*) {joined} WHERE h.close IS DISTINCT FROM o.CloseDate") == 0


def test_people_are_several_per_account_and_written_by_several_tools(con: duckdb.DuckDBPyConnection) -> None:
    assert one(con, "SELECT count(*) FROM (SELECT AccountId FROM Contact GROUP BY 1 HAVING count(*) > 2)") != 0
    writers = con.execute(
        """SELECT DISTINCT Name FROM "User" WHERE Id IN (SELECT CreatedById FROM CampaignMember UNION
        SELECT CreatedById FROM Lead) AND Department = 'Integration' ORDER BY 1"""
    ).fetchall()
    assert writers == [("Data Import",), ("Marketing Automation Sync",), ("Web-to-Lead",)]
    assert one(con, 'SELECT count(DISTINCT CreatedById) FROM "Lead"') > 10  # type: ignore[operator]


def test_parquet_holds_the_same_records_typed(org: DemoOrg, tmp_path: Path) -> None:
    typed = generate(tmp_path, people=PEOPLE, seed=3, format="parquet")
    assert typed.rows == org.rows
    members = pq.read_table(tmp_path / "CampaignMember.parquet")
    with (org.folder / "CampaignMember.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["Id"] for row in rows] == members["Id"].to_pylist()
    for name in ("CreatedDate", "LastModifiedDate"):
        texts = [f"{at:%Y-%m-%dT%H:%M:%S}.000Z" for at in members[name].to_pylist()]
        assert [row[name] for row in rows] == texts
    responded = ["" if day is None else day.isoformat() for day in members["FirstRespondedDate"].to_pylist()]
    assert [row["FirstRespondedDate"] for row in rows] == responded
    amounts = pq.read_table(tmp_path / "Opportunity.parquet")["Amount"].to_pylist()
    with (org.folder / "Opportunity.csv").open(encoding="utf-8", newline="") as file:
        texts = [row["Amount"] for row in csv.DictReader(file)]
    assert [None if text == "" else float(text) for text in texts] == [None if a is None else float(a) for a in amounts]


@pytest.fixture(scope="module")
def export(tmp_path_factory: pytest.TempPathFactory) -> DemoOrg:
    return generate(tmp_path_factory.mktemp("zip"), people=PEOPLE, seed=3, format="export-zip")


def archive_rows(export: DemoOrg) -> dict[str, list[list[list[str]]]]:
    """Object → per archive its rows, header included."""
    found: dict[str, list[list[list[str]]]] = {}
    for path in sorted(export.folder.iterdir()):
        with zipfile.ZipFile(path) as archive:
            for name in archive.namelist():
                text = archive.read(name).decode("utf-8")
                assert "\r" not in text
                assert text.startswith('"Id",')
                found.setdefault(name.removesuffix(".csv"), []).append(list(csv.reader(io.StringIO(text))))
    return found


def test_the_export_is_two_archives_named_by_the_org(export: DemoOrg, org: DemoOrg) -> None:
    with (org.folder / "Organization.csv").open(encoding="utf-8", newline="") as file:
        organization = next(csv.DictReader(file))["Id"]
    assert [path.name for path in sorted(export.folder.iterdir())] == [
        f"WE_{organization}_1.ZIP",
        f"WE_{organization}_2.ZIP",
    ]


def test_the_export_follows_its_conventions(export: DemoOrg, org: DemoOrg) -> None:
    found = archive_rows(export)
    assert not NOT_EXPORTED & set(found)
    assert len(found["CampaignMember"]) == 2
    first, second = found["CampaignMember"]
    assert first[0] == second[0]
    members = first[1:] + second[1:]
    header = first[0]
    with (org.folder / "CampaignMember.csv").open(encoding="utf-8", newline="") as file:
        alive = [row for row in csv.DictReader(file) if row["IsDeleted"] == "false"]
    assert [row[0] for row in members] == [row["Id"] for row in alive]
    for exported, row in zip(members, alive, strict=True):
        cells = dict(zip(header, exported, strict=True))
        assert cells["HasResponded"] == ("1" if row["HasResponded"] == "true" else "0")
        assert cells["CreatedDate"] == row["CreatedDate"].removesuffix(".000Z").replace("T", " ")
        date = row["FirstRespondedDate"]
        assert cells["FirstRespondedDate"] == (f"{date} 00:00:00" if date else "")
        assert cells["LeadId"] == (row["LeadId"] or "000000000000000AAA")
    [leads] = found["Lead"]
    assert "Name" not in leads[0]
    assert {dict(zip(leads[0], row, strict=True))["MasterRecordId"] for row in leads[1:]} == {""}
    assert {dict(zip(leads[0], row, strict=True))["IsDeleted"] for row in leads[1:]} == {"0"}


def test_every_field_of_the_export_is_quoted(export: DemoOrg) -> None:
    with zipfile.ZipFile(sorted(export.folder.iterdir())[0]) as archive:
        lines = archive.read("Campaign.csv").decode("utf-8").split("\n")
    assert lines[-1] == ""
    assert all(line.startswith('"') and line.endswith('"') for line in lines[:-1])
    assert not any(",," in line for line in lines)


def test_blocks_share_campaigns_but_no_id(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stories_module, "BLOCK_PEOPLE", 400)
    org = generate(tmp_path, people=1000)
    assert [len(block.people["kind"]) for block in org.stories()] == [400, 400, 200]
    with (tmp_path / "CampaignMember.csv").open(encoding="utf-8", newline="") as file:
        members = list(csv.DictReader(file))
    assert len({row["Id"] for row in members}) == len(members) == org.rows["CampaignMember"]
    with (tmp_path / "Lead.csv").open(encoding="utf-8", newline="") as file:
        leads = {row["Id"] for row in csv.DictReader(file)}
    assert {row["LeadId"] for row in members if row["LeadId"]} <= leads


def test_as_of_moves_the_whole_org(tmp_path: Path) -> None:
    org = generate(tmp_path, people=200, as_of=dt.date(2024, 2, 29))
    assert org.extracted_at == dt.datetime(2024, 3, 1, 2, 30, tzinfo=dt.UTC)
    with (tmp_path / "Lead.csv").open(encoding="utf-8", newline="") as file:
        made = [row["CreatedDate"] for row in csv.DictReader(file)]
    assert "2022-03" <= min(made)[:7] < max(made)[:7] <= "2024-02"


def test_tiny_orgs_work(tmp_path: Path) -> None:
    for people in (1, 2, 7, 40):
        assert generate(tmp_path / str(people), people=people).rows["Campaign"] > 0


def test_wrong_calls_say_what_is_wrong(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="people = 0"):
        generate(tmp_path, people=0)
    with pytest.raises(UsageError, match="xlsx"):
        generate(tmp_path, format="xlsx")  # type: ignore[arg-type]


@pytest.mark.parametrize("text", [CONFIG_TOML, EXPORT_CONFIG_TOML])
def test_the_workspace_config_fits(text: str) -> None:
    settings = Settings.model_validate(tomllib.loads(text))
    assert settings.funnel["main"].stage_names == ["Inquiry", "MQL", "SAL", "SQL", "Won"]
    assert settings.funnel["main"].of_people
    assert settings.workspace.timezone == (None if text is CONFIG_TOML else "America/New_York")
