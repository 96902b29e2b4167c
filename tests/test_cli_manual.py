"""docs/cli.md is what the program says of itself."""

from __future__ import annotations

from tools import cli_manual


def test_the_page_is_up_to_date() -> None:
    assert cli_manual.PAGE.read_text(encoding="utf-8") == cli_manual.page(), "run: make manual"


def test_the_page_has_commands_values_and_defaults() -> None:
    page = cli_manual.page()
    assert "## `leadline volume`" in page
    assert "| `--view` | `entered`, `cohort`, `standing` |" in page
    assert "| `--full`, `--partial` |" in page
    assert "Environment: `LEADLINE_WORKSPACE`." in page
    assert "    leadline import PATH… [OPTIONS]" in page
