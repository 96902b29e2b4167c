"""What the repository must not hold: names of machines and registries, what commands made, unfinished work."""

from __future__ import annotations

import re
import subprocess
import tomllib
from pathlib import Path

import pytest

from tests.contracts.code import ROOT

# Built from parts, so that these lines do not find themselves.
REGISTRY = re.compile(r"://[a-z.-]*(py" + r"pi|hos" + r"ted|np" + r"m|deb" + r"ian)[a-z]*[.](org|com)")
MACHINE = re.compile(r"(^|[^A-Za-z0-9_.])/(wo" + r"rk|fa" + r"rm|root|home/[a-z]+)/", re.MULTILINE)
GAP = re.compile(r"\b(TO" + r"DO|FIX" + r"ME|XX" + r"X)\b|raise NotImplemented" + r"Error")
MADE = re.compile(r"^(\.venv|demo-workspace|bench-workspace|dist|build)/|__pycache__|\.(pyc|duckdb|sqlite)$|_cache/")
LARGEST = 1_000_000


def repository_files() -> list[str]:
    """Files that are in the repository or would be with the next commit."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()
    return [name for name in listed if (ROOT / name).is_file()]


@pytest.fixture(scope="module")
def texts() -> dict[str, str]:
    """Path → text of every file of ours that is text."""
    found = {}
    for name in repository_files():
        if not MADE.search(name) and (ROOT / name).suffix not in {".png", ".parquet", ".zip", ".gz"}:
            found[name] = (ROOT / name).read_text(encoding="utf-8", errors="replace")
    return found


def lines_with(pattern: re.Pattern[str], texts: dict[str, str]) -> list[str]:
    """`file:line` of every hit."""
    return [
        f"{name}:{text.count(chr(10), 0, hit.start()) + 1}"
        for name, text in texts.items()
        for hit in pattern.finditer(text)
    ]


def test_no_address_of_a_registry(texts: dict[str, str]):
    assert lines_with(REGISTRY, texts) == []


def test_no_path_of_a_machine(texts: dict[str, str]):
    assert lines_with(MACHINE, texts) == []


def test_no_gap_is_left_in_the_code(texts: dict[str, str]):
    assert lines_with(GAP, {name: text for name, text in texts.items() if name.endswith(".py")}) == []


def test_nothing_that_commands_make_is_kept():
    made = [name for name in repository_files() if MADE.search(name)]
    assert not made, f"{len(made)} files, the first: {made[:5]}"


def test_no_large_file():
    large = [name for name in repository_files() if not MADE.search(name) and (ROOT / name).stat().st_size > LARGEST]
    assert not large


def requirement_names(path: Path) -> set[str]:
    """Names that a requirements file pins."""
    return {line.split("==")[0].strip().lower() for line in path.read_text().splitlines() if "==" in line}


@pytest.mark.parametrize("name", ["requirements.txt", "requirements-build.txt", "requirements-dev.txt"])
def test_requirements_are_pinned_and_hashed(name: str):
    entries = re.split(r"\n(?=\S)", (ROOT / name).read_text().strip())
    loose = [entry.splitlines()[0] for entry in entries if "==" not in entry or "--hash=sha256:" not in entry]
    assert not loose


def test_requirements_hold_what_the_project_asks_for():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    pinned = requirement_names(ROOT / "requirements.txt")
    wanted = {re.split(r"[\[<>=~ ;]", one)[0].lower() for one in project["project"]["dependencies"]}
    assert wanted <= pinned
    built = requirement_names(ROOT / "requirements-build.txt")
    assert {re.split(r"[<>=~ ;]", one)[0] for one in project["build-system"]["requires"]} <= built


def test_what_is_tested_is_what_is_shipped():
    """The same version of everything in all three files."""

    def pins(name: str) -> set[str]:
        return {line.rstrip("\\ ") for line in (ROOT / name).read_text().splitlines() if "==" in line}

    tested = pins("requirements-dev.txt")
    assert pins("requirements.txt") <= tested
    assert pins("requirements-build.txt") <= tested


@pytest.mark.parametrize(
    "name", ["README.md", "TENETS.md", "GLOSSARY.md", "CHANGELOG.md", "CONTRIBUTING.md", "LICENSE"]
)
def test_the_documents_of_the_root_are_there(name: str):
    assert len((ROOT / name).read_text()) > 500


def test_the_changelog_says_which_numbers_change():
    assert "numbers that change" in (ROOT / "CHANGELOG.md").read_text().lower()


def test_links_in_the_documents_lead_somewhere(texts: dict[str, str]):
    broken = []
    for name, text in texts.items():
        if name.endswith(".md"):
            for target in re.findall(r"\]\((?!https?:|mailto:|#)([^)#\s]+)", text):
                if not (ROOT / name).parent.joinpath(target).exists():
                    broken.append(f"{name}: {target}")
    assert not broken, "\n".join(broken)
