"""An org of as many responses and deals as a test writes down, each on its day."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from pathlib import Path

from leadline import workspace
from leadline.dates import parse_as_of
from leadline.workspace import Workspace

CONFIG = """
[workspace]
timezone = "UTC"
currency = "USD"
{more}

[funnel.main]
stages = [
  {{ name = "Inquiry", from = [{{ object = "CampaignMember", milestone = "response" }}] }},
  {{ name = "SQL", from = [{{ object = "Opportunity", milestone = "created" }}] }},
  {{ name = "Won", from = [{{ object = "Opportunity", milestone = "won" }}] }},
]
"""
TYPES = ("Webinar", "Event")
Response = tuple[dt.date, str]
"""A day and the type of the campaign."""
Deal = tuple[dt.date, dt.date | None, str]
"""Day of creation, day it was won (None: open), amount."""


def built(
    folder: Path,
    responses: Iterable[Response],
    deals: Sequence[Deal] = (),
    *,
    as_of: str,
    goals: str | None = None,
    more: str = "",
) -> Workspace:
    """A workspace of one lead and journey per response; the deals belong to nobody.

    Args:
        folder: where to make it.
        responses: one per person.
        deals: the opportunities.
        as_of: when the records were taken.
        goals: text of goals.csv.
        more: further lines of [workspace].
    """
    made = workspace.create(folder / "workspace")
    (made.folder / "leadline.toml").write_text(CONFIG.format(more=more))
    if goals is not None:
        (made.folder / "goals.csv").write_text(goals)
    source = folder / "files"
    source.mkdir()
    for name, lines in _files(list(responses), deals).items():
        (source / name).write_text("\n".join(lines) + "\n")
    made.sources.import_files(source, extracted_at=parse_as_of(as_of, "UTC"))
    return made


def _files(responses: Sequence[Response], deals: Sequence[Deal]) -> dict[str, list[str]]:
    campaigns = [f"701{at:012}AAA,{kind} one,{kind},true" for at, kind in enumerate(TYPES, start=1)]
    leads, members = [], []
    for at, (day, kind) in enumerate(responses, start=1):
        leads.append(f"00Q{at:012}AAA,Person {at},Open,false,{day}T01:00:00Z")
        campaign = f"701{TYPES.index(kind) + 1:012}AAA"
        members.append(f"00v{at:012}AAA,{campaign},00Q{at:012}AAA,Responded,true,{day},{day}T01:00:00Z")
    opportunities = [
        f"006{at:012}AAA,Deal {at},{'Closed Won' if won else 'Open'},{amount},{bool(won)},{bool(won)},"
        f"{won or '2030-01-01'},{created}T01:00:00Z"
        for at, (created, won, amount) in enumerate(deals, start=1)
    ]
    return {
        "Campaign.csv": ["Id,Name,Type,IsActive", *campaigns],
        "Lead.csv": ["Id,LastName,Status,IsConverted,CreatedDate", *leads],
        "CampaignMember.csv": ["Id,CampaignId,LeadId,Status,HasResponded,FirstRespondedDate,CreatedDate", *members],
        "Opportunity.csv": ["Id,Name,StageName,Amount,IsClosed,IsWon,CloseDate,CreatedDate", *opportunities],
    }


def workdays_of(first: dt.date, end: dt.date) -> list[dt.date]:
    """Mondays to Fridays in `[first, end)`, by hand."""
    days = [first + dt.timedelta(days=at) for at in range((end - first).days)]
    return [day for day in days if day.weekday() < 5]
