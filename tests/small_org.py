"""A small export of an org, and a workspace made from it once per process."""

from __future__ import annotations

import functools
from pathlib import Path

from leadline import workspace

FILES = {
    "Campaign.csv": """Id,Name,Type,IsActive
701000000000001AAA,Spring webinar,Webinar,true
701000000000002AAA,Trade show,Event,true
""",
    "Lead.csv": """Id,LastName,Status,IsConverted,ConvertedContactId,ConvertedOpportunityId,ConvertedDate,MQL_Date__c,CreatedDate
00Q000000000001AAA,One,Open,true,003000000000001AAA,006000000000001AAA,2026-02-01,2026-01-10,2026-01-02T09:00:00.000+0000
00Q000000000002AAA,Two,Open,true,003000000000002AAA,006000000000002AAA,2026-02-03,2026-01-12,2026-01-03T09:00:00.000+0000
00Q000000000003AAA,Three,Open,false,,,,2026-01-20,2026-01-04T09:00:00.000+0000
00Q000000000004AAA,Four,Unqualified,false,,,,,2026-01-05T09:00:00.000+0000
00Q000000000005AAA,Five,Working,false,,,,,2026-01-06T09:00:00.000+0000
""",
    "Contact.csv": """Id,LastName,AccountId,CreatedDate
003000000000001AAA,One,001000000000001AAA,2026-02-01T10:00:00.000+0000
003000000000002AAA,Two,001000000000002AAA,2026-02-03T10:00:00.000+0000
""",
    "Account.csv": """Id,Name,Type,CreatedDate
001000000000001AAA,Alpha,Customer,2026-02-01T10:00:00.000+0000
001000000000002AAA,Beta,Prospect,2026-02-03T10:00:00.000+0000
""",
    "CampaignMember.csv": """Id,CampaignId,LeadId,Status,HasResponded,FirstRespondedDate,CreatedDate
00v000000000001AAA,701000000000001AAA,00Q000000000001AAA,Attended,true,2026-01-05,2026-01-02T09:00:00.000+0000
00v000000000002AAA,701000000000001AAA,00Q000000000002AAA,Attended,true,2026-01-06,2026-01-03T09:00:00.000+0000
00v000000000003AAA,701000000000002AAA,00Q000000000003AAA,Visited,true,2026-01-07,2026-01-04T09:00:00.000+0000
00v000000000004AAA,701000000000002AAA,00Q000000000004AAA,Visited,true,2026-01-08,2026-01-05T09:00:00.000+0000
00v000000000005AAA,701000000000002AAA,00Q000000000005AAA,Sent,false,,2026-01-06T09:00:00.000+0000
""",
    "Opportunity.csv": """Id,AccountId,Name,StageName,Amount,IsClosed,IsWon,CloseDate,CreatedDate
006000000000001AAA,001000000000001AAA,Alpha deal,Closed Won,41000,true,true,2026-03-01,2026-02-01T10:00:00.000+0000
006000000000002AAA,001000000000002AAA,Beta deal,Proposal,9000.50,false,false,2026-06-01,2026-02-03T10:00:00.000+0000
""",
    "OpportunityContactRole.csv": """Id,OpportunityId,ContactId,IsPrimary,Role,CreatedDate
00K000000000001AAA,006000000000001AAA,003000000000001AAA,true,Decision Maker,2026-02-01T10:00:00.000+0000
00K000000000002AAA,006000000000002AAA,003000000000002AAA,true,Decision Maker,2026-02-03T10:00:00.000+0000
""",
}
EXTRACTED_AT = "2026-04-01T00:00:00Z"


def write_export(folder: Path) -> Path:
    """The files of the org in a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in FILES.items():
        (folder / name).write_text(text)
    return folder


@functools.cache
def built(folder: Path) -> Path:
    """A workspace below `folder` with the org imported and published; tests only read it."""
    from leadline.dates import parse_as_of

    made = workspace.create(folder / "small" / "workspace")
    made.sources.import_files(write_export(folder / "small" / "export"), extracted_at=parse_as_of(EXTRACTED_AT, "UTC"))
    return made.folder
