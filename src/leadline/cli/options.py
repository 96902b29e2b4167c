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

_QUESTION = "The question"
_ANSWER = "The answer"


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
    where: Annotated[
        list[str] | None,
        typer.Option(
            metavar="DIM=VALUE",
            help="Only units whose dimension has this value (an empty one: no value); may be repeated.",
            rich_help_panel=_QUESTION,
        ),
    ] = None
    start: Annotated[
        str | None,
        typer.Option("--from", metavar="DATE", help="First day.", rich_help_panel=_QUESTION),
    ] = None
    end: Annotated[
        str | None,
        typer.Option("--to", metavar="DATE", help="The day after the last day.", rich_help_panel=_QUESTION),
    ] = None
    as_of: Annotated[
        str | None,
        typer.Option(
            metavar="MOMENT",
            help="Count what had happened by then: a date (its end) or an instant. Default: the newest load.",
            show_default=False,
            rich_help_panel=_QUESTION,
        ),
    ] = None
    grain: Annotated[
        Grain | None,
        typer.Option(help="Length of a period; without it one row for all time.", rich_help_panel=_QUESTION),
    ] = None
    unit: Annotated[
        Unit | None,
        typer.Option(
            help="What is counted. Default: journeys where there are people, else opportunities.",
            rich_help_panel=_QUESTION,
        ),
    ] = None
    funnel: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Which funnel. Default: the first one.", rich_help_panel=_QUESTION),
    ] = None
    touched: Annotated[
        bool,
        typer.Option(
            "--touched",
            help="Count a unit under every campaign that touched it: rows overlap and have no total.",
            rich_help_panel=_QUESTION,
        ),
    ] = False


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
class Answer(Form):
    """In which form a metric leaves: also as a chart, or as the records behind it."""

    chart: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Draw the chart: .png, .svg, .pdf or .html.", rich_help_panel=_ANSWER),
    ] = None
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
            help="Whether a record that is absent was deleted. Default: full for a ZIP or folder, partial for a file.",
            show_default=False,
        ),
    ] = None
    allow_vanish: Annotated[
        bool, typer.Option("--allow-vanish", help="Accept a full load that lacks many known records.")
    ] = False


Export = Annotated[
    Path,
    typer.Argument(metavar="PATH", help="A folder, a ZIP archive, or one CSV or Parquet file."),
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

View = Annotated[
    Literal["entered", "cohort", "standing"],
    typer.Option(
        help="entered: entries in the period; cohort: of those that opened in it, how many reached each stage; "
        "standing: where units stand at an instant."
    ),
]
Convention = Annotated[
    Literal["cohort", "period"],
    typer.Option(help="cohort: units followed from their first entry; period: entries of the same period."),
]
WindowDays = Annotated[
    int | None,
    typer.Option(min=0, metavar="DAYS", help="Days within which a unit must go on. Default: learned from the data."),
]
FromStage = Annotated[str | None, typer.Option(metavar="STAGE", help="Only transitions out of this stage.")]
ToStage = Annotated[str | None, typer.Option(metavar="STAGE", help="Only transitions into this stage.")]
Measure = Annotated[
    Literal["sum"],
    typer.Option(help="What is measured: sum, the days of all visits of a unit in a stage together."),
]
Stuck = Annotated[bool, typer.Option("--stuck", help="The open records that have stood longer than the stage's limit.")]
Models = Annotated[
    str | None, typer.Option("--model", metavar="NAME,NAME", help="Credit models. Default: those of the config.")
]
Scope = Annotated[
    Literal["role", "primary role", "account"] | None,
    typer.Option(help="Whose responses count for an opportunity. Default: that of the config."),
]
Window = Annotated[
    Literal["influenced", "sourced", "accelerated"],
    typer.Option(help="influenced: all of the window; sourced, accelerated: the part before or after creation."),
]
DateOf = Annotated[
    Literal["created", "closed"],
    typer.Option("--date", help="Which date of an opportunity decides its period."),
]

People = Annotated[int, typer.Option(min=1, metavar="N", help="How many people the org has.")]
Seed = Annotated[int, typer.Option(metavar="N", help="The same seed gives the same org, to the byte.")]
OutFolder = Annotated[Path, typer.Option("--out", metavar="DIR", help="Folder for the files.")]
DemoFormat = Annotated[Literal["csv", "parquet", "export-zip"], typer.Option("--format", help="Form of the files.")]
ReportFile = Annotated[Path, typer.Option("--output", metavar="FILE", help="The page to write.")]
