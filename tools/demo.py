"""`make demo`: a workspace with the demo org, its summary and its report.

What is there already is used again: records are made anew only if the generator or its settings
changed, and the model is built anew only if the program or the configuration changed.

Environment: PEOPLE and SEED of the demo org; SERVE=no ends after the summary.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import webbrowser
from collections.abc import Iterable
from pathlib import Path

from leadline.config import FILE_NAME
from leadline.demo.org import CONFIG_TOML

ROOT = Path(__file__).resolve().parents[1]
PROGRAM = ROOT / "src" / "leadline"
MARKS = ".demo.json"


def fingerprint(files: Iterable[Path], *settings: str) -> str:
    """One hash of the contents of files and of settings."""
    total = hashlib.sha256("\0".join(settings).encode())
    for file in sorted(files):
        total.update(f"\0{file}\0".encode() + (file.read_bytes() if file.is_file() else b""))
    return total.hexdigest()


def leadline(*arguments: str) -> None:
    """One command of the program; ends with its exit code if it fails."""
    run = subprocess.run([sys.executable, "-m", "leadline", *arguments], cwd=ROOT, check=False)
    if run.returncode:
        sys.exit(run.returncode)


def marks_of(workspace: Path) -> dict[str, str]:
    """What the workspace was made from, by part; empty if it was not made here."""
    marks = workspace / MARKS
    return json.loads(marks.read_text()) if marks.is_file() else {}


def mark(workspace: Path, **parts: str) -> None:
    """Remember what parts were made from."""
    (workspace / MARKS).write_text(json.dumps(marks_of(workspace) | parts))


def make_workspace(workspace: Path, people: str, seed: str) -> str:
    """Bring the workspace up to date with the program, doing only what is not done; what it was made from."""
    made = marks_of(workspace)
    if not made and workspace.is_dir() and any(workspace.iterdir()):
        sys.exit(f"{workspace} was not made by `make demo`; move it away, or remove it, and run again.")

    org = fingerprint([*(PROGRAM / "demo").rglob("*.py"), PROGRAM / "schema.py"], people, seed)
    if made.get("org") != org:
        shutil.rmtree(workspace, ignore_errors=True)
        workspace.mkdir(parents=True)
        mark(workspace, org="")
        (workspace / FILE_NAME).write_text(CONFIG_TOML, encoding="utf-8")
        leadline("demo", "--people", people, "--seed", seed, "--out", str(workspace / "export"))
        mark(workspace, org=org)

    program = fingerprint([*PROGRAM.rglob("*.py"), PROGRAM / "report.css", workspace / FILE_NAME], org)
    if made.get("program") != program:
        leadline("import", str(workspace / "export"), "--workspace", str(workspace))
        mark(workspace, program=program)
    return program


def show(page: Path) -> None:
    """Open a page in the browser of the screen; without a screen name the file."""
    screen = sys.platform in {"darwin", "win32"} or os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    opened = bool(screen) and webbrowser.open(page.resolve().as_uri())
    print(f"The report is {'open in your browser: ' if opened else 'at '}{page}")


def main() -> None:
    """Make the workspace, print the summary, open the report."""
    workspace = Path(sys.argv[1] if len(sys.argv) > 1 else "demo-workspace")
    program = make_workspace(workspace, os.environ.get("PEOPLE", "20000"), os.environ.get("SEED", "7"))
    sys.stdout.flush()
    leadline("summary", "--workspace", str(workspace))
    if os.environ.get("SERVE", "yes") != "no":
        page = workspace / "report.html"
        if marks_of(workspace).get("report") != program or not page.is_file():
            leadline("report", "--workspace", str(workspace), "--output", str(page))
            mark(workspace, report=program)
        show(page)


if __name__ == "__main__":
    main()
