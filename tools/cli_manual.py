"""docs/cli.md: every command and option, made from the program itself.

`python -m tools.cli_manual` writes it; a test holds the page equal to what this makes.
"""

from __future__ import annotations

import typing
from pathlib import Path
from typing import Any

import typer.main

from leadline.cli.app import app

PAGE = Path(__file__).resolve().parents[1] / "docs" / "cli.md"

HEAD = """# The command line

Made from the program by `make manual`; do not edit.

    leadline COMMAND [OPTIONS]

Standard output carries only the result; progress and messages go to standard error.

| exit code | meaning |
| --- | --- |
| 0 | done |
| 1 | the work failed |
| 2 | wrong usage or configuration |
| 3 | done, but a finding has severity error (`--strict`) |

`leadline --help` lists the commands, `leadline COMMAND --help` shows what stands here,
`leadline --version` prints the version.
"""


def page() -> str:
    """The text of docs/cli.md."""
    group: Any = typer.main.get_command(app)
    return "\n".join([HEAD, *(_command(name, command) for name, command in group.commands.items())])


def _command(name: str, command: Any) -> str:
    arguments = [one for one in command.params if not one.opts[0].startswith("--")]
    options = [one for one in command.params if one.opts[0].startswith("--")]
    usage = " ".join(["leadline", name, *(_argument(one) for one in arguments), "[OPTIONS]"])
    lines = [f"## `leadline {name}`", "", " ".join(command.help.split()), "", f"    {usage}", ""]
    if arguments:
        lines += ["| argument | what it is |", "| --- | --- |"]
        lines += [f"| `{_named(one)}` | {_cell(one.help)}{_default(one)} |" for one in arguments]
        lines.append("")
    lines += ["| option | value | what it does |", "| --- | --- | --- |"]
    lines += [f"| {_names(one)} | {_values(one)} | {_cell(one.help)}{_default(one)} |" for one in options]
    return "\n".join([*lines, ""])


def _named(argument: Any) -> str:
    """How an argument is called where it declares nothing."""
    return str(argument.metavar or argument.name.upper())


def _argument(argument: Any) -> str:
    shown = _named(argument) + ("…" if argument.nargs == -1 else "")
    return shown if argument.required else f"[{shown}]"


def _names(option: Any) -> str:
    return ", ".join(f"`{name}`" for name in [*option.opts, *option.secondary_opts])


def _values(option: Any) -> str:
    annotation = option.type_descriptor.annotation
    if typing.get_origin(annotation) is typing.Literal:
        return ", ".join(f"`{choice}`" for choice in typing.get_args(annotation))
    return "" if option.is_flag or option.secondary_opts else f"`{option.metavar or 'NAME'}`"


def _default(parameter: Any) -> str:
    said = []
    if parameter.default not in (None, False, (), [], "") and parameter.show_default:
        said.append(f"Default: `{parameter.default}`.")
    if parameter.envvar:
        said.append(f"Environment: `{parameter.envvar}`.")
    return " " + " ".join(said) if said else ""


def _cell(text: str | None) -> str:
    return (text or "").replace("|", "\\|")


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
