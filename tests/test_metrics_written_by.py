"""Who wrote a record, and who generated a lead, by hand values on a small org."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from leadline import workspace
from leadline.config import parse
from leadline.dates import parse_as_of
from leadline.workspace import Workspace
from tests import small_org

SYNC, ANN, BOB, GONE = (f"00500000000000{n}AAA" for n in ("1", "2", "3", "9"))
USERS = f"""Id,FirstName,LastName,Username,UserType,Department,UserRoleId
{SYNC},,Marketing Sync,sync@org.example,AutomatedProcess,,
{ANN},Ann,Meyer,ann@org.example,Standard,Field,00E000000000001AAA
{BOB},Bob,Stone,bob@org.example,Standard,Demand,
"""
# Creator of each lead, member and opportunity, in the order of the files.
LEADS = (SYNC, ANN, BOB, GONE, "")
MEMBERS = (SYNC, SYNC, ANN, GONE, BOB)
DEALS = (ANN, BOB)
FUNNEL = """
[funnel.main]
stages = [
  {name = "Inquiry", from = [{object = "CampaignMember", milestone = "response"}]},
  {name = "SQL", from = [{object = "Opportunity", milestone = "created"}]},
]
"""
MAPS = """
[written_by]
AutomatedProcess = "a tool"
"sync@org.example" = "integration"
Standard = "user"
"Bob Stone" = "Bob himself"

[generated_by]
Webinar = "marketing"

[generated_by_role]
00E000000000001AAA = "partner"
Demand = "sales"
"""


def with_creators(text: str, creators: tuple[str, ...]) -> str:
    head, *lines = text.splitlines()
    return (
        "\n".join([f"{head},CreatedById", *(f"{line},{who}" for line, who in zip(lines, creators, strict=True))]) + "\n"
    )


@pytest.fixture(scope="module")
def export(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = small_org.write_export(tmp_path_factory.mktemp("written") / "export")
    for name, creators in (("Lead", LEADS), ("CampaignMember", MEMBERS), ("Opportunity", DEALS)):
        (folder / f"{name}.csv").write_text(with_creators(small_org.FILES[f"{name}.csv"], creators))
    (folder / "User.csv").write_text(USERS)
    return folder


def built(export: Path, settings: str) -> Workspace:
    made = workspace.create(export.parent / f"workspace-{len(settings)}")
    (made.folder / "leadline.toml").write_text(settings)
    made.sources.import_files(export, extracted_at=parse_as_of(small_org.EXTRACTED_AT, "UTC"))
    return made


@pytest.fixture(scope="module")
def plain(export: Path) -> Workspace:
    return built(export, FUNNEL)


@pytest.fixture(scope="module")
def mapped(export: Path) -> Workspace:
    return built(export, FUNNEL + MAPS)


def first_stage(made: Workspace, unit: str, dimension: str, stage: str = "Inquiry") -> dict[str | None, int]:
    rows = made.metrics.volume(view="cohort", unit=unit, by=[dimension]).table.to_pylist()
    return {row[dimension]: row["count"] for row in rows if row["stage"] == stage}


def test_without_a_map_the_writer_is_the_users_name_else_the_id(plain: Workspace) -> None:
    assert first_stage(plain, "responses", "written_by") == {"Marketing Sync": 2, "Ann Meyer": 1, GONE: 1}
    assert first_stage(plain, "opportunities", "written_by", "SQL") == {"Ann Meyer": 1, "Bob Stone": 1}


@pytest.mark.parametrize("unit", ["people", "journeys"])
def test_people_and_journeys_take_the_writer_of_the_earliest_record(plain: Workspace, unit: str) -> None:
    # Lead 1 to 4 responded, each earlier than the contact it became; lead 5 did not.
    assert first_stage(plain, unit, "written_by") == {"Marketing Sync": 1, "Ann Meyer": 1, "Bob Stone": 1, GONE: 1}


def test_the_map_goes_by_name_then_username_then_user_type(mapped: Workspace) -> None:
    assert first_stage(mapped, "responses", "written_by") == {"integration": 2, "user": 1, GONE: 1}
    assert first_stage(mapped, "people", "written_by") == {"integration": 1, "user": 1, "Bob himself": 1, GONE: 1}


def test_the_writer_filters_and_splits_influence(mapped: Workspace) -> None:
    found = mapped.metrics.volume(view="cohort", unit="people", where={"written_by": "Bob himself"})
    assert [row["count"] for row in found.table.to_pylist() if row["stage"] == "Inquiry"] == [1]
    rows = mapped.metrics.influence(models=["even"], by=["written_by"]).table.to_pylist()
    amounts: Counter[str] = Counter()
    for row in rows:
        amounts[row["written_by"]] += sum(row[f"{state}_amount"] for state in ("won", "open", "lost"))
    assert amounts == {"user": 4_100_000, "Bob himself": 900_050}


def test_the_creators_role_speaks_last(mapped: Workspace) -> None:
    # 1 and 2 responded to the webinar; 3 and 4 to the trade show, whose type nothing maps: 3 was made by Bob
    # (department Demand), 4 by somebody the export does not know.
    assert first_stage(mapped, "journeys", "generated_by") == {"marketing": 2, "sales": 1, None: 1}


def test_the_role_of_a_user_wins_over_the_department(export: Path) -> None:
    roles = '[generated_by_role]\n00E000000000001AAA = "partner"\nField = "other"\nDemand = "sales"\n'
    made = built(export, FUNNEL + roles)
    assert first_stage(made, "journeys", "generated_by") == {"partner": 1, "sales": 1, None: 2}


def test_teams_of_roles_are_those_of_the_other_map() -> None:
    with pytest.raises(Exception, match="Did you mean 'marketing'"):
        parse("[generated_by_role]\nDemand = 'markting'\n")
