"""`make screenshots`: what the terminal shows, as SVG pictures for the README.

The commands run on a pseudo-terminal, so that the pictures are what a person sees.
"""

from __future__ import annotations

import io
import os
import pty
import re
import subprocess
import sys
from pathlib import Path

from rich.console import Console
from rich.terminal_theme import TerminalTheme
from rich.text import Text

WIDTH = 100
COMMANDS = {"summary": ["summary"]}

LIGHT = TerminalTheme(
    (252, 252, 250),
    (36, 41, 47),
    [
        (36, 41, 47),
        (176, 36, 48),
        (26, 110, 62),
        (140, 92, 0),
        (20, 90, 170),
        (116, 62, 150),
        (0, 110, 120),
        (110, 118, 129),
    ],
    [
        (87, 96, 106),
        (200, 40, 54),
        (30, 130, 74),
        (160, 105, 0),
        (30, 105, 190),
        (135, 75, 170),
        (0, 128, 140),
        (36, 41, 47),
    ],
)

# Without the web fonts of the usual template: a picture in a repository fetches nothing.
FORMAT = """<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {terminal_height}" role="img">
<title>TITLE</title>
<style>
.{unique_id}-matrix {{ font-family: ui-monospace, "DejaVu Sans Mono", Menlo, Consolas, monospace;
  font-size: {char_height}px; line-height: {line_height}px; }}
{styles}
</style>
<rect width="100%" height="100%" rx="8" fill="#fcfcfa" stroke="#d0d7de"/>
<g transform="translate({terminal_x}, 8)">
{backgrounds}
<g class="{unique_id}-matrix">
{matrix}
</g>
</g>
</svg>
"""


def on_terminal(command: list[str]) -> str:
    """What a command writes to a terminal of WIDTH columns, escape codes included."""
    ours, theirs = pty.openpty()
    environment = {
        **os.environ,
        "COLUMNS": str(WIDTH),
        "LINES": "60",
        "TERM": "xterm-256color",
        "COLORTERM": "truecolor",
    }
    environment.pop("NO_COLOR", None)
    with subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=subprocess.PIPE, env=environment) as process:
        os.close(theirs)
        pieces = []
        while True:
            try:
                piece = os.read(ours, 65536)
            except OSError:  # how Linux says that the other end is closed
                break
            if not piece:
                break
            pieces.append(piece)
        os.close(ours)
    if process.returncode:
        sys.exit(f"{' '.join(command)} ended with {process.returncode}")
    return b"".join(pieces).decode("utf-8").replace("\r\n", "\n")


def picture(shown: str, title: str) -> str:
    """The text of a terminal as SVG."""
    console = Console(record=True, width=WIDTH, file=io.StringIO(), force_terminal=True, color_system="truecolor")
    # A line more than is shown, because the picture is as high as all lines but the last.
    console.print(Text.from_ansi(shown.strip("\n") + "\n"))
    svg = console.export_svg(title=title, theme=LIGHT, code_format=FORMAT.replace("TITLE", title), unique_id="leadline")
    svg = re.sub(r' clip-path="url\([^)]*\)"', "", svg)
    svg = re.sub(r"<text [^>]*>\s*</text>", "", svg)
    return re.sub(r"[ \t]+$", "", svg, flags=re.MULTILINE)


def main() -> None:
    """Write one picture per command into a folder."""
    workspace, folder = sys.argv[1], Path(sys.argv[2])
    folder.mkdir(parents=True, exist_ok=True)
    for name, arguments in COMMANDS.items():
        shown = on_terminal([sys.executable, "-m", "leadline", *arguments, "--workspace", workspace])
        (folder / f"{name}.svg").write_text(picture(shown, f"leadline {name}"), encoding="utf-8")


if __name__ == "__main__":
    main()
