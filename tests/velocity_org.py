"""Twelve leads whose times can be counted by hand, and a workspace made from them.

Everybody responded on 2026-01-01 and became an MQL on Monday 2026-01-05 at midnight UTC. Leads 1 to
8 became a SAL as many days later as their number; leads 1 to 10 became an opportunity on
2026-02-01. Of these 1 to 5 were won 10, 20, 30, 40 and 50 days after, 6 and 7 lost after 30 and 35;
8 to 10 are open. Leads 11 and 12 still are MQLs on 2026-04-01, the day the org is looked at.
"""

from __future__ import annotations

import datetime as dt
from pathlib import Path

from leadline import workspace
from leadline.dates import parse_as_of
from leadline.workspace import Workspace

LEADS = range(1, 13)
DEALS = range(1, 11)
WON = {1: 10, 2: 20, 3: 30, 4: 40, 5: 50}
LOST = {6: 30, 7: 35}
MQL = dt.datetime(2026, 1, 5, tzinfo=dt.UTC)
CREATED = dt.date(2026, 2, 1)
AS_OF = "2026-04-01T00:00:00Z"

CONFIG = """\
[workspace]
{workspace}
[funnel.main]
stages = [
  {{name = "Inquiry", from = [{{object = "CampaignMember", milestone = "response"}}]}},
  {{name = "MQL", from = [{{object = "Lead", field = "MQL_Date__c", stamp = true}}]}},
  {{name = "SAL", from = [{{object = "Lead", field = "SAL_Date__c", stamp = true}}]}},
  {{name = "SQL", from = [{{object = "Opportunity", milestone = "created"}}]}},
  {{name = "Won", from = [{{object = "Opportunity", milestone = "won"}}]}},
]
[funnel.main.sla_days]
MQL = 3
first-response = 1
[funnel.main.stuck_days]
MQL = 30
SQL = 20
"""


def built(folder: Path, *, settings: str = "", activities: bool = True) -> Workspace:
    """A published workspace below `folder`; `settings` are lines of the table [workspace]."""
    files = folder / "files"
    files.mkdir(parents=True)
    for name, text in _files(activities=activities).items():
        (files / f"{name}.csv").write_text(text, encoding="utf-8")
    made = workspace.create(folder / "workspace")
    (made.folder / "leadline.toml").write_text(CONFIG.format(workspace=settings), encoding="utf-8")
    made.sources.import_files(files, extracted_at=parse_as_of(AS_OF, "UTC"))
    return made


def _lines(*lines: str) -> str:
    return "\n".join(lines) + "\n"


def _files(*, activities: bool) -> dict[str, str]:
    found = {
        "Campaign": _lines("Id,Name,Type,IsActive", "701000000000001AAA,Webinar,Webinar,true"),
        "User": _lines("Id,Name", "005000000000001AAA,Ada Owner"),
        "Lead": _lines(
            "Id,LastName,OwnerId,IsConverted,ConvertedContactId,ConvertedOpportunityId,ConvertedDate,MQL_Date__c,SAL_Date__c,CreatedDate",
            *map(_lead, LEADS),
        ),
        "Contact": _lines(
            "Id,LastName,CreatedDate", *(f"{_id('003', at)},C{at},2026-02-01T00:00:00.000+0000" for at in DEALS)
        ),
        "CampaignMember": _lines(
            "Id,CampaignId,LeadId,HasResponded,FirstRespondedDate,CreatedDate",
            *(
                f"{_id('00v', at)},701000000000001AAA,{_id('00Q', at)},true,2026-01-01,2026-01-01T09:00:00.000+0000"
                for at in LEADS
            ),
        ),
        "Opportunity": _lines(
            "Id,Name,StageName,Amount,IsClosed,IsWon,CloseDate,CreatedDate,OwnerId", *map(_deal, DEALS)
        ),
    }
    return found | (_activities() if activities else {})


def _id(prefix: str, number: int) -> str:
    return f"{prefix}{number:012}AAA"


def _lead(at: int) -> str:
    sal = (MQL + dt.timedelta(days=at)).strftime("%Y-%m-%dT%H:%M:%SZ") if at <= 8 else ""
    deal = f"true,{_id('003', at)},{_id('006', at)},2026-02-01" if at in DEALS else "false,,,"
    return (
        f"{_id('00Q', at)},L{at},005000000000001AAA,{deal},{MQL:%Y-%m-%dT%H:%M:%SZ},{sal},2026-01-01T08:00:00.000+0000"
    )


def _deal(at: int) -> str:
    days = WON.get(at) or LOST.get(at)
    stage, closed, won = ("Closed Won", True, True) if at in WON else ("Closed Lost", True, False)
    if days is None:
        stage, closed, won, days = "Proposal", False, False, 200
    date = CREATED + dt.timedelta(days=days)
    flags = f"{str(closed).lower()},{str(won).lower()}"
    return f"{_id('006', at)},D{at},{stage},{at * 100},{flags},{date},2026-02-01T00:00:00.000+0000,005000000000001AAA"


def _activities() -> dict[str, str]:
    """Leads 1 to 8: a task after as many hours; 9: a task done that day, without an hour; 10: an event after
    two days; 11: a task before; 12: a task that is still open."""
    hours = [
        f"{_id('00T', at)},{_id('00Q', at)},Completed,true,,{MQL + dt.timedelta(hours=at):%Y-%m-%dT%H:%M:%S.000+0000}"
        for at in range(1, 9)
    ]
    return {
        "Task": _lines(
            "Id,WhoId,Status,IsClosed,ActivityDate,CompletedDateTime",
            *hours,
            f"{_id('00T', 9)},{_id('00Q', 9)},Completed,true,2026-01-05,",
            f"{_id('00T', 11)},{_id('00Q', 11)},Completed,true,2026-01-03,2026-01-03T10:00:00.000+0000",
            f"{_id('00T', 12)},{_id('00Q', 12)},Not Started,false,2026-01-06,",
        ),
        "Event": _lines(
            "Id,WhoId,Subject,StartDateTime", f"{_id('00U', 10)},{_id('00Q', 10)},Call,2026-01-07T00:00:00.000+0000"
        ),
    }
