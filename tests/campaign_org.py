"""A few campaigns with costs, people and deals, small enough to be worked out by hand.

campaign   cost    days                        parent
A          100     2026-01-01 to 01-03
B           50     2026-02-01 to 02-28         A
C          blank   2026-01-01 to 01-31
D           10     none
E           70     from 2026-05-01, after as-of

deal   amount   created      closed       touches (role scope)
1      300      2026-01-10   won 02-10    A on 01-02, C on 01-05
2       40      2026-02-05   won 03-01    B on 02-03
3      500      2026-02-21   open         B on 02-20
"""

from __future__ import annotations

from pathlib import Path

from leadline import workspace
from leadline.dates import parse_as_of
from leadline.workspace import Workspace

A, B, C, D, E = (f"701{at:012}AAA" for at in range(1, 6))
AS_OF = "2026-04-01"

CONFIG = """
[workspace]
timezone = "UTC"
currency = "USD"

[funnel.main]
stages = [
  { name = "Inquiry", from = [{ object = "CampaignMember", milestone = "response" }] },
  { name = "SQL", from = [{ object = "Opportunity", milestone = "created" }] },
  { name = "Won", from = [{ object = "Opportunity", milestone = "won" }] },
]
"""

FILES = {
    "Campaign.csv": f"""Id,Name,Type,ParentId,StartDate,EndDate,ActualCost
{A},Alpha,Webinar,,2026-01-01,2026-01-03,100
{B},Beta,Webinar,{A},2026-02-01,2026-02-28,50
{C},Gamma,Event,,2026-01-01,2026-01-31,
{D},Delta,Event,,,,10
{E},Epsilon,Event,,2026-05-01,,70
""",
    "Contact.csv": """Id,LastName,CreatedDate
003000000000001AAA,One,2025-12-01T00:00:00Z
003000000000002AAA,Two,2025-12-01T00:00:00Z
003000000000003AAA,Three,2025-12-01T00:00:00Z
""",
    "CampaignMember.csv": f"""Id,CampaignId,ContactId,Status,HasResponded,FirstRespondedDate,CreatedDate
00v000000000001AAA,{A},003000000000001AAA,Responded,true,2026-01-02,2026-01-02T01:00:00Z
00v000000000002AAA,{C},003000000000001AAA,Responded,true,2026-01-05,2026-01-05T01:00:00Z
00v000000000003AAA,{B},003000000000002AAA,Responded,true,2026-02-03,2026-02-03T01:00:00Z
00v000000000004AAA,{B},003000000000003AAA,Responded,true,2026-02-20,2026-02-20T01:00:00Z
""",
    "Opportunity.csv": """Id,Name,StageName,Amount,IsClosed,IsWon,CloseDate,CreatedDate
006000000000001AAA,Deal 1,Closed Won,300,true,true,2026-02-10,2026-01-10T08:00:00Z
006000000000002AAA,Deal 2,Closed Won,40,true,true,2026-03-01,2026-02-05T08:00:00Z
006000000000003AAA,Deal 3,Open,500,false,false,2026-09-01,2026-02-21T08:00:00Z
""",
    "OpportunityContactRole.csv": """Id,OpportunityId,ContactId,IsPrimary,CreatedDate
00K000000000001AAA,006000000000001AAA,003000000000001AAA,true,2026-01-10T08:00:00Z
00K000000000002AAA,006000000000002AAA,003000000000002AAA,true,2026-02-05T08:00:00Z
00K000000000003AAA,006000000000003AAA,003000000000003AAA,true,2026-02-21T08:00:00Z
""",
}


def built(
    folder: Path,
    files: dict[str, str] | None = None,
    *,
    costs: str | None = None,
    config: str = "",
    as_of: str = AS_OF,
) -> Workspace:
    """A workspace of these files.

    Args:
        folder: where to make it.
        files: in place of those of the org, by name.
        costs: text of costs.csv.
        config: more lines of leadline.toml.
        as_of: when the records were taken.
    """
    made = workspace.create(folder / "workspace")
    (made.folder / "leadline.toml").write_text(CONFIG + config, encoding="utf-8")
    if costs is not None:
        (made.folder / "costs.csv").write_text(costs, encoding="utf-8")
    source = folder / "files"
    source.mkdir()
    for name, text in {**FILES, **(files or {})}.items():
        (source / name).write_text(text, encoding="utf-8")
    made.sources.import_files(source, extracted_at=parse_as_of(as_of, "UTC"))
    return made
