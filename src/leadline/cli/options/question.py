"""Options that every question and every answer shares."""

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
        list[str] | None,
        typer.Option(metavar="DIM,DIM", help="Split by these dimensions; may be repeated.", rich_help_panel=_QUESTION),
    ] = None
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
    chart_name: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="Which chart of this answer, e.g. waiting of velocity. Default: the usual one.",
            rich_help_panel=_ANSWER,
        ),
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
