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
