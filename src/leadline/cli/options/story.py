"""Options of the commands behind the numbers; those that metrics share stand in `question`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import typer

_ANSWER = "The answer"


@dataclass(frozen=True)
class StoryForm:
    """In which form an explanation or a story leaves."""

    format: Annotated[
        Literal["text", "json"] | None,
        typer.Option(
            help="Form of the result. Default: by the ending of --output, else text.", rich_help_panel=_ANSWER
        ),
    ] = None
    output: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write the result to this file.", rich_help_panel=_ANSWER),
    ] = None


NumberAddress = Annotated[
    str | None,
    typer.Argument(
        metavar="ADDRESS",
        help="A number: METRIC?by=DIM&where=DIM=VALUE#COLUMN@KEY=VALUE,KEY=VALUE; without '#' the addresses of a table.",
    ),
]
FieldName = Annotated[
    str | None,
    typer.Option("--field", metavar="OBJECT.FIELD", help="What rests on a field, in place of a number."),
]
PersonRecord = Annotated[str, typer.Argument(metavar="PERSON", help="Id of a lead or contact, or an e-mail address.")]
DealRecord = Annotated[str, typer.Argument(metavar="ID", help="Id of the opportunity.")]
FrozenName = Annotated[str, typer.Argument(metavar="NAME", help="What the state is called from now on, e.g. 2026-Q3.")]
FrozenNote = Annotated[str, typer.Option("--note", metavar="TEXT", help="Why it is kept.")]
FrozenSnapshot = Annotated[
    str, typer.Option("--snapshot", metavar="ID", help="Which snapshot: an id or its beginning, current, previous.")
]
StateBefore = Annotated[
    str, typer.Argument(metavar="A", help="The first state: a frozen name, an id or its beginning, current, previous.")
]
StateAfter = Annotated[str, typer.Argument(metavar="B", help="The second state, written likewise.")]
ComparedMetrics = Annotated[
    list[str] | None,
    typer.Option(
        "--metric",
        metavar="ADDRESS",
        help="A table or a number to compare; may be repeated. Default: volume, conversion and influence.",
        show_default=False,
    ),
]
ComparedAsOf = Annotated[
    str | None,
    typer.Option(
        "--as-of",
        metavar="MOMENT",
        help="The moment both states are looked at. Default: that of the first one.",
        show_default=False,
    ),
]
OwnMoments = Annotated[
    bool,
    typer.Option("--own-moments", help="Each state at its own moment; what that changes is a part of its own."),
]
ListedChange = Annotated[bool, typer.Option("--list", help="The records behind the change, step by step.")]
