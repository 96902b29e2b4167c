"""`leadline paths`: path models on a plain table of paths, or on the closed opportunities of a workspace."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from leadline.cli.options.credit import Scope
from leadline.cli.options.question import AsOf, Drawn, Place
from leadline.errors import UsageError

if TYPE_CHECKING:
    from leadline.path_table import Options
    from leadline.results import Result

_FILE = "The file"
_MODEL = "The model"

PathFile = Annotated[
    Path | None,
    typer.Argument(
        metavar="FILE",
        help="A CSV file with one path per row. Without one: the closed opportunities of the workspace.",
    ),
]
By = Annotated[
    str,
    typer.Option(metavar="DIM", help="Of the workspace: what a state is, campaign_id or a dimension of campaigns."),
]


@dataclass(frozen=True)
class FileOfPaths:
    """How the file holds its paths."""

    path: Annotated[str | None, typer.Option(metavar="COL", help="Column of the paths.", rich_help_panel=_FILE)] = None
    conversions: Annotated[
        str | None,
        typer.Option(metavar="COL", help="Column: how often the path converted.", rich_help_panel=_FILE),
    ] = None
    value: Annotated[
        str | None,
        typer.Option(metavar="COL", help="Column: what its conversions are worth in all.", rich_help_panel=_FILE),
    ] = None
    nulls: Annotated[
        str | None,
        typer.Option(metavar="COL", help="Column: how often the path did not convert.", rich_help_panel=_FILE),
    ] = None
    separator: Annotated[
        str, typer.Option(metavar="TEXT", help="What stands between two states of a path.", rich_help_panel=_FILE)
    ] = " > "
    delimiter: Annotated[
        str, typer.Option(metavar="CHARACTER", help="What stands between two columns.", rich_help_panel=_FILE)
    ] = ","
    encoding: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Encoding of the file. Default: detected.", rich_help_panel=_FILE),
    ] = None
    currency: Annotated[
        str, typer.Option(metavar="CODE", help="Currency of --value; decides its decimals.", rich_help_panel=_FILE)
    ] = ""


@dataclass(frozen=True)
class PathModel:
    """Which model, and what it is told."""

    model: Annotated[
        str,
        typer.Option(
            metavar="NAME,NAME",
            help="first, last, even, even_per_campaign, u_shaped, position, time_decay, markov, shapley_coverage, "
            "shapley_rate.",
            rich_help_panel=_MODEL,
        ),
    ] = "markov"
    order: Annotated[
        int,
        typer.Option(
            min=1, max=9, metavar="K", help="Touches that a state of markov remembers.", rich_help_panel=_MODEL
        ),
    ] = 1
    removal: Annotated[
        Literal["null", "refit"],
        typer.Option(
            help="What removal means to markov. null: paths end where they would enter the state; refit: its touches "
            "are deleted and the chain is counted anew.",
            rich_help_panel=_MODEL,
        ),
    ] = "null"
    value_rule: Annotated[
        Literal["expected", "proportional"],
        typer.Option(
            help="How markov shares the value. expected: by its own removal effects; proportional: by those of conversions.",
            rich_help_panel=_MODEL,
        ),
    ] = "expected"
    ends: Annotated[
        str,
        typer.Option(
            metavar="FIRST,LAST", help="Percent of position for the first and last touch.", rich_help_panel=_MODEL
        ),
    ] = "40,40"
    half_life: Annotated[
        float,
        typer.Option(
            metavar="STEPS", help="Steps back at which the weight of time_decay halves.", rich_help_panel=_MODEL
        ),
    ] = 1.0
    draws: Annotated[
        int,
        typer.Option(
            min=2, metavar="N", help="Orders that shapley_rate draws above 15 states.", rich_help_panel=_MODEL
        ),
    ] = 1_000
    seed: Annotated[
        int, typer.Option(min=0, metavar="N", help="Seed of whatever is drawn.", rich_help_panel=_MODEL)
    ] = 0
    intervals: Annotated[
        bool,
        typer.Option(
            "--intervals",
            help="Bootstrap intervals of share and rank: the paths drawn anew 200 times, 5th to 95th percentile.",
            rich_help_panel=_MODEL,
        ),
    ] = False
    transitions: Annotated[
        bool,
        typer.Option(
            "--transitions",
            help="In place of credit the chain of markov itself: what comes after what, and how paths end.",
            rich_help_panel=_MODEL,
        ),
    ] = False


def paths(
    place: Place,
    source: FileOfPaths,
    asked: PathModel,
    form: Drawn,
    file: PathFile = None,
    by: By = "campaign_id",
    scope: Scope = None,
    as_of: AsOf = None,
) -> None:
    """Path models on a plain table of paths, or on the closed opportunities of the workspace, adding up exactly."""
    from leadline.cli.deliver import deliver, draw

    if asked.transitions and (asked.model != "markov" or asked.intervals):
        raise UsageError("--transitions shows the chain itself; leave out --model and --intervals.")
    if file is not None and (as_of or scope or by != "campaign_id"):
        raise UsageError("--by, --scope and --as-of speak of the opportunities of a workspace; leave out FILE.")
    result = _of_workspace(place, source, asked, by, scope, as_of) if file is None else _of_file(file, source, asked)
    draw(result, form)
    deliver(result, form)


def _of_workspace(
    place: Place, source: FileOfPaths, asked: PathModel, by: str, scope: str | None, as_of: str | None
) -> Result:
    from leadline import workspace
    from leadline.cli.insights import names

    if source != FileOfPaths():
        raise UsageError("Which file? --path, --conversions and what goes with them name columns of FILE.")
    return workspace.open(place.workspace).paths(
        names(asked.model),
        by=by,
        scope=scope,
        options=_options(asked),
        intervals=asked.intervals,
        transitions=asked.transitions,
        as_of=as_of,
    )


def _of_file(file: Path, source: FileOfPaths, asked: PathModel) -> Result:
    from leadline.cli.insights import names
    from leadline.path_table import Columns, paths_of_file

    # A shell hands over two characters where somebody writes a tab as in other languages.
    source = replace(source, delimiter=source.delimiter.replace(r"\t", "\t"))
    if source.path is None or source.conversions is None:
        raise UsageError(_which_columns(file, source))
    return paths_of_file(
        file,
        Columns(source.path, source.conversions, source.value, source.nulls),
        model=names(asked.model),
        separator=source.separator,
        delimiter=source.delimiter,
        encoding=source.encoding,
        currency=source.currency,
        options=_options(asked),
        intervals=asked.intervals,
        transitions=asked.transitions,
    )


def _which_columns(file: Path, source: FileOfPaths) -> str:
    from leadline.path_table import columns_of

    wanted = "Name the columns of the paths and of their conversions: --path COL --conversions COL."
    if not file.is_file():
        return wanted
    names = columns_of(file, source.delimiter, source.encoding)
    return f"{wanted} {file} has {', '.join(names) or 'no columns'}."


def _options(asked: PathModel) -> Options:
    from leadline.path_table import Options

    parts = asked.ends.split(",")
    try:
        first, last = (float(part) / 100 for part in parts)
    except ValueError as fault:
        raise UsageError(f"--ends {asked.ends!r} is not two percentages; write e.g. --ends 40,40.") from fault
    return Options(
        order=asked.order,
        removal=asked.removal,
        value=asked.value_rule,
        first_share=first,
        last_share=last,
        half_life=asked.half_life,
        draws=asked.draws,
        seed=asked.seed,
    )
