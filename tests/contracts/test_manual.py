"""The manual is tested: whatever the program has stands in it, under a heading of its own."""

from __future__ import annotations

import ast
import re
import typing
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import typer.main

from leadline import findings
from leadline.audit import registry
from leadline.cli import goals, insights
from leadline.cli.app import app
from leadline.metrics import dimensions as metric_dimensions
from leadline.metrics.targets import reverse
from leadline.model import catalogue, dimensions
from leadline.snapshots import content
from tests.contracts.code import ROOT
from tools import manual

DOCS = ROOT / "docs"
# Typer brings its own copy of Click, whose classes have no public name: they are known by what they have.
COMMANDS: dict[str, Any] = vars(typer.main.get_command(app))["commands"]


@cache
def page(name: str) -> str:
    """Text of a page of the manual."""
    return (DOCS / name).read_text(encoding="utf-8")


def headings(text: str) -> set[str]:
    """Headings of a page without marks: `## `--by`` is "--by"."""
    return {line.lstrip("# ").replace("`", "").strip() for line in text.splitlines() if line.startswith("#")}


def section(text: str, heading: str) -> str:
    """What stands under a heading, up to the next one of its level or above; empty if there is none."""
    lines = text.splitlines()
    for number, line in enumerate(lines):
        level = len(line) - len(line.lstrip("#"))
        if level and line.lstrip("# ").replace("`", "").strip() == heading:
            end = next(
                (n for n in range(number + 1, len(lines)) if re.match(rf"#{{1,{level}}} ", lines[n])), len(lines)
            )
            return "\n".join(lines[number:end])
    return ""


def test_sections_are_found():
    text = "# a\nx\n## `b`\ny\n### c\nz\n## d\n"
    assert section(text, "b") == "## `b`\ny\n### c\nz"
    assert section(text, "e") == ""
    assert headings(text) == {"a", "b", "c", "d"}


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_every_command_is_in_the_manual(name: str):
    assert section(page("cli.md"), f"leadline {name}"), f"docs/cli.md has no heading `leadline {name}`"


OPTIONS = [
    pytest.param(name, option, id=f"{name}{option}")
    for name, command in sorted(COMMANDS.items())
    for parameter in command.params
    if parameter.param_type_name == "option" and not parameter.hidden
    for option in [*parameter.opts, *parameter.secondary_opts]
    if option.startswith("--")
]


@pytest.mark.parametrize(("command", "option"), OPTIONS)
def test_every_option_is_in_the_manual(command: str, option: str):
    assert re.search(rf"(?<![\w-]){re.escape(option)}(?![\w-])", section(page("cli.md"), f"leadline {command}"))


def test_every_option_says_what_it_does():
    silent = [
        f"{name} {parameter.opts[0]}"
        for name, command in COMMANDS.items()
        for parameter in command.params
        if not (getattr(parameter, "help", "") or "").strip()
    ]
    assert not silent


@pytest.mark.parametrize("name", sorted(manual.PAGES))
def test_pages_made_from_the_program_are_up_to_date(name: str):
    assert page(name) == manual.PAGES[name](), "run: make manual"


def test_every_table_is_in_the_manual():
    assert {info.name for info in (*catalogue.PUBLISHED, *catalogue.EXTRA)} <= headings(page("tables.md"))


def test_what_stands_beside_the_model_is_no_content():
    assert {info.name for info in catalogue.EXTRA} == content.BESIDE


METRIC_COMMANDS = ("volume", "conversion", "velocity", "influence", "goals")


def choices(metric: str) -> list[tuple[str, str]]:
    """Parameter and value for every choice among names that this metric alone has."""
    hints = typing.get_type_hints(getattr(goals if metric == "goals" else insights, metric))
    return [(name, value) for name, hint in hints.items() for value in literals(hint)]


def literals(hint: Any) -> list[str]:
    """The values of a Literal, also inside a union."""
    if typing.get_origin(hint) is typing.Literal:
        return [str(one) for one in typing.get_args(hint)]
    return [value for part in typing.get_args(hint) for value in literals(part)]


@pytest.mark.parametrize("metric", METRIC_COMMANDS)
def test_every_metric_has_its_page_with_what_it_shows_and_how_to_read_it(metric: str):
    there = headings(page(f"metrics/{metric}.md"))
    for wanted in ("What it answers", "How it is counted", "Columns", "How to read it", "What to do", "Limits"):
        assert wanted in there, f"docs/metrics/{metric}.md has no heading {wanted!r}"


CHOICES = [
    pytest.param(metric, option, value, id=f"{metric}-{option}={value}")
    for metric in METRIC_COMMANDS
    for option, value in choices(metric)
]


@pytest.mark.parametrize(("metric", "option", "value"), CHOICES)
def test_every_choice_of_a_metric_is_explained(metric: str, option: str, value: str):
    assert value in headings(page(f"metrics/{metric}.md")), f"docs/metrics/{metric}.md explains no {option} {value}"


def test_every_page_can_be_found_from_the_index():
    pages = {path.relative_to(DOCS).as_posix() for path in DOCS.rglob("*.md")} - {"README.md"}
    linked = set(re.findall(r"\]\(([^)#]+\.md)", page("README.md")))
    linked |= {
        (Path(one).parent / target).as_posix()
        for one in linked
        if (DOCS / one).is_file()
        for target in re.findall(r"\]\(([^)#:]+\.md)", page(one))
    }
    missing = sorted(one for one in pages if one not in linked and not one.startswith("decisions/"))
    assert not missing, f"docs/README.md leads to none of these: {missing}"


@pytest.mark.parametrize("metric", METRIC_COMMANDS)
def test_every_column_of_a_metric_is_explained(metric: str):
    columns = import_module(f"leadline.metrics.{metric}").COLUMNS
    listed = section(page(f"metrics/{metric}.md"), "Columns")
    missing = [column.name for column in columns if f"`{column.name}`" not in listed]
    assert not missing, f"docs/metrics/{metric}.md explains no column {missing}"
    assert not [column.name for column in columns if not column.help.strip()]


def test_every_column_of_the_way_back_from_revenue_is_explained():
    listed = section(page("metrics/goals.md"), "Backwards from revenue")
    assert [column.name for column in reverse.COLUMNS if f"`{column.name}`" not in listed] == []


@pytest.mark.parametrize("code", sorted(registry.BY_CODE))
def test_every_check_has_its_page(code: str):
    text = page(f"checks/{code}.md")
    assert code in headings(text)
    assert f"checks/{code}.md" in page("checks.md")
    for metric in registry.BY_CODE[code].moves:
        assert metric in text.lower(), f"docs/checks/{code}.md does not say that it can move {metric}"


@pytest.mark.parametrize("code", sorted(findings.OUTSIDE_AUDIT))
def test_every_finding_outside_the_audit_has_its_page(code: str):
    text = page(f"checks/{code}.md")
    assert {code, "What it means", "Numbers it moves", "Severity", "Remedy"} <= headings(text)
    assert f"| [{code}](checks/{code}.md) | {findings.OUTSIDE_AUDIT[code]} |" in page("checks.md")


def test_no_page_of_a_check_is_left_over():
    assert {path.stem for path in (DOCS / "checks").glob("*.md")} == {*registry.BY_CODE, *findings.OUTSIDE_AUDIT}


def codes_in(path: Path) -> list[str | None]:
    """The code of each finding a module makes: the text given first or as code; None for one passed on."""
    calls = [node for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(node, ast.Call)]
    made = [call for call in calls if ast.unparse(call.func).rpartition(".")[2] in ("Finding", "_finding")]
    given = [[*(one.value for one in call.keywords if one.arg == "code"), *call.args][:1] for call in made]
    return [
        str(one[0].value) if one and isinstance(one[0], ast.Constant) and isinstance(one[0].value, str) else None
        for one in given
    ]


PASSED_ON = {
    "audit/run.py",  # rows of findings that checks of the registry or others made
    "ledger/columns.py",  # its own helper, called with the codes
    "ledger/kept.py",  # read back from a kept load
    "workspace/audit.py",  # read back from a snapshot
    "web/pages/trust.py",  # read back from a snapshot
    "workspace/building.py",  # read back from the ledger
}
"""Modules that hand on findings made elsewhere."""


def test_every_code_the_program_can_emit_is_known():
    root = ROOT / "src" / "leadline"
    found = {path.relative_to(root).as_posix(): codes_in(path) for path in root.rglob("*.py")}
    made = {code for codes in found.values() for code in codes if code is not None}
    assert made == set(findings.OUTSIDE_AUDIT)
    assert {name for name, codes in found.items() if None in codes} == PASSED_ON


def test_every_dimension_is_in_the_manual():
    known = [*dimensions.BUILT_IN, *metric_dimensions.CAMPAIGN, *metric_dimensions.WRITTEN]
    missing = [name for name in known if f"`{name}`" not in page("dimensions.md")]
    assert not missing
