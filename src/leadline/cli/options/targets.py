"""Options of goals."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

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
