"""Commands about records: make a workspace, import, build, list snapshots, make a demo org."""

from __future__ import annotations

import json
from pathlib import Path

import typer

from leadline.cli.console import progress, say
from leadline.cli.options import (
    DemoFormat,
    Folder,
    Form,
    NoBuild,
    OutFolder,
    Paths,
    People,
    Place,
    PrintSchema,
    Propose,
    Reading,
    Seed,
    Strict,
)


def init(folder: Folder = Path(), propose: Propose = False, schema: PrintSchema = False) -> None:
    """Make an empty workspace, or propose stages for one that has data."""
    if schema:
        from leadline import config

        typer.echo(json.dumps(config.schema(), indent=2))
        return
    from leadline.workspace import Workspace

    if propose:
        found = Workspace(folder).propose()
        for line in found.lines:
            typer.echo(line)
        say(f"Written to {found.path}.")
        return
    workspace = Workspace.create(folder)
    say(f"Made {workspace.folder}. Next: leadline import PATH, with the path of your export.")


def import_(paths: Paths, place: Place, reading: Reading, strict: Strict = False, no_build: NoBuild = False) -> None:
    """Import an export; in an empty folder also make the workspace and propose stages."""
    from leadline.cli.account import show_import
    from leadline.workspace import Workspace

    with progress() as shown:
        report = Workspace.create(place.workspace).sources.import_files(
            *paths,
            date_order=reading.date_order,
            encoding=reading.encoding,
            timezone=reading.timezone,
            extracted_at=reading.extracted_at,
            coverage=None if reading.full is None else "full" if reading.full else "partial",
            allow_vanish=reading.allow_vanish,
            build=not no_build,
            progress=shown,
        )
    show_import(report)
    if strict and report.has_errors:
        raise typer.Exit(3)


def build(place: Place) -> None:
    """Compute the model from the imported records and publish it as a snapshot."""
    from leadline.workspace import Workspace

    with progress() as shown:
        published = Workspace.open(place.workspace).build(progress=shown)
    say(f"Published snapshot {published.id}, as of {published.as_of}.")


def snapshots(place: Place, form: Form) -> None:
    """List the published snapshots: moment, content hash, size."""
    from leadline.cli.deliver import deliver
    from leadline.workspace import Workspace

    deliver(Workspace.open(place.workspace).snapshots.table(), form)


def demo(
    people: People = 20_000, seed: Seed = 7, out: OutFolder = Path("demo-org"), format: DemoFormat = "csv"
) -> None:
    """Make the files of a demo org: the same seed gives the same records."""
    from leadline import demo as org

    with progress() as shown:
        org.generate(people, seed, out, form=format, progress=shown)
    say(f"Made {people:,} people in {out}. Next: leadline import {out}")
