"""Commands about records: make a workspace, import, build, list snapshots, make a demo org."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import typer

from leadline.cli.console import progress, say
from leadline.cli.options.demo import AsOrg, DemoFormat, OutFolder, People, Plain, Seed
from leadline.cli.options.question import Form, Place, Reading
from leadline.cli.options.source import Export, Folder, NoBuild, PrintSchema, Propose, Strict
from leadline.dates import parse_as_of
from leadline.errors import UsageError


def init(place: Place, folder: Folder = None, propose: Propose = False, schema: PrintSchema = False) -> None:
    """Make an empty workspace, or propose stages for one that has data."""
    if schema:
        from leadline import config

        sys.stdout.write(json.dumps(config.schema(), indent=2) + "\n")
        return
    from leadline import workspace

    chosen = folder or place.workspace
    if not propose:
        made = workspace.create(chosen)
        say(f"Made {made.folder}. Next: leadline import PATH, with the path of your export.")
        return
    proposal, written = workspace.open(chosen).propose()
    sys.stdout.write("\n".join(proposal.found) + "\n")
    say(f"Written: {written}")


def import_(paths: Export, place: Place, reading: Reading, strict: Strict = False, no_build: NoBuild = False) -> None:
    """Import an export; in an empty folder also make the workspace and propose stages."""
    from leadline import workspace
    from leadline.cli.account import show_import

    moment = parse_as_of(reading.extracted_at, reading.timezone or "UTC") if reading.extracted_at else None
    with progress() as shown:
        report = workspace.Workspace(place.workspace).sources.import_files(
            paths,
            date_order=reading.date_order,
            encoding=reading.encoding,
            timezone=reading.timezone,
            extracted_at=moment,
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
    from leadline import workspace

    with progress() as shown:
        published = workspace.open(place.workspace).build(progress=shown)
    again = "was published before: nothing changed" if published.repeated else "is published"
    say(f"Snapshot {published.snapshot.id} {again}.")


def snapshots(place: Place, form: Form) -> None:
    """List the published snapshots: moment, content hash, size."""
    from leadline import workspace
    from leadline.cli.deliver import deliver

    deliver(workspace.open(place.workspace).snapshot_table(), form)


def demo(
    people: People = 20_000,
    seed: Seed = 7,
    out: OutFolder = Path("demo-org"),
    format: DemoFormat = "csv",
    plain: Plain = False,
    as_org: AsOrg = False,
) -> None:
    """Make the files of a demo org: the same seed gives the same records."""
    from leadline.demo import org

    if as_org and format != "csv":
        raise UsageError("--as-org serves files of the form csv; leave --format out.")

    with progress() as shown:
        org.generate(out, people=people, seed=seed, format=format, planted=not plain, progress=shown)
    if as_org:
        _serve_org(out)
        return
    say(f"Made {people:,} people in {out}. Next: leadline import {out}")


def _serve_org(files: Path) -> None:
    """Serve the files as an org until somebody ends it; tells how to connect."""
    import contextlib
    import shlex
    import threading

    from leadline.demo.as_org import serving
    from leadline.sources.salesforce.hosts import TEST_HOST

    with serving(files) as org:
        login = {
            "domain": f"https://{org.host}",
            "client-id": org.client_id,
            "user": org.user,
            "key-file": org.key_file,
        }
        words = shlex.join([word for name, value in login.items() for word in (f"--{name}", str(value))])
        sys.stdout.write(
            f"export {TEST_HOST}={org.host}\nexport SSL_CERT_FILE={shlex.quote(str(org.certificate))}\n"
            f"leadline connect --workspace try-org {words}\nleadline pull --workspace try-org\n"
        )
        sys.stdout.flush()
        say("The demo org is served on this machine until Ctrl-C. Run the lines above in another terminal.")
        with contextlib.suppress(KeyboardInterrupt):
            threading.Event().wait()
