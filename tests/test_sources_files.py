"""Files to a staged load, end to end: the real data sets, extraction moments, duplicates, accounts."""

from __future__ import annotations

import datetime as dt
import json
import random
from collections import Counter
from decimal import Decimal
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from leadline.config import Settings
from leadline.errors import AmbiguousDatesError, SourceError
from leadline.sources import csv_reader, parts
from leadline.sources.files import stage
from tests.scale import scaled
from tests.sources_kit import Staged, folder, staged, table
from tests.test_sources_csv import lines_of, mutated, reference, valid_file

STAMP = dt.datetime(2024, 1, 1, tzinfo=dt.UTC)
MAVEN = {
    "sales_pipeline.csv": {
        "object": "Opportunity",
        "columns": {
            "Id": "opportunity_id",
            "StageName": "deal_stage",
            "CreatedDate": "engage_date",
            "CloseDate": "close_date",
            "Amount": "close_value",
            "Name": "account",
        },
    }
}


def copied(source: Path, tmp_path: Path) -> Path:
    """A data set beside which the staging folders may lie."""
    path = tmp_path / source.name
    path.mkdir()
    for file in source.iterdir():
        (path / file.name).write_bytes(file.read_bytes())
    return path


def expected_rows(source: Path) -> dict[str, int]:
    return dict(json.loads((source / "expected.json").read_text())["rows"])


def test_dev_org_dates_are_refused_until_declared(tmp_path: Path, shared_data: Path):
    path = copied(shared_data / "salesforce-dev-org-sample", tmp_path)
    with pytest.raises(AmbiguousDatesError, match="--date-order mdy"):
        staged(path)


def test_dev_org(tmp_path: Path, shared_data: Path):
    source = shared_data / "salesforce-dev-org-sample"
    made = staged(copied(source, tmp_path), date_order="mdy")
    assert {one.object: one.rows for one in made.load.objects} == expected_rows(source)
    assert all(account.rejected == 0 for account in made.load.accounts)
    assert str(made.load.extracted_at) == "2026-03-07 21:00:00+00:00"
    assert made.load.extracted_at_evidence == "newest LastModifiedDate of Opportunity"
    first = made.query("OpportunityHistory", "Id, CreatedDate, CloseDate, Amount", "ORDER BY Id LIMIT 1")
    assert first == [
        ("008bm00000UoqOjAAJ", dt.datetime(2026, 2, 23, 20, 55), dt.date(2021, 1, 27), Decimal(15000))
    ]  # fmt: skip
    assert made.query("Opportunity", "DISTINCT CAST(CreatedDate AS VARCHAR), _date_only", "ORDER BY 1 LIMIT 1") == [
        ("2026-02-23 00:00:00", ",CreatedDate,")
    ]
    assert made.query("Lead", "count(*) FILTER (IsConverted), count(*) FILTER (Status = 'Closed - Converted')") == [
        (5, 8)
    ]
    assert "zone were read as UTC: CreatedDate" in " ".join(made.account("OpportunityHistory.csv").notes)
    assert made.values("Opportunity", "Opp Creation Date_Simulated")[0] == "2024-02-12"


def test_npsp(tmp_path: Path, shared_data: Path):
    source = shared_data / "npsp-1k"
    made = staged(copied(source, tmp_path))
    assert {one.object: one.rows for one in made.load.objects} == expected_rows(source)
    assert made.query("Opportunity", "sum(Amount), count(CampaignId), min(Id)") == [(Decimal(1739555), 0, "1")]
    assert made.object("CampaignMember").columns == {
        "Id": "id", "CampaignId": "id", "ContactId": "id", "Status": "text", "_date_only": "text",
    }  # fmt: skip
    assert "primary_contact__c" in made.object("Opportunity").columns
    assert str(made.load.extracted_at) == "2019-11-04 23:59:59.999999+00:00"
    assert made.load.extracted_at_evidence == "newest CloseDate of Opportunity, a date: the end of that day in UTC"


def test_sercante(tmp_path: Path, shared_data: Path):
    source = shared_data / "sercante-campaign-influence"
    made = staged(copied(source, tmp_path))
    rows = {account.file.removesuffix(".csv"): account.rows for account in made.load.accounts if account.object}
    assert rows == expected_rows(source)
    assert made.query("CampaignInfluence", "count(*) FILTER (Influence = 100), count(DISTINCT CampaignId)")[0][0] == 11
    assert made.query("OpportunityContactRole", "count(*) FILTER (IsPrimary), count(DISTINCT OpportunityId)")[0][0] > 0
    assert made.query("Opportunity", "sum(Amount), sum(Amount) FILTER (StageName = 'Closed Won')") == [
        (Decimal(124000), Decimal(41000))
    ]
    assert str(made.load.extracted_at) == "2020-05-28 02:05:26+00:00"


def test_maven_through_a_map(tmp_path: Path, shared_data: Path):
    path = copied(shared_data / "maven-crm-sales-opportunities", tmp_path)
    for source in (path, path / "sales_pipeline.csv"):
        made = staged(source, {"files": MAVEN})
        assert str(made.load.extracted_at) == "2017-12-31 23:59:59.999999+00:00"
        assert list(made.object("Opportunity").columns) == [
            "Id", "Name", "StageName", "Amount", "CloseDate", "CreatedDate", "sales_agent", "product", "account", "_date_only",
        ]  # fmt: skip
        stages = dict(made.query("Opportunity", "StageName, count(*)", "GROUP BY 1"))
        assert stages == {"Won": 4238, "Lost": 2473, "Engaging": 1589, "Prospecting": 500}
        assert made.query(
            "Opportunity", "count(account), count(CreatedDate), count(*) FILTER (_date_only IS NULL)"
        ) == [(8800 - 1425, 8300, 500)]
    with pytest.raises(SourceError, match="Nothing in"):
        staged(path)


def test_the_moment_of_extraction_is_the_newest_system_stamp(tmp_path: Path):
    files = {
        "Lead": table("Id,CreatedDate,SystemModstamp", "1,2024-01-05T00:00:00Z,2024-01-06T10:00:00Z"),
        "Account": table("Id,LastModifiedDate", "1,2024-01-06T11:00:00Z"),
        "Opportunity": table("Id,CreatedDate,CloseDate,IsClosed", "1,2024-02-01,2030-01-01,1"),
    }
    made = staged(folder(tmp_path, **files))
    assert str(made.load.extracted_at) == "2024-01-06 11:00:00+00:00"
    assert made.load.extracted_at_evidence == "newest LastModifiedDate of Account"


def test_without_stamps_it_is_what_has_happened_last(tmp_path: Path):
    rows = ["1,2024-03-01,Won,true", "2,2030-01-01,Open,false", "3,2024-02-01,Lost,true"]
    closed = folder(tmp_path, Opportunity=table("Id,CloseDate,StageName,IsClosed", *rows))
    assert str(staged(closed).load.extracted_at) == "2024-03-01 23:59:59.999999+00:00"
    by_name = folder(tmp_path, Opportunity=table("Id,CloseDate,StageName", *(row.rpartition(",")[0] for row in rows)))
    assert str(staged(by_name).load.extracted_at) == "2024-03-01 23:59:59.999999+00:00"
    outcome = {"won": [{"object": "Opportunity", "field": "StageName", "values": ["Open"]}]}
    stages = [{"name": "SQL", "from": [{"object": "Opportunity", "milestone": "created"}]}]
    settings = {"funnel": {"f": {"stages": stages, "outcomes": outcome}}, "workspace": {"timezone": "Europe/Berlin"}}
    made = staged(by_name, settings)
    assert str(made.load.extracted_at) == "2030-01-01 22:59:59.999999+00:00"
    assert made.load.extracted_at_evidence.endswith("a date: the end of that day in Europe/Berlin")


def test_stamps_of_the_settings_tell_the_moment(tmp_path: Path):
    funnel = {"stages": [{"name": "MQL", "from": [{"object": "Lead", "field": "MQL__c", "stamp": True}]}]}
    files = {
        "Lead": table("Id,MQL__c", "1,2024-05-01T10:00:00Z", "2,2024-05-01"),
        "Organization": table("Id,TimeZoneSidKey", "1,America/Los_Angeles"),
        "CampaignMember": table("Id,FirstRespondedDate", "1,2024-04-30"),
    }
    made = staged(folder(tmp_path, **files), {"funnel": {"f": funnel}})
    assert str(made.load.extracted_at) == "2024-05-02 06:59:59.999999+00:00"
    assert (
        made.load.extracted_at_evidence == "newest MQL__c of Lead, a date: the end of that day in America/Los_Angeles"
    )
    made = staged(folder(tmp_path, **files))
    assert made.load.extracted_at_evidence.startswith("newest FirstRespondedDate of CampaignMember")


def test_the_moment_may_be_declared_and_must_be_where_no_record_tells(tmp_path: Path):
    path = folder(tmp_path, Lead=table("Id,Name", "1,x"))
    with pytest.raises(SourceError, match="--extracted-at"):
        staged(path)
    berlin = dt.timezone(dt.timedelta(hours=2))
    made = staged(path, extracted_at=dt.datetime(2024, 1, 1, 12, tzinfo=berlin))
    assert (str(made.load.extracted_at), made.load.extracted_at_evidence) == (
        "2024-01-01 10:00:00+00:00", "declared with --extracted-at",
    )  # fmt: skip


def twin_ids(made: Staged, file: str) -> list[tuple[str, str, str]]:
    return [(one["line"], one["reason"], one["text"]) for one in made.rejects(file)]


def test_of_several_records_with_one_id_the_newest_stays(tmp_path: Path):
    rows = [
        "1,old,2024-01-01T00:00:00Z",
        "2,only,",
        "1,new,2024-01-03T00:00:00Z",
        "1,older,",
        "x,bad,soon",
        "3,a,",
        "3,b,",
    ]
    for stamp in ("SystemModstamp", "LastModifiedDate"):
        made = staged(folder(tmp_path, Lead=table(f"Id,Name,{stamp}", *rows)))
        assert sorted(made.query("Lead", "Id, Name")) == [("1", "new"), ("2", "only"), ("3", "b")]
        assert sorted(twin_ids(made, "Lead.csv")) == [
            ("2", "duplicate Id", rows[0]), ("5", "duplicate Id", rows[3]), ("6", "'soon' is no date", rows[4]),
            ("7", "duplicate Id", rows[5]),
        ]  # fmt: skip
    assert "3 rows" not in made.load.findings[0].message
    assert (made.load.findings[0].code, made.load.findings[0].rows) == ("rows-rejected", 4)


def test_without_stamps_the_last_in_file_order_stays(tmp_path: Path):
    files = {
        "Lead_2": table("Id,Name", "1,two", "7,x", "1,last"),
        "Lead_10": table("Id,Name", "9,ten", "1,ten"),
        "Lead_1": table("Id,Name", "1,one", "2,one"),
    }
    made = staged(folder(tmp_path, **files), extracted_at=STAMP)
    assert sorted(made.query("Lead", "Id, Name")) == [("1", "ten"), ("2", "one"), ("7", "x"), ("9", "ten")]
    assert {name: made.account(f"{name}.csv").rejected for name in files} == {"Lead_2": 2, "Lead_10": 0, "Lead_1": 1}


def test_duplicates_over_many_batches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(csv_reader.Sizes, "__init__", _small_sizes(csv_reader.Sizes.__init__))
    monkeypatch.setattr(parts, "BATCHES", 3)
    rng = random.Random(5)
    rows = [(str(rng.randrange(60)), str(number), "x" if rng.random() < 0.1 else "5") for number in range(300)]
    made = staged(folder(tmp_path, Opportunity=table("Id,Name,Amount", *map(",".join, rows))), extracted_at=STAMP)
    files = made.object("Opportunity").files
    assert len(files) > 1
    assert all(path.name.endswith("-once.parquet") for path in files)
    good = {key: name for key, name, amount in rows if amount == "5"}
    assert dict(made.query("Opportunity", "Id, Name")) == good
    reasons = {int(one["line"]) - 2: one["reason"] for one in made.rejects("Opportunity.csv")}
    for at, (key, name, amount) in enumerate(rows):
        expected = "'x' is no number" if amount == "x" else None if good.get(key) == name else "duplicate Id"
        assert reasons.get(at) == expected


def _small_sizes(init):
    def small(self, segment=400, tail=30, longest=5000, block=64):
        init(self, segment, tail, longest, block)

    return small


def test_generated_files_end_to_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Cell for cell what Python's reader yields, or rejected with its line; good and mutated files."""
    monkeypatch.setattr(csv_reader.Sizes, "__init__", _small_sizes(csv_reader.Sizes.__init__))
    rng = random.Random(99)
    for number in range(scaled(300)):
        text, width = valid_file(rng)
        text = mutated(text, rng) if number % 2 else text
        header, *rest = lines_of(text)
        end = header.removeprefix(header.rstrip("\r\n")) or "\n"
        text = "".join([header.rstrip("\r\n").replace("f0", "Id", 1) + end, "sound" + "," * (width - 1) + end, *rest])
        path = tmp_path / str(number)
        path.mkdir()
        (path / "Lead.csv").write_bytes(text.encode())
        made = staged(path / "Lead.csv", extracted_at=STAMP)
        rows = {line: cells for line, cells in reference(text) if cells != [] and line > 1}
        kept = {in_id(cells[0]): line for line, cells in rows.items() if cells and is_row(cells, width)}
        kept.pop(None, None)
        names = ", ".join(["Id", *(f"f{index}" for index in range(1, width))])
        expected = Counter((key, *(one or None for one in (rows[line] or [])[1:])) for key, line in kept.items())
        assert Counter(made.query("Lead", names)) == expected, text
        rejected = {int(one["line"]) for one in made.rejects("Lead.csv")} if len(kept) < len(rows) else set()
        assert rejected == rows.keys() - set(kept.values()), text


def is_row(cells: list[str], width: int) -> bool:
    return len(cells) == width and "\0" not in "".join(cells)


def in_id(value: str) -> str | None:
    """An id as it is stored: blanks around it do not count, unless it has the full length."""
    return (value if len(value) == 18 else value.strip(" ")) or None


def test_parquet_with_types_of_its_own(tmp_path: Path):
    moment = dt.datetime(2024, 5, 1, 10, 30)
    columns = {
        "id": pa.array(["0012100000qB0kq", "a", "b", None]),
        "Amount": pa.array([Decimal("1.50"), Decimal("2.25"), None, None], pa.decimal128(10, 2)),
        "Probability": pa.array([0.1, 1e20, None, 5.0]),
        "IsWon": pa.array([True, False, None, True]),
        "CloseDate": pa.array([moment.date()] * 4),
        "CreatedDate": pa.array([moment] * 4, pa.timestamp("ms")),
        "SystemModstamp": pa.array([moment] * 4, pa.timestamp("us", "America/New_York")),
        "PushCount": pa.array([1, 2, 3, 4], pa.int32()),
        "Extra": pa.array([["x"], [], None, ["y", "z"]]),
    }
    path = folder(tmp_path)
    pq.write_table(pa.table(columns), path / "Opportunity.parquet")
    made = staged(path)
    assert made.query(
        "Opportunity", "Id, Amount, Probability, IsWon, CloseDate, CreatedDate, SystemModstamp, PushCount"
    ) == [
        ("0012100000qB0kqAAC", Decimal("1.5"), 0.1, True, moment.date(), moment, moment, 1),
        ("a", Decimal("2.25"), 1e20, False, moment.date(), moment, moment, 2),
        ("b", None, None, None, moment.date(), moment, moment, 3),
    ]
    assert made.values("Opportunity", "Extra") == ["[x]", "[]", None]
    (reject,) = made.rejects("Opportunity.parquet")
    assert (reject["line"], reject["reason"]) == ("4", "no Id")
    (path / "Opportunity.parquet").write_bytes(b"PAR1 nothing")
    with pytest.raises(SourceError, match=r"Opportunity.parquet cannot be read as Parquet"):
        staged(path)


def test_what_is_staged_reads_back_the_same(tmp_path: Path):
    """Staged Parquet files are exports themselves: staging them again changes nothing."""
    rows = ["1,2024-05-01,5.5,true,2024-05-01T10:00:00Z", "2,,,,", "3,2024-05-02,1e3,0,2024-05-02"]
    made = staged(folder(tmp_path, Opportunity=table("Id,CloseDate,Amount,IsWon,CreatedDate", *rows)))
    again = tmp_path / "again"
    again.mkdir()
    (file,) = made.object("Opportunity").files
    with duckdb.connect() as con:
        con.execute(f"COPY (SELECT * EXCLUDE _date_only FROM '{file}') TO '{again / 'Opportunity.parquet'}'")
    fields = "* EXCLUDE _date_only"
    assert staged(again).query("Opportunity", fields) == made.query("Opportunity", fields)


def test_a_report_export_with_labels_and_footer(tmp_path: Path):
    content = table(
        '"Opportunity ID","Opportunity Name","Stage","Close Date","Amount","Created Date"',
        '"006bm00000LKJNN","Deal, big","Closed Won","2/3/2024","USD 1,234.50","1/2/2024"',
        '"006bm00000LKJNO","Other","Prospecting","12/24/2024","USD 7.00","1/3/2024"',
        "",
        '"Deals of the year"',
        '"Copyright (c) 2000-2024 salesforce.com, inc. All rights reserved."',
        '"Confidential Information - Do Not Distribute"',
        '"Generated By:  Jo Doe  7/16/2024 3:13 PM"',
    )
    columns = {
        "Id": "Opportunity ID", "Name": "Opportunity Name", "StageName": "Stage", "CloseDate": "Close Date",
        "CreatedDate": "Created Date",
    }  # fmt: skip
    files = {"report1.csv": {"object": "Opportunity", "columns": columns, "date_order": "mdy"}}
    made = staged(folder(tmp_path, **{"report1.csv": content}), {"files": files})
    assert made.query("Opportunity", "Id, Name, CAST(CloseDate AS VARCHAR), Amount, CurrencyIsoCode") == [
        ("006bm00000LKJNNAA5", "Deal, big", "2024-02-03", Decimal("1234.5"), "USD"),
        ("006bm00000LKJNOAA5", "Other", "2024-12-24", Decimal(7), "USD"),
    ]
    account = made.account("report1.csv")
    assert (account.rows, account.loaded, account.rejected) == (6, 2, 4)
    assert {one["reason"] for one in made.rejects("report1.csv")} == {"report footer"}
    assert "4 rows rejected: report footer (4)" in account.notes[-1]
    assert made.load.findings == ()


def test_progress_hears_of_every_file(tmp_path: Path):
    heard: list[tuple[str, int, int | None]] = []
    path = folder(tmp_path, Lead=table("Id", *map(str, range(50))), Contact=table("Id", "1"))
    staged(path, extracted_at=STAMP, progress=lambda *said: heard.append(said))
    assert {said for said in heard if said[1] == said[2]} == {("Lead.csv", 50, 50), ("Contact.csv", 1, 1)}
    assert all(total is None or done <= total for _, done, total in heard)


def test_files_of_the_same_name_have_their_own_lists_of_rejects(tmp_path: Path):
    path = folder(tmp_path, Lead=table("Id,CreatedDate", "1,2024-01-01", "2,x"))
    work = tmp_path / "work"
    made = [
        stage_into(path, work / str(number), work / "rejected").account("Lead.csv").rejected_file for number in range(2)
    ]
    assert len({*made}) == 2
    assert all(one and one.exists() for one in made)


def stage_into(path: Path, staging: Path, rejected: Path) -> Staged:
    return Staged(stage(path, Settings(), staging=staging, rejected=rejected))


def test_rejects_are_readable_whatever_was_in_the_row(tmp_path: Path):
    content = b'Id,Name\n1,"a ""b"", \nc",x\n2,ok\n' + b"3,\x00\n4,\xc3\xa9\n5,caf\xe9\n"
    made = staged(folder(tmp_path, Lead=content), extracted_at=STAMP)
    assert made.values("Lead", "Id") == ["2", "4"]
    assert [(one["line"], one["text"]) for one in made.rejects("Lead.csv")] == [
        ("2", '1,"a ""b"", \nc",x'), ("5", "3,\x00"), ("7", "5,caf\\xe9"),
    ]  # fmt: skip
