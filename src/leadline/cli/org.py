"""Commands about the live org: connect, pull, doctor."""

from __future__ import annotations

import json
import shlex
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from leadline.cli.console import progress, say, stdout
from leadline.cli.options.question import Place
from leadline.cli.options.source import NoBuild, Strict
from leadline.errors import UsageError

if TYPE_CHECKING:
    from leadline.sources.salesforce.doctor import Examination
    from leadline.sources.salesforce.vault import Secret
    from leadline.workspace.org import PullReport

Flow = Literal["jwt", "client", "refresh"]
SecretPlace = Literal["keyring", "file"]

Domain = Annotated[
    str, typer.Option(metavar="HOST", help="production, sandbox, or the My Domain, e.g. mycompany.my.salesforce.com.")
]
ClientId = Annotated[str, typer.Option(metavar="KEY", help="Consumer key of the app in the org.")]
FlowOf = Annotated[
    Flow, typer.Option(help="Kind of login: jwt (a key of your own), client (client credentials), refresh (a token).")
]
UserName = Annotated[str | None, typer.Option("--user", metavar="NAME", help="Name of the integration user (jwt).")]
KeyFile = Annotated[
    Path | None, typer.Option(metavar="FILE", help="Private key in PEM form that only you can read (jwt).")
]
SecretsIn = Annotated[
    SecretPlace | None,
    typer.Option("--secrets", help="Where secrets are kept. Default: the keyring if there is one, else a file."),
]
ObjectNames = Annotated[
    str, typer.Option("--objects", metavar="NAME,NAME", help="Only these objects. Default: all that can be seen.")
]
FullPull = Annotated[bool, typer.Option("--full", help="Read everything whole instead of the changes.")]
AcceptChanges = Annotated[
    bool, typer.Option("--accept-changes", help="Go on where fields or objects vanished or changed their type.")
]
AllowVanish = Annotated[bool, typer.Option("--allow-vanish", help="Accept that many known records are gone.")]
Schedule = Annotated[
    bool, typer.Option("--schedule", help="Print the lines for cron and systemd that pull every night, and end.")
]
Record = Annotated[
    Path | None, typer.Option(metavar="FILE", help="Keep the org's answers in this file, with all values masked.")
]
DoctorFormat = Annotated[Literal["table", "json"], typer.Option("--format", help="Form of the result.")]


def connect(
    place: Place,
    client_id: ClientId,
    flow: FlowOf = "jwt",
    domain: Domain = "production",
    user: UserName = None,
    key_file: KeyFile = None,
    secrets: SecretsIn = None,
) -> None:
    """Set up the login of a live org and try it; secrets are asked for, never given as options."""
    from leadline import workspace
    from leadline.sources.salesforce import hosts, vault

    hosts.login_address(domain)
    given = {"domain": domain, "flow": flow, "client_id": client_id}
    given["secrets"] = secrets or ("keyring" if vault.has_keyring() else "file")
    if flow == "jwt":
        if user is None or key_file is None:
            raise UsageError("The login jwt needs --user NAME and --key-file FILE.")
        given |= {"user": user, "key_file": str(key_file.resolve())}
    org, identity = workspace.create(place.workspace).org.connect(given, _asked(flow))
    say(f"Connected to org {org} as user {identity}. Next: leadline doctor, then leadline pull")


def pull(
    place: Place,
    objects: ObjectNames = "",
    full: FullPull = False,
    accept_changes: AcceptChanges = False,
    allow_vanish: AllowVanish = False,
    schedule: Schedule = False,
    no_build: NoBuild = False,
    strict: Strict = False,
) -> None:
    """Read what changed in the live org since the last pull, and publish a snapshot of it."""
    if schedule:
        sys.stdout.write(_schedule(place.workspace.resolve()))
        return
    from leadline import workspace
    from leadline.sources.salesforce.pull import Asked

    asked = Asked(_names(objects), full=full, accept_changes=accept_changes, allow_vanish=allow_vanish)
    with progress() as shown:
        report = workspace.open(place.workspace).org.pull(asked, build=not no_build, progress=shown)
    _show_pull(report)
    if strict and report.load.has_errors:
        raise typer.Exit(3)


def doctor(place: Place, record: Record = None, format: DoctorFormat = "table") -> None:
    """Tell what the integration user can and cannot see in the live org; changes nothing."""
    from leadline import workspace

    found = workspace.open(place.workspace).org.doctor(record)
    if format == "json":
        sys.stdout.write(json.dumps(asdict(found), indent=2) + "\n")
    else:
        _show_examination(found)
    if record is not None:
        say(f"Masked recording: {record}")


def _asked(flow: Flow) -> dict[str, Secret]:
    """The secrets a login needs, from the terminal without echo, or a line each from a pipe."""
    from leadline.sources.salesforce.grants import CLIENT_SECRET, REFRESH_TOKEN
    from leadline.sources.salesforce.vault import Secret

    needed = {"jwt": (), "client": (CLIENT_SECRET,), "refresh": (REFRESH_TOKEN, CLIENT_SECRET)}[flow]
    secrets = {}
    for name in needed:
        optional = flow == "refresh" and name == CLIENT_SECRET
        text = _hidden_line(f"{name.replace('_', ' ')}{' (empty if the app has none)' if optional else ''}")
        if not text and not optional:
            raise UsageError(f"The login needs the {name.replace('_', ' ')}: type it, or pipe it in as a line.")
        if text:
            secrets[name] = Secret(text)
    return secrets


def _hidden_line(prompt: str) -> str:
    if sys.stdin.isatty():
        import getpass

        return getpass.getpass(f"{prompt}: ").strip()
    return sys.stdin.readline().strip()


def _names(objects: str) -> tuple[str, ...]:
    from leadline.errors import UnknownNameError
    from leadline.schema import OBJECTS

    names = tuple(dict.fromkeys(one.strip() for one in objects.split(",") if one.strip()))
    folded = {one.casefold(): one for one in OBJECTS}
    for name in names:
        if name.casefold() not in folded:
            raise UnknownNameError("object", name, OBJECTS)
    return tuple(folded[one.casefold()] for one in names)


def _show_pull(report: PullReport) -> None:
    from rich import box
    from rich.table import Table

    from leadline.cli.account import show_import

    show_import(report.load)
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, header_style="dim")
    for name in ("object", "read as", "expected", "rows", "seconds", "rows/s", "API calls"):
        table.add_column(name, justify="left" if name in ("object", "read as") else "right")
    for one in report.readings:
        kind = f"{'all' if one.plan.whole else 'changes'}, {one.method}"
        counted = "–" if one.expected is None else f"{one.expected:,}"
        table.add_row(
            one.plan.name, kind, counted, f"{one.rows:,}", f"{one.seconds:.1f}", f"{one.rate:,.0f}", f"{one.calls:,}"
        )
    stdout().print(table)
    usage = report.usage
    if report.resumed:
        say("Went on with a pull that was cut short.")
    if usage.limit is not None and usage.used is not None:
        before = f"{report.used_before:,} before" if report.used_before is not None else "unknown before"
        say(
            f"API calls of the org's day: {before}, {usage.used:,} now, of {usage.limit:,}; {usage.own:,} by this pull."
        )


def _show_examination(found: Examination) -> None:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    from leadline.render.present import clean

    colours = {"confirmed": "green", "refuted": "bold red", "unknown": "yellow"}
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, header_style="dim")
    for name in ("what", "state", "seen", "remedy"):
        table.add_column(name, overflow="fold")
    for one in found.checks:
        told = (Text(clean(text)) for text in (one.seen, one.remedy))
        table.add_row(Text(clean(one.name)), Text(one.state, colours[one.state]), *told)
    stdout().print(table, highlight=False)


def _schedule(folder: Path) -> str:
    program = shlex.join([str(Path(sys.argv[0]).resolve()), "pull", "--workspace", str(folder)])
    log = shlex.quote(str(folder / "pull.log"))
    return (
        f"# cron: crontab -e\n17 3 * * * {program.replace('%', chr(92) + '%')} >> {log} 2>&1\n\n"
        "# systemd: ~/.config/systemd/user/leadline-pull.service\n"
        f"[Unit]\nDescription=Leadline pull\n\n[Service]\nType=oneshot\nExecStart={program.replace('%', '%%')}\n\n"
        "# systemd: ~/.config/systemd/user/leadline-pull.timer\n"
        "[Unit]\nDescription=Leadline pull every night\n\n[Timer]\nOnCalendar=*-*-* 03:17:00\nPersistent=true\n\n"
        "[Install]\nWantedBy=timers.target\n\n"
        "# then: systemctl --user enable --now leadline-pull.timer\n"
    )
