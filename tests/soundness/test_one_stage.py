"""A funnel of one stage, as a first import of leads alone proposes it: nothing converts, and nothing breaks."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from leadline.cli.app import run
from leadline.metrics.rates.conventions import CONVENTIONS
from leadline.workspace import Workspace
from tests.soundness.orgs import FUNNEL, Org, rows
from tests.web.served import Served, served

ONE_STAGE = "\n".join(
    line for line in FUNNEL.splitlines() if not any(f'"{name}"' in line for name in ("MQL", "SAL", "SQL", "Won"))
)
SAID = "Inquiry is the only stage of main, so nothing goes from stage to stage"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    org = Org()
    org.campaign(1)
    for number in (1, 2):
        org.response(number, 1, org.lead(number), "2026-02-01")
    return org.workspace(tmp_path_factory.mktemp("one"), settings=ONE_STAGE)


@pytest.fixture(scope="module")
def site(made: Workspace) -> Iterator[Served]:
    with served(made) as running:
        yield running


def test_both_reached_the_only_stage(made: Workspace) -> None:
    (row,) = rows(made.metrics.volume(view="cohort"))
    assert (row["stage"], row["count"]) == ("Inquiry", 2)


@pytest.mark.parametrize("convention", CONVENTIONS)
@pytest.mark.parametrize("by", [[], ["lead_source"]])
def test_every_convention_has_no_row_and_says_why(made: Workspace, convention: str, by: list[str]) -> None:
    result = made.metrics.conversion(convention=convention, by=by)
    assert rows(result) == []
    assert [note for note in result.notes if note.startswith(SAID)]
    assert result.records().table.num_rows == 0


@pytest.mark.parametrize(
    "command", ["summary", "conversion --matrix", "conversion --problems", "conversion --triangle days"]
)
def test_commands_answer(made: Workspace, command: str) -> None:
    assert run([*command.split(), "--workspace", str(made.folder)]) == 0


@pytest.mark.parametrize("page", ["/", "/funnel", "/funnel?view=standing", "/velocity", "/definitions"])
def test_pages_answer(site: Served, page: str) -> None:
    answer = site.local().get(page)
    assert answer.status_code == 200, answer.text[:2000]
