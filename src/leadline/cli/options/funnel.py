"""Options of volume, conversion and velocity, and of formulas over them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

import typer

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
