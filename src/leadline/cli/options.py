"""Every option of the command line, declared once: parsing, help, manual and errors come from here."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import typer

from leadline.dates import Grain

Unit = Literal["responses", "people", "journeys", "accounts", "opportunities"]
Format = Literal["table", "json", "csv", "parquet", "xlsx"]
DateOrder = Literal["ymd", "dmy", "mdy"]
CloseDate = Literal["history", "field"]

_QUESTION = "The question"
_ANSWER = "The answer"


Where = Annotated[
    list[str] | None,
    typer.Option(
        metavar="DIM=VALUE",
        help="Only units whose dimension has this value (an empty one: no value); may be repeated.",
        rich_help_panel=_QUESTION,
    ),
]
FirstDay = Annotated[
    str | None,
    typer.Option("--from", metavar="DATE", help="First day.", rich_help_panel=_QUESTION),
]
EndDay = Annotated[
    str | None,
    typer.Option("--to", metavar="DATE", help="The day after the last day.", rich_help_panel=_QUESTION),
]
AsOf = Annotated[
    str | None,
    typer.Option(
        metavar="MOMENT",
        help="Count what had happened by then: a date (its end) or an instant. Default: the newest load.",
        show_default=False,
        rich_help_panel=_QUESTION,
    ),
]
UnitOf = Annotated[
    Unit | None,
    typer.Option(
        help="What is counted. Default: journeys where there are people, else opportunities.",
        rich_help_panel=_QUESTION,
    ),
]
FunnelOf = Annotated[
    str | None,
    typer.Option(metavar="NAME", help="Which funnel. Default: the first one.", rich_help_panel=_QUESTION),
]


CloseDateOf = Annotated[
    CloseDate | None,
    typer.Option(
        help="What dates the close of an opportunity: stage history, or the field CloseDate as reports of Salesforce "
        "do. Default: that of the config.",
        show_default=False,
        rich_help_panel=_QUESTION,
    ),
]


@dataclass(frozen=True)
class Place:
    """Which workspace a command works on."""

    workspace: Annotated[
        Path,
        typer.Option("--workspace", metavar="DIR", envvar="LEADLINE_WORKSPACE", help="Folder of the workspace."),
    ] = Path()


@dataclass(frozen=True)
class Question:
    """What a metric is asked: dimensions, filters, time, unit."""

    by: Annotated[
        str,
        typer.Option(metavar="DIM,DIM", help="Split by these dimensions.", rich_help_panel=_QUESTION),
    ] = ""
    where: Where = None
    start: FirstDay = None
    end: EndDay = None
    as_of: AsOf = None
    grain: Annotated[
        Grain | None,
        typer.Option(help="Length of a period; without it one row for all time.", rich_help_panel=_QUESTION),
    ] = None
    unit: UnitOf = None
    funnel: FunnelOf = None
    close_date: CloseDateOf = None
    touched: Annotated[
        bool,
        typer.Option(
            "--touched",
            help="Count a unit under every campaign that touched it: rows overlap and have no total.",
            rich_help_panel=_QUESTION,
        ),
    ] = False
    snapshot: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="Ask a frozen state by its name, or a kept snapshot by its id. Default: the newest.",
            show_default=False,
            rich_help_panel=_QUESTION,
        ),
    ] = None


@dataclass(frozen=True)
class GoalQuestion:
    """Which goals are asked for: their segment, periods, unit, funnel, and the moment to look from."""

    where: Where = None
    start: FirstDay = None
    end: EndDay = None
    as_of: AsOf = None
    unit: UnitOf = None
    funnel: FunnelOf = None
    close_date: CloseDateOf = None


@dataclass(frozen=True)
class Form:
    """In which form a table leaves."""

    format: Annotated[
        Format | None,
        typer.Option(
            help="Form of the result. Default: by the ending of --output, else table.", rich_help_panel=_ANSWER
        ),
    ] = None
    output: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write the result to this file.", rich_help_panel=_ANSWER),
    ] = None
    wide: Annotated[
        bool,
        typer.Option("--wide", help="Every column of the table, however long the lines.", rich_help_panel=_ANSWER),
    ] = False
    machine: Annotated[
        bool,
        typer.Option(
            "--machine",
            help="CSV for programs: texts as they are, without the apostrophe that keeps a spreadsheet from running them.",
            rich_help_panel=_ANSWER,
        ),
    ] = False


@dataclass(frozen=True)
class Drawn(Form):
    """In which form a table leaves that has a chart."""

    chart: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Draw the chart: .png, .svg, .pdf or .html.", rich_help_panel=_ANSWER),
    ] = None


@dataclass(frozen=True)
class Answer(Drawn):
    """In which form a metric leaves: also as a chart, or as the records behind it."""

    list_records: Annotated[
        bool,
        typer.Option("--list", help="The records behind the number, one row per unit.", rich_help_panel=_ANSWER),
    ] = False


@dataclass(frozen=True)
class Reading:
    """How files are read when they are imported."""

    date_order: Annotated[
        DateOrder | None, typer.Option(help="Order of day, month and year where the files leave it open.")
    ] = None
    encoding: Annotated[
        str | None, typer.Option(metavar="NAME", help="Encoding of the files. Default: detected, and said.")
    ] = None
    timezone: Annotated[
        str | None,
        typer.Option(metavar="ZONE", help="Time zone of moments written without one (IANA name). Default: UTC."),
    ] = None
    extracted_at: Annotated[
        str | None,
        typer.Option(
            metavar="MOMENT",
            help="When the records left the org. Default: the newest system stamp in them.",
            show_default=False,
        ),
    ] = None
    full: Annotated[
        bool | None,
        typer.Option(
            "--full/--partial",
            help="Whether a record that is absent was deleted. Default: full for ZIPs and folders, partial for files.",
            show_default=False,
        ),
    ] = None
    allow_vanish: Annotated[
        bool, typer.Option("--allow-vanish", help="Accept a full load that lacks many known records.")
    ] = False


Export = Annotated[
    list[Path],
    typer.Argument(
        metavar="PATH",
        help="A folder, a ZIP archive, or one CSV or Parquet file; several (the ZIPs of a weekly export) are one load.",
    ),
]
Folder = Annotated[Path | None, typer.Argument(metavar="DIR", help="Folder of the workspace; the same as --workspace.")]
Strict = Annotated[bool, typer.Option("--strict", help="End with exit code 3 if a finding has severity error.")]
NoBuild = Annotated[bool, typer.Option("--no-build", help="Only import; publish nothing.")]
Propose = Annotated[
    bool, typer.Option("--propose", help="Look at the imported data and propose stages, beside a config that exists.")
]
PrintSchema = Annotated[
    bool, typer.Option("--schema", help="Print the JSON schema of leadline.toml and do nothing else.")
]
FindingCode = Annotated[str | None, typer.Option("--list", metavar="CODE", help="The records of one finding.")]
FindingsBy = Annotated[
    Literal["owner", "campaign", "month", "written_by"] | None,
    typer.Option(
        "--by",
        help="Records and amount per owner, campaign, month of creation or writer; with --list of one finding only.",
        show_default=False,
    ),
]
Quick = Annotated[
    bool, typer.Option("--quick", help="Without measuring by how much each finding moves the headline numbers.")
]
AcceptedCode = Annotated[str, typer.Argument(metavar="CODE", help="The finding, as `leadline audit` names it.")]
Reason = Annotated[str, typer.Option(metavar="TEXT", help="Why it is accepted.")]
Until = Annotated[
    str,
    typer.Option(metavar="DATE", help="Last day: for loads after it the finding stands among the others again."),
]

View = Annotated[
    Literal["entered", "cohort", "standing"],
    typer.Option(
        help="entered: entries in the period; cohort: of those that opened in it, how many reached each stage; "
        "standing: where units stand at an instant."
    ),
]
PipelineView = Annotated[
    Literal["standing", "movements"],
    typer.Option(
        "--view",
        help="standing: open opportunities and amounts per stage at the end of each period; movements: what changed "
        "them from its start to its end.",
    ),
]
Compare = Annotated[
    str | None,
    typer.Option(
        metavar="previous|last-year|FROM:TO",
        help="Beside each period the count of another one, with the change; a running period over equal elapsed days.",
        show_default=False,
    ),
]
Fates = Annotated[bool, typer.Option("--fates", help="What became of every response; adds up to all of them.")]
NewPeople = Annotated[
    bool, typer.Option("--new", help="Responses of new and of known people; first responses and repeats.")
]
Convention = Annotated[
    Literal["cohort", "eventual", "period", "touched", "in-order", "summary"],
    typer.Option(
        help="cohort: units followed from their first entry; eventual: probability of going on at all; period: entries "
        "of the same period; touched: ever reached, without a window; in-order: no stage skipped; "
        "summary: what a Salesforce report with a summary formula shows."
    ),
]
Matrix = Annotated[bool, typer.Option("--matrix", help="Rates between all stages, and where units went next.")]
Triangle = Annotated[
    Literal["days", "weeks"] | None,
    typer.Option(help="Cumulative rates by start period and age in days or weeks.", show_default=False),
]
CompareRates = Annotated[
    str | None,
    typer.Option(
        "--compare",
        metavar="previous|last-year|FROM:TO",
        help="Why rates changed against another period: mix and rate of each segment of --by.",
        show_default=False,
    ),
]
Problems = Annotated[
    bool,
    typer.Option("--problems", help="Segments that go on less often than the rest, by the wins they cost."),
]
WindowDays = Annotated[
    int | None,
    typer.Option(min=0, metavar="DAYS", help="Days within which a unit must go on. Default: learned from the data."),
]
FromStage = Annotated[str | None, typer.Option(metavar="STAGE", help="Only transitions out of this stage.")]
ToStage = Annotated[str | None, typer.Option(metavar="STAGE", help="Only transitions into this stage.")]
DateField = Annotated[
    str | None,
    typer.Option(
        metavar="DATE",
        help="Of --convention summary, the date that decides a record's period: opened (default), created, closed, "
        "close_date, or a stage for its first entry.",
        show_default=False,
    ),
]
FormulaName = Annotated[
    str | None,
    typer.Argument(metavar="NAME", help="A formula of leadline.toml, or one that Leadline ships. Default: list them."),
]
Expression = Annotated[
    str | None,
    typer.Option(metavar="FORMULA", help="The formula itself, e.g. 'SQL / MQL', in place of a name."),
]
Ranked = Annotated[
    bool,
    typer.Option("--ranked", help="Rows by value, the largest first, with a rank; shares of under 30 units behind."),
]
FormulaOperand = Annotated[
    str | None,
    typer.Option("--operand", metavar="OPERAND", help="With --list, only the records of this part of the formula."),
]
Measure = Annotated[
    Literal["sum", "first", "elapsed", "cycle", "first-response"],
    typer.Option(
        help="sum: days of all visits of a unit in a stage; first: of its first visit; elapsed: from first entry to first "
        "entry further on; cycle: start to close; first-response: to the first completed task or event."
    ),
]
Days = Annotated[
    Literal["calendar", "working"],
    typer.Option("--days", help="Days that count: all, or the working days by the holidays of the config."),
]
ClockStart = Annotated[
    str | None,
    typer.Option(
        "--from-stage", metavar="STAGE", help="Only stages from this one on; where the clock of elapsed starts."
    ),
]
ClockStop = Annotated[
    str | None,
    typer.Option("--to-stage", metavar="STAGE", help="Only stages up to this one; where the clock of elapsed stops."),
]


@dataclass(frozen=True)
class VelocityView:
    """What velocity shows in place of its table; one at a time."""

    stuck: Annotated[
        bool,
        typer.Option(
            "--stuck",
            help="The open records that have stood longer than the stage's limit; with --by their segments against the rest.",
        ),
    ] = False
    distribution: Annotated[
        bool, typer.Option("--distribution", help="The whole curve: who still waits after each time.")
    ] = False
    bottleneck: Annotated[
        bool, typer.Option("--bottleneck", help="Where most of the waiting happens, its money and what drives it.")
    ] = False
    slow: Annotated[
        bool,
        typer.Option(
            "--slow",
            help="Transitions by segment against the rest, the slow ones first. Default of --by: campaign_type.",
        ),
    ] = False
    detours: Annotated[
        bool, typer.Option("--detours", help="Steps back, returns, skipped stages and reopened deals.")
    ] = False


Models = Annotated[
    str | None,
    typer.Option(
        "--model",
        metavar="NAME,NAME",
        help="Credit models; NAME@sourced or NAME@accelerated on that window alone. Default: those of the config.",
    ),
]
ListModels = Annotated[bool, typer.Option("--models", help="List the credit models there are, and do nothing else.")]
OneDeal = Annotated[
    str | None,
    typer.Option(
        "--opportunity", metavar="ID", help="One opportunity: its touches with points by rule and credit by model."
    ),
]
GoalOf = Annotated[
    str,
    typer.Option(
        "--goal",
        metavar="closed|created|STAGE",
        help="Up to when responses count: the close (or as-of), the creation; or a stage that journeys reached, one each.",
    ),
]
Trend = Annotated[
    bool,
    typer.Option("--trend", help="Return of each campaign from month to month: whose money brings less and less."),
]
Match = Annotated[
    str | None,
    typer.Option(
        "--match",
        metavar="DIM,DIM",
        help="What both sides share beside the month of their start. Default: lead_source; none: the month alone.",
        show_default=False,
    ),
]
LandmarkDays = Annotated[
    int, typer.Option("--landmark-days", min=0, metavar="DAYS", help="Days after the start by which a response counts.")
]
LiftDays = Annotated[
    int,
    typer.Option("--window-days", min=1, metavar="DAYS", help="Days after the landmark to enter the stage."),
]
OneModel = Annotated[
    str | None,
    typer.Option(
        "--model",
        metavar="NAME",
        help="One model of ours. Default: salesforce_primary beside Salesforce's rows, else the first of the config.",
        show_default=False,
    ),
]
OrgModel = Annotated[
    str | None,
    typer.Option("--org-model", metavar="NAME", help="The org's influence model. Default: its default one."),
]
OneOpportunity = Annotated[
    str | None, typer.Option("--opportunity", metavar="ID", help="Only the rows of this opportunity.")
]
Top = Annotated[int, typer.Option(min=1, metavar="N", help="At most so many contacts per opportunity.")]
Hierarchy = Annotated[
    Literal["own", "total"],
    typer.Option("--hierarchy", help="own: each campaign by itself; total: with all campaigns below it."),
]
Scope = Annotated[
    Literal["role", "primary role", "account", "account + matched leads"] | None,
    typer.Option(help="Whose responses count for an opportunity. Default: that of the config."),
]
Window = Annotated[
    Literal["influenced", "sourced", "accelerated"],
    typer.Option(help="influenced: all of the window; sourced, accelerated: the part before or after creation."),
]
ShareIntervals = Annotated[
    bool,
    typer.Option(
        "--intervals",
        help="Bootstrap intervals of share and place: opportunities drawn anew 200 times, 5th to 95th percentile.",
    ),
]
CompareModels = Annotated[
    str | None,
    typer.Option(
        "--compare",
        metavar="NAME,NAME",
        help="Credit models side by side: place and credit of each campaign against the first one; --list: the "
        "opportunities that moved most.",
        show_default=False,
    ),
]
Sensitivity = Annotated[
    Literal["look-back", "scope", "undated"] | None,
    typer.Option(
        help="Place and credit of each campaign with other days of look-back, in every scope, or with responses without "
        "a date counted from their member's creation.",
        show_default=False,
    ),
]
DateOf = Annotated[
    Literal["created", "closed"],
    typer.Option("--date", help="Which date of an opportunity decides its period."),
]

Pace = Annotated[
    Literal["workdays", "seasonal"],
    typer.Option(help="What should have come by now: by the working days passed, or as in the periods before."),
]
Template = Annotated[
    bool, typer.Option("--template", help="Print a goals.csv for the funnel, to be filled in, and do nothing else.")
]
Reverse = Annotated[
    str | None,
    typer.Option(
        metavar="AMOUNT",
        help="From revenue back to the responses it needs: an amount, or 'goal' for that of goals.csv.",
    ),
]
PeriodLabel = Annotated[
    str | None,
    typer.Option("--period", metavar="LABEL", help="Period of --reverse, e.g. 2026-Q4. Default: the quarter of as-of."),
]
SetFactors = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="NAME=VALUE",
        help="Another value for a factor of --reverse, e.g. 'MQL>SQL=0.3'; may be repeated.",
    ),
]

People = Annotated[int, typer.Option(min=1, metavar="N", help="How many people the org has.")]
Seed = Annotated[int, typer.Option(metavar="N", help="The same seed gives the same org, to the byte.")]
Plain = Annotated[
    bool, typer.Option("--plain", help="Plant nothing: no campaign, channel or source differs from another by design.")
]
AsOrg = Annotated[
    bool,
    typer.Option(
        "--as-org", help="Then serve them as an org on this machine, to try connect, pull and push; see docs/push.md."
    ),
]
OutFolder = Annotated[Path, typer.Option("--out", metavar="DIR", help="Folder for the files.")]
DemoFormat = Annotated[Literal["csv", "parquet", "export-zip"], typer.Option("--format", help="Form of the files.")]
ReportFile = Annotated[Path, typer.Option("--output", metavar="FILE", help="The page to write.")]
