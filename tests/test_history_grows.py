"""Next week's export adds history: what changed between two imports, and what is gone."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

from leadline import config, workspace
from leadline.model.opened import open_snapshot

SETTINGS = """
[funnel.main]
stages = [
  { name = "Inquiry", from = [{ object = "CampaignMember", milestone = "response" }] },
  { name = "MQL", from = [{ object = "Lead", field = "Status", values = ["MQL"] }] },
  { name = "SQL", from = [{ object = "Opportunity", milestone = "created" }] },
  { name = "Won", from = [{ object = "Opportunity", milestone = "won" }] },
]
"""
LEADS = "Id,LastName,Status,IsConverted,CreatedDate\n"
FIRST, SECOND = dt.datetime(2026, 3, 1, 6, tzinfo=dt.UTC), dt.datetime(2026, 3, 8, 6, tzinfo=dt.UTC)


def lead(number: int, status: str) -> str:
    """A lead that was created in January."""
    return f"00Q00000000000{number}AAA,Person {number},{status},false,2026-01-05T10:00:00.000Z\n"


def test_a_changed_status_is_observed_and_an_absent_lead_is_gone(tmp_path: Path) -> None:
    made = workspace.create(tmp_path / "workspace")
    (made.folder / config.FILE_NAME).write_text(SETTINGS, encoding="utf-8")
    weeks = {FIRST: [lead(1, "Open"), lead(2, "Open")] + [lead(n, "Open") for n in range(3, 10)],
             SECOND: [lead(1, "MQL")] + [lead(n, "Open") for n in range(3, 10)]}  # fmt: skip
    for moment, rows in weeks.items():
        folder = tmp_path / f"{moment:%Y-%m-%d}"
        folder.mkdir()
        (folder / "Lead.csv").write_text(LEADS + "".join(rows), encoding="utf-8")
        report = made.sources.import_files(folder, extracted_at=moment, allow_vanish=True)
    assert report.published is not None
    opened = open_snapshot(report.published.snapshot.path)
    (journey,) = opened.arrow(opened["journeys"]).to_pylist()
    (visit,) = opened.arrow(opened["journey_visits"]).to_pylist()
    assert visit["evidence"] == "observed"
    assert visit["entered_s"] == int(SECOND.timestamp())
    assert journey["person_id"] == "00Q000000000001AAA"
    people = {row["person_id"] for row in opened.arrow(opened["people"]).to_pylist()}
    assert len(people) == 8
    assert "00Q000000000002AAA" not in people


def loaded(tmp_path: Path, weeks: dict[dt.datetime, list[str]]) -> workspace.Workspace:
    """A workspace with one full load of leads per week."""
    made = workspace.create(tmp_path / "workspace")
    (made.folder / config.FILE_NAME).write_text(SETTINGS, encoding="utf-8")
    for moment, rows in weeks.items():
        folder = tmp_path / f"{moment:%Y-%m-%d}"
        folder.mkdir()
        (folder / "Lead.csv").write_text(LEADS + "".join(rows), encoding="utf-8")
        made.sources.import_files(folder, extracted_at=moment)
    return made


def reached(made: workspace.Workspace, as_of: dt.datetime | None) -> set[tuple[str, bool]]:
    """(last digit of the lead, whether the time is known) of every lead that has reached MQL by as-of."""
    opened = open_snapshot(made.snapshots.current().snapshot.path, as_of=as_of)
    rows = opened.arrow(opened["journey_stages"]).to_pylist()
    return {(row["journey_id"][14], row["entered_s"] is not None) for row in rows if row["stage_no"] == 1}


def test_a_present_status_counts_from_the_load_that_shows_it_first(tmp_path: Path) -> None:
    made = loaded(tmp_path, {FIRST: [lead(1, "Open"), lead(2, "MQL"), lead(3, "MQL")]})
    then = reached(made, None)
    assert then == {("2", False), ("3", False)}
    assert reached(made, FIRST - dt.timedelta(days=20)) == set()
    made.sources.import_files(_week(tmp_path, [lead(1, "MQL"), lead(2, "MQL"), lead(3, "Open")]), extracted_at=SECOND)
    # Lead 1 changed between the loads; lead 3 was MQL in the first load, which nothing takes back.
    assert reached(made, None) == {("1", True), ("2", False), ("3", False)}
    assert reached(made, FIRST) == reached(made, SECOND - dt.timedelta(seconds=1)) == then
    assert reached(made, FIRST - dt.timedelta(seconds=1)) == set()


def _week(tmp_path: Path, rows: list[str]) -> Path:
    folder = tmp_path / "next"
    folder.mkdir()
    (folder / "Lead.csv").write_text(LEADS + "".join(rows), encoding="utf-8")
    return folder


def test_a_result_says_what_was_read_at_as_of_and_what_as_known(tmp_path: Path) -> None:
    made = loaded(tmp_path, {FIRST: [lead(1, "Open"), lead(2, "MQL")]})
    assert not [note for note in made.metrics.volume().notes if note.startswith("Read at as-of")]
    (note,) = [text for text in made.metrics.volume(as_of="2026-02-20").notes if text.startswith("Read at as-of")]
    at_as_of, as_known = note.split("; as known at 2026-03-01T06:00:00Z: ")
    assert "Lead.Status" in as_known
    assert "the dates of events" in at_as_of
    made.sources.import_files(_week(tmp_path, [lead(1, "MQL"), lead(2, "MQL")]), extracted_at=SECOND)
    (note,) = [text for text in made.metrics.volume(as_of="2026-03-02").notes if text.startswith("Read at as-of")]
    at_as_of, as_known = note.split("; as known at 2026-03-08T06:00:00Z: ")
    assert "Lead.Status" in at_as_of
    assert "owner" in as_known
    assert "StageName" in as_known
