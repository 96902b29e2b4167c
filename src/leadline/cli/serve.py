"""Commands of the dashboard: serve, users."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from leadline.cli.console import say
from leadline.cli.insights import filters
from leadline.cli.options.question import Place
from leadline.errors import DependencyError, UsageError

if TYPE_CHECKING:
    import socket

    from leadline.web.access.accounts import Accounts
    from leadline.web.access.who import Role
    from leadline.web.site import Site
    from leadline.workspace import Workspace

Host = Annotated[
    str,
    typer.Option(metavar="ADDRESS", help="Address to listen on; any other than this machine's own needs a sign-in."),
]
Port = Annotated[int, typer.Option(min=0, max=65535, metavar="N", help="Port to listen on; 0 takes a free one.")]
Browser = Annotated[bool, typer.Option("--open/--no-open", help="Open the dashboard in the browser.")]

Action = Annotated[
    Literal["list", "add", "change", "remove"], typer.Argument(help="What to do: list, add, change, remove.")
]
Name = Annotated[str | None, typer.Argument(help="Name of the account, e.g. an e-mail address.")]
RoleOf = Annotated[
    Literal["viewer", "analyst", "admin"] | None,
    typer.Option("--role", help="viewer reads, analyst also saves and shares, admin also imports. Default: viewer."),
]
Only = Annotated[
    list[str] | None,
    typer.Option(
        metavar="DIM=VALUE",
        help="The account sees only units whose dimension has this value; may be repeated. In a change it takes the "
        "place of all before.",
    ),
]
All = Annotated[bool, typer.Option("--all", help="The account sees all units again.")]
Masked = Annotated[
    bool | None,
    typer.Option(
        "--masked/--not-masked", help="Whether personal data is hidden. Default: as the settings say for the role."
    ),
]
Disabled = Annotated[
    bool | None, typer.Option("--disable/--enable", help="Whether the account is shut; shutting it ends its sessions.")
]
Password = Annotated[
    bool | None,
    typer.Option(
        "--password/--no-password",
        help="Ask for a password. Default: yes for a new account, no in a change; a provider or proxy needs none.",
    ),
]


def serve(place: Place, host: Host = "127.0.0.1", port: Port = 8765, open_: Browser = False) -> None:
    """Show the dashboard in the browser until Ctrl-C; by itself only to this machine, by a link that works once."""
    from leadline import workspace

    found = workspace.open(place.workspace)
    _require_web()
    _serve(found, host, port, open_)


def users(
    place: Place,
    action: Action,
    name: Name = None,
    role: RoleOf = None,
    only: Only = None,
    all_: All = False,
    masked: Masked = None,
    disabled: Disabled = None,
    password: Password = None,
) -> None:
    """Accounts of the dashboard; they are made here and nowhere else."""
    from leadline import workspace

    found = workspace.open(place.workspace)
    _require_web()
    from leadline.web.access.accounts import Accounts
    from leadline.web.access.activity import Activity
    from leadline.web.store import FILE_NAME, Store

    store = Store(found.folder / FILE_NAME)
    try:
        accounts = Accounts(store, tuple(found.settings.serve.masked))
        if action == "list":
            _list(accounts)
            return
        if name is None:
            raise UsageError(f"Name the account: leadline users {action} NAME.")
        records = {} if all_ else filters(only) if only else None
        if action == "add":
            accounts.add(name, role or "viewer", _asked() if password in (None, True) else None, records)
            accounts.change(name, masked=masked, disabled=disabled)
        elif action == "change":
            _change(accounts, name, role, records, masked, disabled, bool(password))
        else:
            accounts.remove(name)
        Activity(store).write("command line", f"account {action}", name=name, role=role)
    finally:
        store.close()


def _change(
    accounts: Accounts,
    name: str,
    role: Role | None,
    records: dict[str, str] | None,
    masked: bool | None,
    disabled: bool | None,
    password: bool,
) -> None:
    asked = _asked() if password else None
    accounts.change(name, role=role, records=records, masked=masked, disabled=disabled, password=asked)


def _list(accounts: Accounts) -> None:
    from leadline.render.present import clean

    for one in accounts.list():
        seen = ", ".join(f"{dimension}={value}" for dimension, value in one["records"].items()) or "all records"
        said = [one["role"], seen, "masked" if one["masked"] else "not masked"]
        said += [] if one["password"] else ["no password"]
        said += ["disabled"] if one["disabled"] else []
        sys.stdout.write(clean(f"{one['name']}: {'; '.join(said)}") + "\n")


def _asked() -> str:
    """A password, typed unseen, or one line of what is piped in."""
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\r\n")
    given: str = typer.prompt("Password", hide_input=True, confirmation_prompt=True)
    return given


def _require_web() -> None:
    """Refuse where the parts of the dashboard are not installed.

    Raises:
        DependencyError: the extra `web` is missing.
    """
    from importlib.util import find_spec

    missing = [
        name for name in ("fastapi", "jinja2", "argon2", "authlib", "babel", "uvicorn") if find_spec(name) is None
    ]
    if missing:
        raise DependencyError(f"The dashboard needs {', '.join(missing)}: pip install 'leadline[web]'.")


def _serve(found: Workspace, host: str, port: int, open_: bool) -> None:
    from leadline.web.serving import listening, provider_of
    from leadline.web.site import Site, require_safe

    settings = found.settings.serve
    require_safe(host, settings)
    socket_ = listening(host, port)
    site = Site(found, settings, socket_.getsockname()[1], provider=provider_of(settings), warm=True)
    address = _address(site, host)
    say(f"Dashboard: {address}")
    if settings.sign_in == "link":
        say("The link opens the door once and for 15 minutes. Ctrl-C ends the server.")
    if open_:
        typer.launch(address)
    _run(site, socket_)


def _address(site: Site, host: str) -> str:
    if site.settings.sign_in == "link":
        return f"http://{'[::1]' if ':' in host else host}:{site.port}/start?code={site.sessions.code()}"
    return site.settings.public_url or f"http://{host}:{site.port}/"


def _run(site: Site, socket_: socket.socket) -> None:
    from leadline.web.serving import run

    run(site, socket_)
