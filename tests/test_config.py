"""`leadline.toml`: defaults, every fault at once, and the JSON schema."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from pydantic import ValidationError

from leadline import config
from leadline.errors import ConfigError

GOOD = """
[workspace]
timezone = "America/New_York"
currency = "USD"
fiscal_year_start = 2

[responses]
responded = "statuses"
[responses.statuses]
"*" = ["Responded"]
Webinar = ["Attended", "Watched"]

[funnel.people]
stages = [
  { name = "Inquiry", from = [{ object = "CampaignMember", milestone = "response" }] },
  { name = "MQL", from = [
    { object = "Lead", field = "MQL_Date__c", stamp = true },
    { object = "Lead", field = "Status", values = ["MQL"] },
  ] },
  { name = "Won", from = [{ object = "Opportunity", milestone = "won" }] },
]
stuck_days = { MQL = 30 }
window_days = { "Inquiry>Won" = 365 }

[funnel.deals]
stages = [{ name = "Open", from = [{ object = "Opportunity", field = "StageName", values = ["Open"] }] }]

[files."pipe.csv"]
object = "Opportunity"
columns = { Id = "opportunity_id", StageName = "deal_stage" }
encoding = "cp1252"
"""

STAGE = "{ name = 'A', from = [{ object = 'Lead', field = 'Status', values = ['x'] }] }"
RESPONSE = "{ object = 'CampaignMember', milestone = 'response' }"


def faults_of(text: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        config.parse(text)
    return caught.value.faults


def test_missing_file_means_defaults(tmp_path: Path) -> None:
    settings = config.load(tmp_path / config.FILE_NAME)
    assert settings == config.Settings()
    assert settings.default_funnel is None
    assert settings.influence.models == ["first", "last", "even"]


def test_good_file(tmp_path: Path) -> None:
    path = tmp_path / config.FILE_NAME
    path.write_text(GOOD, encoding="utf-8-sig")  # a byte order mark does no harm
    settings = config.load(path)
    assert settings.default_funnel == "people"
    assert settings.funnel["people"].of_people
    assert not settings.funnel["deals"].of_people
    assert settings.funnel["people"].stage_names == ["Inquiry", "MQL", "Won"]
    assert settings.funnel["people"].stages[1].sources[0].stamp
    assert settings.files["pipe.csv"].columns["StageName"] == "deal_stage"
    with pytest.raises(ValidationError):
        settings.workspace.currency = "EUR"  # type: ignore[misc]  # frozen is what is tested


def test_every_fault_at_once() -> None:
    faults = faults_of(
        """
        [workspace]
        timezone = "Europe/Berln"
        currency = "euro"
        fiscal_year_start = 13
        week_strat = "monday"
        [amount]
        rate = "budgt"
        [funnel.people]
        look_back_days = "90"
        stages = [
          { name = "MQL", from = [{ object = "Lead", value = ["MQL"], stamp = true }] },
          { name = "MQL", from = [{ object = "Leads", field = "Status", values = ["MQL"] }] },
        ]
        stuck_days = { MLQ = 3 }
        [infuence]
        models = ["first"]
        """
    )
    assert [fault.split(":")[0] for fault in faults] == [
        "workspace.fiscal_year_start = 13",
        'workspace.week_strat = "monday"',
        'workspace.timezone = "Europe/Berln"',
        'workspace.currency = "euro"',
        'amount.rate = "budgt"',
        'funnel.people.stages[0].from[0].value = ["MQL"]',
        "funnel.people.stages[0].from[0].field = (absent)",
        'funnel.people.stages[1].from[0].object = "Leads"',
        'funnel.people.look_back_days = "90"',
        next(fault for fault in faults if "different names" in fault).split(":")[0],
        "funnel.people.stuck_days.MLQ = 3",
        'infuence = {models = ["first"]}',
    ]


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("[workspace]\nweek_strat = 'monday'", "Did you mean 'week_start'?"),
        ("[infuence]", "Did you mean 'influence'?"),
        ("[workspace]\ntimezone = 'europe/berlin'", "Did you mean 'Europe/Berlin'?"),
        (
            "[workspace]\nweek_start = 'mondays'",
            "must be one of 'monday', 'saturday', 'sunday'. Did you mean 'monday'?",
        ),
        ("[workspace]\nfiscal_year_start = 0", "must be at least 1"),
        ("[workspace]\nfiscal_year_start = true", "must be a whole number without quotes"),
        ("[amount]\nfield = 3", "must be text in quotes"),
        ("[amount]\nrate = 'budget'", "needs the table [amount.budget]"),
        ("[amount.budget]\nEUR = 0", "amount.budget.EUR = 0: must be greater than 0"),
        ("[responses]\nresponded = 'statuses'", "needs the table [responses.statuses]"),
        ("[funnel.a]", "funnel.a.stages: is required and missing"),
        ("[funnel.a]\nstages = []", "must have at least 1 item(s)"),
        (f"[funnel.a]\nstages = [{STAGE}, {STAGE}]", "must have different names; twice: A"),
        (f"[funnel.a]\nstages = [{STAGE}, {STAGE.replace('A', 'B')}]", "which stage 'A' maps already"),
        (f"[funnel.a]\nstages = [{STAGE}]\nwindow_days = {{ 'A>B' = 9 }}", "is no transition 'A>B' of this funnel"),
        (f"[funnel.a]\nstages = [{STAGE}]\nstuck_days = {{ A = 0 }}", "funnel.a.stuck_days.A = 0: must be at least 1"),
        (f"[funnel.a]\nstages = [{STAGE}]\noutcomes = {{ win = [] }}", "Did you mean 'won'?"),
        ("[funnel.a]\nstages = [{ name = 'A', from = [{ object = 'Lead' }] }]", "give exactly one of values"),
        (
            "[funnel.a]\nstages = [{ name = 'A', from = [{ object = 'Lead', stamp = true }] }]",
            "from[0].field = (absent)",
        ),
        (
            "[funnel.a]\nstages = [{ name = 'A', from = [{ object = 'Lead', milestone = 'won' }] }]",
            'milestone = "won": belongs to object Opportunity',
        ),
        (
            "[funnel.a]\nstages = [{ name = 'A', from = [{ object = 'Lead', field = 'Status', values = [] }] }]",
            "must name at least one value",
        ),
        (f"[funnel.a]\nstages = [{{ name = '', from = [{RESPONSE}] }}]", "must have at least 1 character(s)"),
        ("[files.'a.csv']\nobject = 'Oportunity'", "Did you mean 'Opportunity'?"),
        ("[files.'a.csv']\nobject = 'Lead'\nencoding = 'klingon'", "is no encoding Python knows"),
        ("[files.'a.csv']\nobject = 'Lead'\ndelimiter = ';;'", "must have at most 1 character(s)"),
        ("[files.'a.csv']\nobject = 'Lead'\ntimezone = 'CEST'", "is no IANA time zone"),
        ("[generated_by]\nWeb = 'markting'", "Did you mean 'marketing'?"),
        ("funnel = 3", "funnel = 3: must be a table"),
        ("[workspace", "is not valid TOML"),
    ],
)
def test_one_fault(text: str, fault: str) -> None:
    faults = faults_of(text)
    assert len(faults) == 1
    assert fault in faults[0]


def test_bytes_that_are_no_utf8() -> None:
    with pytest.raises(ConfigError, match="byte 13 is not UTF-8"):
        config.parse(b"[workspace]\n#\xe4")


def test_the_message_counts_and_names_the_file(tmp_path: Path) -> None:
    path = tmp_path / config.FILE_NAME
    path.write_text("[amont]\n[infuence]\n")
    with pytest.raises(ConfigError) as caught:
        config.load(path)
    assert str(caught.value).startswith(f"{path} has 2 faults:\n  - amont = {{}}: unknown key.")
    assert caught.value.exit_code == 2


def test_settings_made_in_python_are_checked_too() -> None:
    with pytest.raises(ValidationError, match="give exactly one of"):
        config.StageSource(object="Lead")


def test_schema_knows_every_table_and_alias() -> None:
    schema = config.schema()
    assert set(schema["properties"]) == set(config.Settings.model_fields)
    assert "from" in schema["$defs"]["Stage"]["properties"]
    assert schema["additionalProperties"] is False
    keys = set(tomllib.loads(GOOD))
    assert keys <= set(schema["properties"])


def test_the_examples_of_the_manual_are_valid() -> None:
    page = (Path(__file__).parents[1] / "docs" / "config.md").read_text(encoding="utf-8")
    examples = re.findall(r"```toml\n(.*?)```", page, re.DOTALL)
    assert len(examples) == 7
    together = config.parse("\n".join(examples))
    assert together.funnel["marketing"].stage_names == ["Inquiry", "MQL", "SQL", "Won"]
    assert together.responses.statuses["*"] == ["Responded"]
    assert together.files["sales_pipeline.csv"].date_order == "ymd"
    assert together.formula["mean_deal"].format == "money"
    assert together.matching.duplicate_probability == 0.95
