"""Options of influence and what stands beside it."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

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
