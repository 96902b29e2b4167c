"""The rules of the ledger, one small example each; `docs/decisions/0003-ledger.md` has them in words."""

from __future__ import annotations

import datetime as dt
import json
import os
import subprocess
import sys
import threading
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from leadline import locks
from leadline.errors import LedgerError, LoadOrderError, UsageError, VanishError, WriterBusyError
from leadline.findings import Finding
from leadline.ledger import STEPS, Ledger
from leadline.sources.staged import FileAccount, StagedLoad, StagedObject
from tests.ledger_loads import Rows, content, moment, rows_of, staged_load, staged_object

WEEK = ["2026-01-01T06:00:00", "2026-01-08T06:00:00", "2026-01-15T06:00:00", "2026-01-22T06:00:00"]


def at(week: int) -> dt.datetime:
    """The moment of a week's load as the ledger stores it."""
    return dt.datetime.fromisoformat(WEEK[week])


def leads(count: int = 40, **changed: dict[str, Any]) -> list[dict[str, Any]]:
    """Open leads L0, L1 …; `L3={"Status": …}` changes one, `L3=None` leaves it out."""
    rows = [{"Id": f"L{number}", "Status": "Open", **changed.get(f"L{number}", {})} for number in range(count)]
    wide = {name: None for row in rows for name in row}
    return [wide | row for row in rows]


def without(rows: list[dict[str, Any]], *ids: str) -> list[dict[str, Any]]:
    return [row for row in rows if row["Id"] not in ids]


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return Ledger(tmp_path / "workspace")


@pytest.fixture
def take(ledger: Ledger, tmp_path: Path):
    """Load rows of objects at the moment of a week."""
    count = iter(range(1000))

    def load(week: int, objects: Any, coverage: Any = "full", **options: Any):
        staged = staged_load(tmp_path / f"staged{next(count)}", WEEK[week], objects, coverage)
        return ledger.load(staged, **options)

    return load


STILL = dt.datetime.max
"""End of a version that holds: sorts last."""


def versions(ledger: Ledger, key: str, columns: str = '"Status"', name: str = "Lead") -> list[tuple[Any, ...]]:
    rows = rows_of(ledger.workspace, f"{name}__versions", f'_valid_from, _valid_to, "Id", {columns}')
    return sorted((start, end or dt.datetime.max, *values) for start, end, found, *values in rows if found == key)


def codes(report: Any) -> list[str]:
    return [finding.code for finding in report.findings]


def test_a_change_ends_one_version_and_begins_the_next(ledger: Ledger, take: Any):
    assert take(0, {"Lead": leads()}).objects[0].new == 40
    report = take(1, {"Lead": leads(L3={"Status": "MQL"})})
    (lead,) = report.objects
    assert (lead.new, lead.changed, lead.unchanged, lead.gone, lead.returned) == (0, 1, 39, 0, 0)
    assert versions(ledger, "L3") == [(at(0), at(1), "Open"), (at(1), STILL, "MQL")]
    assert versions(ledger, "L4") == [(at(0), STILL, "Open")]
    assert len(rows_of(ledger.workspace, "Lead")) == 40


def test_the_very_same_load_again_does_nothing_and_says_so(ledger: Ledger, take: Any, tmp_path: Path):
    rows = {"Lead": leads()}
    assert not take(0, rows).repeated
    before = content(ledger.workspace)
    assert take(0, rows).repeated
    shuffled = [staged_object(tmp_path / "shuffled", "Lead", list(reversed(leads())), parts=3)]
    assert take(0, shuffled).repeated
    assert content(ledger.workspace) == before
    assert len(list((ledger.workspace / "loads").iterdir())) == 1


def test_the_same_records_at_another_moment_are_a_load_without_changes(ledger: Ledger, take: Any):
    take(0, {"Lead": leads()})
    report = take(1, {"Lead": leads()})
    assert not report.repeated
    assert report.objects[0].unchanged == 40
    assert [load.extracted_at for load in ledger.loads()] == [at(0), at(1)]
    assert versions(ledger, "L0") == [(at(0), STILL, "Open")]


def test_a_full_load_retires_what_it_lacks_and_takes_it_back(ledger: Ledger, take: Any):
    take(0, {"Lead": leads()})
    assert take(1, {"Lead": without(leads(), "L7")}).objects[0].gone == 1
    assert rows_of(ledger.workspace, "_gone") == [("Lead", "L7", at(1))]
    assert len(rows_of(ledger.workspace, "Lead")) == 39
    take(2, {"Lead": without(leads(), "L7")})
    assert rows_of(ledger.workspace, "_gone") == [("Lead", "L7", at(1))]
    back = take(3, {"Lead": leads()}).objects[0]
    assert (back.new, back.returned) == (1, 1)
    assert rows_of(ledger.workspace, "_gone") == []
    assert versions(ledger, "L7") == [(at(0), at(1), "Open"), (at(3), STILL, "Open")]


def test_a_partial_load_touches_only_the_ids_it_has(ledger: Ledger, take: Any):
    take(0, {"Lead": leads()})
    report = take(1, {"Lead": leads(2, L1={"Status": "MQL"})}, "partial")
    assert (report.objects[0].changed, report.objects[0].gone) == (1, 0)
    assert len(rows_of(ledger.workspace, "Lead")) == 40
    assert rows_of(ledger.workspace, "_gone") == []


def test_five_percent_may_vanish_and_not_one_more(ledger: Ledger, take: Any):
    take(0, {"Lead": leads(), "Contact": [{"Id": "C1"}]})
    assert take(1, {"Lead": without(leads(), "L0", "L1"), "Contact": [{"Id": "C1"}]}).objects[0].gone == 2
    before = content(ledger.workspace)
    with pytest.raises(VanishError, match=r"lacks 2 of the 38 records .* \(5%; .*--partial.*--allow-vanish"):
        take(2, {"Contact": [{"Id": "C1"}, {"Id": "C2"}], "Lead": without(leads(), "L0", "L1", "L2", "L3")})
    assert content(ledger.workspace) == before
    assert len(list((ledger.workspace / "loads").iterdir())) == 2
    assert take(2, {"Lead": leads(5)}, allow_vanish=True).objects[0].gone == 35


def test_system_stamps_alone_make_no_version(ledger: Ledger, take: Any):
    stamp = {"SystemModstamp": dt.datetime(2026, 1, 1), "LastModifiedById": "U1"}
    take(0, {"Lead": leads(3, L0=stamp)})
    later = {"SystemModstamp": dt.datetime(2026, 1, 7), "LastModifiedById": "U2"}
    assert take(1, {"Lead": leads(3, L0=later)}).objects[0].changed == 0
    assert versions(ledger, "L0", '"SystemModstamp"') == [(at(0), STILL, dt.datetime(2026, 1, 1))]


def test_a_new_column_makes_no_version_and_fills_the_present_ones(ledger: Ledger, take: Any):
    take(0, {"Lead": leads(3)})
    fresh = {f"L{number}": {"MQL_Date__c": f"2025-12-0{number + 1}"} for number in range(3)}
    fresh["L1"]["Status"] = "MQL"
    report = take(1, {"Lead": leads(3, **fresh)})
    assert report.objects[0].changed == 1
    assert codes(report) == ["column-new"]
    assert versions(ledger, "L0", '"MQL_Date__c"') == [(at(0), STILL, "2025-12-01")]
    assert versions(ledger, "L1", '"Status", "MQL_Date__c"') == [
        (at(0), at(1), "Open", "2025-12-02"),
        (at(1), STILL, "MQL", "2025-12-02"),
    ]
    assert take(2, {"Lead": leads(3, **(fresh | {"L2": {"MQL_Date__c": "2026-01-09"}}))}).objects[0].changed == 1
    assert versions(ledger, "L2", '"MQL_Date__c"') == [(at(0), at(2), "2025-12-03"), (at(2), STILL, "2026-01-09")]


def test_a_column_that_is_not_in_a_load_keeps_its_values(ledger: Ledger, take: Any):
    take(0, {"Lead": leads(3, L0={"Company": "Acme"}, L1={"Company": "Bolt"})})
    report = take(1, {"Lead": leads(3, L0={"Status": "MQL"})})
    assert codes(report) == ["column-vanished"]
    assert "Lead.Company" in report.findings[0].message
    assert report.objects[0].changed == 1
    assert versions(ledger, "L0", '"Status", "Company"') == [
        (at(0), at(1), "Open", "Acme"),
        (at(1), STILL, "MQL", "Acme"),
    ]
    columns = {(name, present) for _, name, _, present in rows_of(ledger.workspace, "_columns")}
    assert columns == {("Id", True), ("Status", True), ("Company", False)}
    assert codes(take(2, {"Lead": leads(3, L0={"Status": "MQL"})})) == []
    again = take(3, {"Lead": leads(3, L0={"Status": "MQL", "Company": "Acme"}, L1={"Company": "Cog"})})
    assert (again.objects[0].changed, codes(again)) == (1, [])


def test_column_names_match_whatever_their_case(ledger: Ledger, take: Any):
    take(0, {"Lead": [{"Id": "L0", "Custom__c": "a"}]})
    report = take(1, {"Lead": [{"Id": "L0", "CUSTOM__C": "b"}]})
    assert (codes(report), report.objects[0].changed) == ([], 1)
    assert rows_of(ledger.workspace, "Lead", '"Custom__c"') == [("b",)]


def test_a_change_of_kind_breaks_nothing_and_is_said(ledger: Ledger, take: Any, tmp_path: Path):
    numbers: Rows = [{"Id": "L2", "Level": 5}, {"Id": "L3", "Level": 7}, {"Id": "L4", "Level": None}]
    take(1, [staged_object(tmp_path / "a", "Contact", numbers, {"Level": "integer"})], "partial")
    texts: Rows = [{"Id": "L2", "Level": "5"}, {"Id": "L3", "Level": "high"}, {"Id": "L4", "Level": None}]
    report = take(2, [staged_object(tmp_path / "b", "Contact", texts)], "partial")
    assert [(finding.code, finding.severity) for finding in report.findings] == [
        ("column-changed", "warning"),
        ("column-changed", "error"),
    ]
    assert report.findings[1].record_ids == ("L3",)
    assert report.objects[0].changed == 0
    assert rows_of(ledger.workspace, "Contact", '"Id", "Level"') == [("L2", 5), ("L3", None), ("L4", None)]
    more: Rows = [{"Id": "L2", "Level": "6"}, {"Id": "L3", "Level": "high"}, {"Id": "L4", "Level": None}]
    later = take(3, [staged_object(tmp_path / "c", "Contact", more)], "partial")
    assert (codes(later), later.objects[0].changed) == ([], 1)


def test_an_object_missing_from_a_full_load_is_no_deletion(ledger: Ledger, take: Any):
    take(0, {"Lead": leads(3), "Contact": [{"Id": "C1"}]})
    report = take(1, {"Contact": [{"Id": "C1"}]})
    assert [(finding.code, finding.object) for finding in report.findings] == [("object-missing", "Lead")]
    assert len(rows_of(ledger.workspace, "Lead")) == 3
    assert codes(take(2, {"Contact": [{"Id": "C1"}]}, "partial")) == []


def test_objects_without_versions_keep_their_newest_state(ledger: Ledger, take: Any):
    users = [{"Id": f"U{number}", "Name": "a", "Email": "x"} for number in range(30)]
    take(0, {"User": users})
    changed = [{"Id": f"U{number}", "Name": "b" if number == 1 else "a"} for number in range(29)]
    report = take(1, {"User": changed})
    assert (report.objects[0].changed, report.objects[0].gone) == (1, 1)
    assert ("U1", "b", "x") in rows_of(ledger.workspace, "User", '"Id", "Name", "Email"')
    assert len(rows_of(ledger.workspace, "User")) == 29
    assert rows_of(ledger.workspace, "_gone") == [("User", "U29", at(1))]
    with pytest.raises(duckdb.CatalogException):
        rows_of(ledger.workspace, "User__versions")


def test_history_rows_are_united_and_their_stamps_renewed(ledger: Ledger, take: Any):
    row = {"OpportunityId": "O1", "StageName": "New", "SystemModstamp": dt.datetime(2026, 1, 1)}
    take(0, {"OpportunityHistory": [{"Id": "H1", **row}, {"Id": "H2", **row}]})
    superseded = row | {"SystemModstamp": dt.datetime(2026, 1, 5)}
    report = take(1, {"OpportunityHistory": [{"Id": "H2", **superseded}, {"Id": "H3", **row}]})
    assert (report.objects[0].new, report.objects[0].changed, report.objects[0].gone) == (1, 1, 0)
    found = rows_of(ledger.workspace, "OpportunityHistory", '"Id", "SystemModstamp"')
    assert found == [("H1", dt.datetime(2026, 1, 1)), ("H2", dt.datetime(2026, 1, 5)), ("H3", dt.datetime(2026, 1, 1))]
    assert rows_of(ledger.workspace, "_gone") == []


def test_rows_the_platform_makes_anew_may_all_vanish(ledger: Ledger, take: Any):
    take(0, {"CampaignInfluence": [{"Id": f"A{number}"} for number in range(10)]})
    assert take(1, {"CampaignInfluence": [{"Id": "B1"}]}).objects[0].gone == 10


def test_date_only_marks_follow_their_column(ledger: Ledger, take: Any):
    day, instant = dt.datetime(2026, 1, 1), dt.datetime(2026, 1, 1, 9, 30)
    base = {"Id": "O1", "StageName": "New", "CreatedDate": day}
    take(0, {"Opportunity": [{**base, "_date_only": ",CreatedDate,"}]})
    fresh = {**base, "LastStageChangeDate": day, "LastModifiedDate": day}
    marks = ",CreatedDate,LastModifiedDate,LastStageChangeDate,"
    assert take(1, {"Opportunity": [{**fresh, "_date_only": marks}]}).objects[0].changed == 0
    kept = rows_of(ledger.workspace, "Opportunity", "_date_only")[0][0]
    assert set(kept.strip(",").split(",")) == {"CreatedDate", "LastStageChangeDate", "LastModifiedDate"}
    moved = {"Id": "O1", "StageName": "Next", "LastStageChangeDate": instant}
    take(2, {"Opportunity": [moved]})
    assert rows_of(ledger.workspace, "Opportunity", '_date_only, "CreatedDate"') == [
        (",CreatedDate,LastModifiedDate,", day)
    ]
    midnight = {"Id": "O1", "StageName": "Next", "LastStageChangeDate": instant, "CreatedDate": day}
    assert take(3, {"Opportunity": [midnight]}).objects[0].changed == 1
    assert rows_of(ledger.workspace, "Opportunity", "_date_only") == [(",LastModifiedDate,",)]


def test_every_kind_arrives_as_it_was(ledger: Ledger, take: Any):
    amount, rate = Decimal("12345678901234567890.12345678"), Decimal("1.123456789012")
    take(
        0,
        {
            "Opportunity": [
                {
                    "Id": "O1", "Amount": amount, "IsWon": True, "Probability": 0.1, "PushCount": 2**62,
                    "CloseDate": dt.date(1, 1, 1), "CreatedDate": dt.datetime(2026, 1, 1, 1, 2, 3, 4), "Name": "ü\n'\"",
                }
            ],
            "CurrencyType": [{"Id": "T1", "ConversionRate": rate}],
        },
    )  # fmt: skip
    columns = '"Amount", "IsWon", "Probability", "PushCount", "CloseDate", "CreatedDate", "Name", _date_only'
    expected = (amount, True, 0.1, 2**62, dt.date(1, 1, 1), dt.datetime(2026, 1, 1, 1, 2, 3, 4), "ü\n'\"", None)
    assert rows_of(ledger.workspace, "Opportunity", columns) == [expected]
    assert rows_of(ledger.workspace, "CurrencyType", '"ConversionRate"') == [(rate,)]


def test_two_loads_of_one_moment_have_one_order(tmp_path: Path):
    first = staged_load(tmp_path / "a", WEEK[1], {"Lead": leads(3, L0={"Status": "A"})})
    second = staged_load(tmp_path / "b", WEEK[1], {"Lead": leads(3, L0={"Status": "B"})})
    early = staged_load(tmp_path / "c", WEEK[0], {"Lead": leads(3)})
    found = []
    for number, order in enumerate(([early, first, second], [early, second, first], [second, early, first])):
        ledger = Ledger(tmp_path / f"w{number}")
        said = [codes(ledger.load(load)) for load in order]
        assert sum("same-moment" in each for each in said) == 1
        found.append(content(ledger.workspace))
        assert len(versions(ledger, "L0")) == 2
        assert versions(ledger, "L1") == [(at(0), STILL, "Open")]
    assert found[0] == found[1] == found[2]


def test_an_older_load_is_put_into_its_place(ledger: Ledger, take: Any):
    take(0, {"Lead": leads(3)})
    take(2, {"Lead": leads(3, L0={"Status": "SAL"})})
    report = take(1, {"Lead": leads(3, L0={"Status": "MQL"})})
    assert (report.replayed, report.objects[0].changed) == (1, 1)
    assert versions(ledger, "L0") == [(at(0), at(1), "Open"), (at(1), at(2), "MQL"), (at(2), STILL, "SAL")]
    assert [load.load_id for load in ledger.loads()] == [1, 2, 3]


def test_an_older_load_that_makes_records_vanish_is_refused_and_leaves_no_trace(ledger: Ledger, take: Any):
    take(1, {"Lead": leads(3)})
    before = content(ledger.workspace)
    with pytest.raises(VanishError):
        take(0, {"Lead": leads(40)})
    assert content(ledger.workspace) == before
    assert len(list((ledger.workspace / "loads").iterdir())) == 1
    take(0, {"Lead": leads(40)}, allow_vanish=True)
    assert len(rows_of(ledger.workspace, "_gone")) == 37
    take(2, {"Lead": leads(3)}, "partial")
    take(0, {"Contact": [{"Id": "C1"}]}, "partial")
    assert len(rows_of(ledger.workspace, "_gone")) == 37


def test_an_older_load_needs_the_kept_ones(ledger: Ledger, take: Any):
    take(1, {"Lead": leads(3)})
    (kept,) = (ledger.workspace / "loads").iterdir()
    kept.rename(ledger.workspace / "elsewhere")
    assert take(2, {"Lead": leads(3)}).objects[0].unchanged == 3
    with pytest.raises(LoadOrderError, match=kept.name):
        take(0, {"Lead": leads(3)})
    (ledger.workspace / "elsewhere").rename(kept)
    assert take(0, {"Lead": leads(3)}).replayed == 2
    assert versions(ledger, "L0") == [(at(0), STILL, "Open")]


def test_a_lost_ledger_is_built_anew_from_the_kept_loads(ledger: Ledger, take: Any):
    for week in range(3):
        take(week, {"Lead": leads(40, L1={"Status": f"S{week}"})})
    before = content(ledger.workspace)
    ledger.path.unlink()
    assert len(ledger.finish_pending()) == 3
    assert content(ledger.workspace) == before


def test_a_damaged_ledger_says_what_to_do(ledger: Ledger, take: Any):
    take(0, {"Lead": leads(3)})
    ledger.path.write_bytes(b"\0" * 20000)
    with pytest.raises(LedgerError, match="move it away"):
        take(1, {"Lead": leads(3)})
    with pytest.raises(LedgerError, match="move it away"):
        ledger.attach(duckdb.connect())
    ledger.path.unlink()
    assert take(1, {"Lead": leads(3)}).objects[0].unchanged == 3


def test_a_damaged_kept_load_says_what_to_do(ledger: Ledger, take: Any):
    take(1, {"Lead": leads(3)})
    (folder,) = (ledger.workspace / "loads").iterdir()
    (file,) = folder.glob("*.parquet")
    sound = file.read_bytes()
    file.write_bytes(sound[:100])
    before = content(ledger.workspace)
    with pytest.raises(LedgerError, match=r"could not be taken .* to give it up, remove that folder"):
        take(0, {"Lead": leads(3, L0={"Status": "New"})})
    assert content(ledger.workspace) == before
    file.write_bytes(sound)
    (report,) = ledger.finish_pending()
    assert (report.extracted_at, report.replayed) == (at(0), 1)


def test_what_dlt_reports_is_told_in_our_words(ledger: Ledger, take: Any, monkeypatch: pytest.MonkeyPatch):
    from dlt.common.exceptions import DltException

    class Broken:
        def __init__(self, *_: Any, **__: Any) -> None:
            """A pipeline whose disk is full."""

        def extract(self, *_: Any, **__: Any) -> None:
            try:
                raise OSError(28, "No space left on device")
            except OSError as error:
                raise DltException("step failed") from error

    with monkeypatch.context() as patch:
        patch.setattr("dlt.pipeline", Broken)
        with pytest.raises(LedgerError, match=r"No space left on device\. Nothing was changed"):
            take(0, {"Lead": leads(3)})
    assert ledger.loads() == ()
    assert take(0, {"Lead": leads(3)}).objects[0].new == 3


def test_a_load_cut_short_is_completed_by_the_next_run(ledger: Ledger, take: Any):
    class Break:
        def begin(self, step: str, total: int | None = None, unit: str = "rows") -> None:
            if step == "merge":
                raise KeyboardInterrupt

        def advance(self, count: int = 1) -> None:
            """Nothing to hear."""

    take(0, {"Lead": leads(3)})
    with pytest.raises(KeyboardInterrupt):
        take(1, {"Lead": leads(3, L0={"Status": "MQL"})}, progress=Break())
    assert versions(ledger, "L0") == [(at(0), STILL, "Open")]
    (report,) = Ledger(ledger.workspace).finish_pending()
    assert (report.extracted_at, report.objects[0].changed) == (at(1), 1)
    assert versions(ledger, "L0") == [(at(0), at(1), "Open"), (at(1), STILL, "MQL")]
    assert ledger.finish_pending() == ()


def test_the_steps_are_heard_in_order(ledger: Ledger, take: Any):
    heard: list[Any] = []

    class Listener:
        def begin(self, step: str, total: int | None = None, unit: str = "rows") -> None:
            heard.append(step)

        def advance(self, count: int = 1) -> None:
            heard.append(count)

    take(1, {"Lead": leads(3), "Contact": [{"Id": "C"}]}, progress=Listener())
    assert heard == ["keep", 3, 1, "merge", 3, 1, "tidy"]
    assert [step for step in heard if isinstance(step, str)] == list(STEPS)


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        pytest.param([{"Id": "L1"}, {"Id": "L1"}], "2 records of Lead with 1 different ids", id="twice"),
        pytest.param([{"Id": "L1"}, {"Id": None}], "2 records of Lead with 1 different ids", id="empty"),
        pytest.param([{"Name": "x"}], "no column Id", id="no id"),
        pytest.param([{"Id": "L1", "a": "x", "A": "y"}], "differ in case only: a", id="case"),
        pytest.param([{"Id": "L1", "_valid_to": "x"}], "_valid_to", id="reserved"),
    ],
)
def test_a_load_that_is_not_what_it_promises_is_refused(ledger: Ledger, tmp_path: Path, rows: Any, message: str):
    with pytest.raises(LedgerError, match=message):
        ledger.load(staged_load(tmp_path / "x", WEEK[0], {"Lead": rows}))
    assert not (ledger.workspace / "loads").exists()
    assert ledger.loads() == ()


def test_a_moment_without_zone_is_refused(ledger: Ledger):
    with pytest.raises(LedgerError, match="no time zone"):
        ledger.load(StagedLoad((), (), dt.datetime(2026, 1, 1), "", "full", "x.csv"))


def test_files_of_other_types_are_cast_or_refused(ledger: Ledger, tmp_path: Path):
    path = tmp_path / "odd.parquet"
    pq.write_table(pa.table({"Status": ["Open"], "Id": ["L1"], "NumberOfEmployees": pa.array([3], pa.int8())}), path)
    columns: dict[str, Any] = {"Id": "id", "Status": "text", "NumberOfEmployees": "integer"}
    ledger.load(StagedLoad((StagedObject("Lead", (path,), columns, 1),), (), moment(WEEK[0]), "", "full", "x"))
    assert rows_of(ledger.workspace, "Lead", '"Id", "Status", "NumberOfEmployees", _date_only') == [
        ("L1", "Open", 3, None)
    ]
    wrong = StagedObject("Lead", (path,), columns | {"Status": "date"}, 1)
    with pytest.raises(LedgerError, match="does not hold the columns of Lead"):
        ledger.load(StagedLoad((wrong,), (), moment(WEEK[1]), "", "full", "x"))


def test_an_older_load_of_other_objects_leaves_the_rest_alone(ledger: Ledger, take: Any):
    take(1, {"Lead": leads(3)}, "partial")
    report = take(0, {"Contact": [{"Id": "C1"}]}, "partial")
    assert report.replayed == 0
    assert [load.extracted_at for load in ledger.loads()] == [at(0), at(1)]
    assert rows_of(ledger.workspace, "_load_objects", "load_id, object") == [(1, "Contact"), (2, "Lead")]


def test_an_object_that_turns_out_older_is_missing_from_later_full_loads(ledger: Ledger, take: Any):
    take(1, {"Lead": leads(3)})
    assert rows_of(ledger.workspace, "_findings", "code") == []
    take(0, {"Contact": [{"Id": "C1"}]}, "partial")
    assert rows_of(ledger.workspace, "_findings", "load_id, code, object") == [(2, "object-missing", "Contact")]


def test_an_object_without_rows_is_an_object(ledger: Ledger, tmp_path: Path):
    empty = StagedObject("Campaign", (), {"Id": "id", "Name": "text", "_date_only": "text"}, 0)
    ledger.load(
        staged_load(tmp_path, WEEK[0], [empty, staged_object(tmp_path, "Lead", [], {"Id": "id", "Status": "text"})])
    )
    assert rows_of(ledger.workspace, "Campaign") == []
    assert rows_of(ledger.workspace, "Lead", '"Id", "Status", _date_only') == []


def test_odd_names_and_odd_folders(tmp_path: Path):
    rows = [{"Id": f"a{n}", "Lead Source (orig)": "x", "it's \"q\"": "y\nz", "a.b": "1", "ä▶b": "2", "x" * 300: "3", "select": "4", "MQL\nDate": None} for n in range(5)]  # fmt: skip
    for number, folder in enumerate(("o'neil [x]* #% ü {a}", "a+b=c@d,(e)~f:g h")):
        ledger = Ledger(tmp_path / folder)
        for week in range(2):
            staged = staged_object(tmp_path / f"s{number}{week}", "Lead", rows, parts=3)
            report = ledger.load(
                staged_load(
                    tmp_path, WEEK[week], [staged, StagedObject('Pet\'s "x"__c', staged.files, staged.columns, 5)]
                )
            )
        assert [each.unchanged for each in report.objects] == [5, 5]
        assert content(ledger.workspace)["Lead"][0] == (*rows[0], "_date_only")
        assert len(rows_of(ledger.workspace, 'Pet\'s "x"__c')) == 5
    with pytest.raises(UsageError, match="question mark"):
        Ledger(tmp_path / "why?")


def test_accounts_and_findings_of_the_source_are_kept(ledger: Ledger, tmp_path: Path):
    load = staged_load(tmp_path, WEEK[0], {"Lead": leads(3)})
    account = FileAccount("a.zip!Lead.csv", "Lead", 5, 3, 2, tmp_path / "rejected.csv", "cp1252", ("2 rows rejected",))
    finding = Finding("rows-rejected", "warning", "2 rows", "Lead", 2, moves=("volume",), record_ids=("L8", "L9"))
    ledger.load(StagedLoad(load.objects, (account,), load.extracted_at, "", "full", "a.zip", (finding,)))
    assert rows_of(ledger.workspace, "_files") == [
        (1, "a.zip!Lead.csv", "Lead", 5, 3, 2, "cp1252", ["2 rows rejected"])
    ]
    found = rows_of(ledger.workspace, "_findings", "load_id, code, severity, rows, moves, record_ids")
    assert found == [(1, "rows-rejected", "warning", 2, ["volume"], ["L8", "L9"])]


def test_attach_before_any_load_says_what_to_do(ledger: Ledger):
    with pytest.raises(LedgerError, match="leadline import"):
        ledger.attach(duckdb.connect())


def test_attach_is_undone_by_detach(ledger: Ledger, take: Any):
    take(0, {"Lead": leads(3)})
    con = duckdb.connect()
    for _ in range(2):
        ledger.attach(con)
        assert con.execute('SELECT count(*) FROM src."Lead"').fetchone() == (3,)
        with pytest.raises(duckdb.InvalidInputException):
            con.execute("DELETE FROM ledger._loads")
        ledger.detach(con)
    assert con.execute("SELECT count(*) FROM duckdb_views() WHERE schema_name = 'src'").fetchone() == (0,)


def test_views_have_the_promised_columns(ledger: Ledger, take: Any):
    take(0, {"Lead": leads(3), "User": [{"Id": "U1"}]})
    found = {view: rows[0] for view, rows in content(ledger.workspace).items()}
    assert found["Lead"] == ("Id", "Status", "_date_only")
    assert found["Lead__versions"] == ("Id", "Status", "_date_only", "_valid_from", "_valid_to")
    assert found["User"] == ("Id", "_date_only")
    assert found["_loads"] == ("load_id", "extracted_at", "coverage", "loaded_rows")
    assert found["_columns"] == ("object", "column", "kind", "in_newest_load")
    assert found["_gone"] == ("object", "Id", "gone_at")


CHILD = """
import sys, time
from pathlib import Path
from leadline import locks
with locks.writing(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_a_second_writer_is_refused_with_the_name_of_the_first(ledger: Ledger, take: Any):
    take(0, {"Lead": leads(3)})
    with subprocess.Popen(
        [sys.executable, "-c", CHILD, str(ledger.workspace)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
    ) as child:  # fmt: skip
        assert child.stdout is not None
        assert child.stdout.readline() == "held\n"
        for refused in (lambda: take(1, {"Lead": leads(3)}), ledger.loads, ledger.finish_pending):
            with pytest.raises(WriterBusyError, match=rf"process {child.pid} on .* \(-c .*since 20"):
                refused()
        assert len(rows_of(ledger.workspace, "Lead")) == 3
        child.kill()
    assert take(1, {"Lead": leads(3)}).objects[0].unchanged == 3
    assert not (ledger.workspace / locks.HOLDER_FILE).exists()


def test_the_lock_is_one_for_a_thread_and_another_for_the_next(tmp_path: Path):
    refused: list[WriterBusyError] = []

    def other() -> None:
        try:
            with locks.writing(tmp_path):
                """Not reached while the first thread holds it."""
        except WriterBusyError as error:
            refused.append(error)

    with locks.writing(tmp_path), locks.writing(tmp_path):
        thread = threading.Thread(target=other)
        thread.start()
        thread.join()
    assert len(refused) == 1
    assert f"process {os.getpid()} " in str(refused[0])
    other()
    assert len(refused) == 1


def test_a_lock_without_signature_is_a_lock(tmp_path: Path):
    (tmp_path / locks.HOLDER_FILE).write_text("{")
    assert locks.holder(tmp_path) == "another process"


LOADER = """
import sys
from pathlib import Path
from leadline.ledger import Ledger
from tests.ledger_loads import staged_load
folder = Path(sys.argv[1])
print(Ledger(folder / "workspace").load(staged_load(folder / "staged", "2026-01-01", {"Lead": [{"Id": "L1"}]})).rows)
"""


def test_nothing_is_written_outside_the_workspace(tmp_path: Path):
    """In a home and a working folder of its own, which stay empty; a dlt configuration found there has no say."""
    home, work, temporary = tmp_path / "home", tmp_path / "work", tmp_path / "tmp"
    for folder in (home, work, temporary, work / ".dlt"):
        folder.mkdir()
    (work / ".dlt" / "config.toml").write_text('[schema]\nnaming = "snake_case"\n[normalize]\nworkers = "none"\n')
    environment = {
        **os.environ, "HOME": str(home), "TMPDIR": str(temporary), "PYTHONPATH": os.pathsep.join(sys.path),
        "PYTHONDONTWRITEBYTECODE": "1", "XDG_CONFIG_HOME": str(home / "x"),
    }  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-c", LOADER, str(tmp_path)],
        env=environment,
        cwd=work,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "1\n", "")
    assert [path.relative_to(tmp_path) for folder in (home, temporary) for path in folder.rglob("*")] == []
    assert [path.name for path in work.rglob("*")] == [".dlt", "config.toml"]
    kept = sorted(path.name for path in (tmp_path / "workspace").iterdir())
    assert kept == [".writer.lock", "ledger.duckdb", "loads"]


def test_the_kept_load_holds_what_is_needed_to_do_it_again(ledger: Ledger, take: Any):
    take(0, {"Lead": leads(3)}, allow_vanish=True)
    (folder,) = (ledger.workspace / "loads").iterdir()
    assert folder.name.startswith("20260101T060000000000Z-")
    manifest = json.loads((folder / "load.json").read_text())
    assert manifest["allow_vanish"] is True
    assert manifest["objects"][0]["columns"] == {"Id": "id", "Status": "text", "_date_only": "text"}
    assert (
        pq.read_metadata(folder / manifest["objects"][0]["files"][0]["name"]).row_group(0).column(0).compression
        == "ZSTD"
    )
