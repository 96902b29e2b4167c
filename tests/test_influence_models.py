"""Model files of a workspace, and what can be asked of models: listing, windows of their own, goals, one opportunity."""

from __future__ import annotations

from pathlib import Path

import pytest

from leadline import credit_models
from leadline.cli.app import run
from leadline.credit_models.files import read
from leadline.errors import ConfigError, UnknownNameError, UsageError
from leadline.workspace import Workspace
from tests.soundness.orgs import Org, name_of, rows

EVEN = b'kind = "even"\n'


def faults(text: str, name: str = "own") -> list[str]:
    """What a file of that text says is wrong."""
    model, found = read(text.encode(), name, credit_models.load())
    assert (model is None) == bool(found)
    return found


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('kind = "milestons"', "Did you mean 'milestones'?"),
        ("title = 'x'", "kind = (absent): must be one of"),
        ('kind = "touch"', "touch: is required and missing"),
        ('kind = "touch"\ntouch = "frist"', "Did you mean 'first'?"),
        ('kind = "even"\nprr = "touch"', "Did you mean 'per'?"),
        ('kind = "milestones"\nweights = { first = 0 }', "weights.first = 0: must be above 0"),
        ('kind = "milestones"\nweights = { frist = 1 }', "Did you mean 'first'?"),
        ('kind = "milestones"\nweights = {}', "must have at least 1 item"),
        ('kind = "position"\nfirst = 0\nlast = 0\nrest = 0', "rest = 0: must be above 0"),
        ('kind = "decay"\nhalf_life_days = 0', "half_life_days = 0"),
        ('kind = "points"\nrules = [{ on = "status" }]', "give exactly one of points"),
        ('kind = "points"\nrules = [{ on = "recency", points = { a = 1 } }]', "give bands"),
        ('kind = "points"\nrules = [{ on = "role", words = { a = 1 } }]', "give points"),
        ('kind = "points"\nrules = [{ on = "touch", points = { frist = 1 } }]', "Did you mean 'first'?"),
        ('kind = "points"\nrules = [{ on = "status", points = { a = 1000001 } }]', "must lie between"),
        ("kind = ", "is not valid TOML"),
    ],
)
def test_each_fault_says_key_value_and_what_would_be_right(text: str, said: str) -> None:
    (fault,) = faults(text)
    assert said in fault


def test_a_name_that_is_taken_must_say_that_it_replaces() -> None:
    assert "a model 'even' is shipped already" in faults('kind = "even"', "even")[0]
    assert "no model 'evem' to replace. Did you mean 'even'?" in faults('kind = "even"\nreplaces = true', "evem")[0]
    model, found = read(EVEN + b"replaces = true", "even", credit_models.load())
    assert (model is not None, found) == (True, [])
    assert "call the file e.g. u_shape.toml" in faults('kind = "even"', "U-Shape")[0]


def test_every_fault_of_all_files_is_reported_at_once(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text('kind = "even"\nper = "deal"\nx = 1')
    (tmp_path / "b.toml").write_bytes(b"\xff")
    (tmp_path / "even.toml").write_bytes(EVEN)
    with pytest.raises(ConfigError) as caught:
        credit_models.load(tmp_path)
    assert [fault.partition(":")[0] for fault in caught.value.faults] == ["a.toml", "a.toml", "b.toml", "even.toml"]
    assert str(tmp_path) in str(caught.value)


def test_a_folder_that_is_not_there_has_no_models(tmp_path: Path) -> None:
    assert credit_models.load(tmp_path / "models") == credit_models.load()


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """A deal with two touches before its creation and one after, another with one touch after it, and two models of its own."""
    org = Org()
    for number in (1, 2, 3):
        org.campaign(number, Type=("Webinar", "Event", "Email")[number - 1])
    who, other = org.contact(1), org.contact(2)
    for deal, whose, number in ((1, who, 1), (2, other, 2)):
        record = org.deal(deal, "2026-03-01T10:00:00.000Z", "90")
        org.role(number, record, whose, primary=True)
    # A second role of the first person: the larger one counts, or both.
    org.role(3, name_of("Opportunity", 1), who)
    org.rows["OpportunityContactRole"][-1]["Role"] = "Champion"
    for number, day in ((1, "2026-02-01"), (2, "2026-02-10"), (3, "2026-04-01")):
        org.response(number, number, who, day, Status="VP, Sales" if number == 2 else "MVP")
    org.response(4, 1, other, "2026-04-01")
    org.response(5, 2, other, "2024-01-01")
    org.response(6, 3, other, "", FirstRespondedDate="", LastModifiedDate="2026-02-01T09:00:00.000Z")
    workspace = org.workspace(tmp_path_factory.mktemp("models"))
    folder = workspace.folder / "models"
    folder.mkdir()
    (folder / "by_role.toml").write_text(
        'kind = "points"\nroles = "all"\nrules = [\n'
        '  { on = "role", points = { Buyer = 2, Champion = 3 } },\n'
        '  { on = "campaign_type", words = { webinar = -9 }, other = 1 },\n'
        '  { on = "recency", to = "opportunity_creation", bands = [{ up_to_days = 19, points = 4 }] },\n]\n'
    )
    (folder / "even.toml").write_text('kind = "touch"\ntouch = "last"\nreplaces = true\n')
    return workspace


def credits(made: Workspace, model: str, deal: int = 1, **options: str) -> list[int]:
    """Credit of each response of a deal that has one, in order of its id, and what is left."""
    listed = rows(made.metrics.influence(models=[model], **options).records())  # type: ignore[arg-type]
    return [row["credit"] for row in listed if row["opportunity_id"] == name_of("Opportunity", deal)]


def test_models_of_the_workspace_stand_beside_the_shipped_ones(made: Workspace) -> None:
    listed = {row["name"]: row for row in rows(made.metrics.models())}
    assert set(credit_models.load()) | {"by_role"} == set(listed)
    assert (listed["by_role"]["from"], listed["even"]["from"], listed["last"]["from"]) == (
        "models/by_role.toml",
        "models/even.toml",
        "shipped",
    )
    assert credits(made, "even") == [9_000]


def test_rules_add_up_role_by_role_and_never_below_zero(made: Workspace) -> None:
    # Roles 2 + 3. Webinar: 5 − 9, nothing. Event 19 days before the creation: 5 + 1 + 4. Email after it: 5 + 1.
    assert credits(made, "by_role") == [5_625, 3_375]
    told = [
        row for row in rows(made.metrics.deal_credit(name_of("Opportunity", 1), models=["by_role"])) if row["model"]
    ]
    assert [(row["points"], row["why"]) for row in told] == [(0, "no points"), (10, None), (6, None)]
    assert told[1]["rules"] == "role +5, campaign_type +1, recency +4"


def test_a_model_on_one_window_alone(made: Workspace) -> None:
    assert credits(made, "position@sourced") == [4_500, 4_500]
    assert credits(made, "position@accelerated") == [9_000]
    assert credits(made, "position", window="sourced") == [3_600, 1_800, 3_600]
    (total,) = made.metrics.influence(models=["position@sourced"]).totals
    assert (total["window"], total["credited_amount"], total["unattributed"]) == (
        "sourced",
        9_000,
        {"no response in window": 9_000},
    )


def test_the_creation_as_goal_leaves_out_what_came_later(made: Workspace) -> None:
    assert credits(made, "last", goal="created") == [9_000]
    result = made.metrics.influence(models=["full_path"], goal="created")
    (total,) = result.totals
    # Both milestones of the first deal are there: first and opportunity creation; nothing waits for the close.
    assert (total["credited_amount"], total["pending_amount"], result.filters["goal"]) == (9_000, 0, "created")
    assert credits(made, "full_path", goal="created") == [4_500, 4_500]


def test_one_opportunity_says_why_responses_got_nothing(made: Workspace) -> None:
    result = made.metrics.deal_credit(name_of("Opportunity", 2), models=["first"])
    reasons = {row["response_id"]: row["why"] for row in rows(result)}
    assert reasons == {
        name_of("CampaignMember", 4): None,
        name_of("CampaignMember", 5): "before the look-back",
        name_of("CampaignMember", 6): "no date",
    }
    (early,) = [
        row
        for row in rows(made.metrics.deal_credit(name_of("Opportunity", 2), models=["first"], goal="created"))
        if row["response_id"] == name_of("CampaignMember", 4)
    ]
    assert early["why"] == "after the creation"


def test_names_that_do_not_exist(made: Workspace) -> None:
    with pytest.raises(UnknownNameError, match="Did you mean 'u_shaped'"):
        made.metrics.influence(models=["u_shape"])
    with pytest.raises(UnknownNameError, match="Did you mean 'sourced'"):
        made.metrics.influence(models=["first@source"])
    with pytest.raises(UsageError, match="asked for twice"):
        made.metrics.influence(models=["first", "first"])
    with pytest.raises(UsageError, match="no opportunity '006000000000999'"):
        made.metrics.deal_credit("006000000000999")
    with pytest.raises(UnknownNameError, match=r"no goal 'MLQ'\. Did you mean 'MQL'"):
        made.metrics.influence(goal="MLQ")
    with pytest.raises(UsageError, match="leave scope, window, date"):
        made.metrics.influence(goal="SQL", window="sourced")
    with pytest.raises(UsageError, match="take a model of rules"):
        made.metrics.influence(goal="SQL", models=["salesforce_even"])


def test_a_stage_as_goal_counts_each_journey_once(made: Workspace) -> None:
    # The journey of the first person reached SQL with its deal, after two responses; the other one's response came later.
    result = made.metrics.influence(models=["last", "position", "u_shaped"], goal="SQL")
    credited = {(row["model"], row["campaign_id"]): row["credited"] for row in rows(result) if row["credited"]}
    one, two = name_of("Campaign", 1), name_of("Campaign", 2)
    reached = sum(row["count"] for row in rows(made.metrics.volume(unit="journeys")) if row["stage"] == "SQL")
    for model in ("last", "position", "u_shaped"):
        (total,) = [one for one in result.totals if one["model"] == model]
        assert total["journeys"] == reached == total["credited_journeys"] + total["unattributed_journeys"]
        assert sum(credit for (name, _), credit in credited.items() if name == model) == reached
    assert credited["last", two] == 1
    assert (credited["position", one], credited["position", two]) == (0.5, 0.5)
    # Without a lead the first touch has it all.
    assert credited["u_shaped", one] == 1
    listed = rows(result.records())
    assert sum(row["credit"] for row in listed) == 3 * reached
    assert {row["campaign_id"] for row in listed} <= {one, two, None}


def test_the_command_line(made: Workspace, capsys: pytest.CaptureFixture[str]) -> None:
    def answered(*arguments: str) -> tuple[int, str, str]:
        status = run(["influence", *arguments, "--workspace", str(made.folder)])
        captured = capsys.readouterr()
        return status, captured.out, captured.err

    status, out, _ = answered("--models", "--format", "csv")
    assert (status, "by_role,points" in out) == (0, True)
    deal = name_of("Opportunity", 1)
    status, out, _ = answered("--opportunity", deal, "--model", "by_role", "--format", "csv")
    assert (status, "56.25" in out) == (0, True)
    status, out, err = answered("--opportunity", deal, "--by", "campaign_type")
    assert (status, out, "shows one opportunity whole" in err) == (2, "", True)
