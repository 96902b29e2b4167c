"""The commands and how they end: 0 done, 1 failed, 2 wrong usage or configuration, 3 done with error findings."""

from __future__ import annotations

import os
import sys
from typing import Annotated

import typer

from leadline.cli import answers, campaigns, data, explaining, formulas, goals, insights, org, paths, push, roles, serve
from leadline.cli.console import say
from leadline.cli.expand import expanded
from leadline.errors import LeadlineError

EPILOG = "Exit codes: 0 done, 1 failed, 2 wrong usage or configuration, 3 done with error findings (--strict)."

app = typer.Typer(
    name="leadline",
    help="Marketing performance from Salesforce records: volume, conversion, velocity, influence.",
    epilog=EPILOG,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

_PANELS = {
    "Records": (data.init, data.import_, data.build, data.snapshots, data.demo),
    "Live org": (org.connect, org.pull, org.doctor, push.push),
    "Insights": (
        insights.volume,
        insights.pipeline,
        insights.conversion,
        insights.velocity,
        insights.influence,
        campaigns.roi,
        campaigns.lift,
        campaigns.salesforce,
        roles.roles,
        formulas.formula,
        goals.goals,
        paths.paths,
    ),
    "Behind the numbers": (
        explaining.explain,
        explaining.journey,
        explaining.opportunity,
        explaining.freeze,
        explaining.diff,
    ),
    "All together": (answers.summary, answers.report, answers.audit, answers.accept),
    "Dashboard": (serve.serve, serve.users),
}

for _panel, _commands in _PANELS.items():
    for _command in _commands:
        app.command(_command.__name__.rstrip("_"), rich_help_panel=_panel)(expanded(_command))


def _version(asked: bool) -> None:
    if asked:
        from importlib.metadata import version

        sys.stdout.write(f"leadline {version('leadline')}\n")
        raise typer.Exit


@app.callback()
def root(
    version: Annotated[
        bool, typer.Option("--version", help="Print the version and end.", is_eager=True, callback=_version)
    ] = False,
) -> None:
    """Marketing performance from Salesforce records: volume, conversion, velocity, influence."""


def run(arguments: list[str] | None = None) -> int:
    """Run one command line and return its exit code."""
    try:
        app(args=arguments, prog_name="leadline")
    except LeadlineError as error:
        say(f"leadline: {error}")
        return error.exit_code
    except BrokenPipeError:
        # The reader (head, less) has what it wanted; Python must not complain while closing stdout.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else 0 if end.code is None else 1
    return 0
