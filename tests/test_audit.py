"""The audit: each check finds exactly the records it is about, and what it found can be read."""

from __future__ import annotations

import datetime as dt
import json
from collections import defaultdict

import ibis
import pytest

from leadline.audit import read
from leadline.audit.check import Audited, Check, Hits, Whole
from leadline.audit.registry import BY_CODE, CHECKS, require_known
from leadline.config import Settings
from leadline.errors import ConfigError, UnknownNameError
from leadline.model.opened import Opened
from leadline.model.source import Source
from leadline.model.store import Store
from tests.agreement.engine import source
from tests.audit_orgs import Audit, audited_clean, audited_faulty
from tests.contracts.code import ROOT
from tests.oracle.records import Org, Row
from tests.oracle.tiny import at

DEAL, MEMBER, ROLE = "Opportunity", "CampaignMember", "OpportunityContactRole"

LISTED: dict[tuple[str, str], dict[str, tuple[str | None, str | None]]] = {
    ("opportunity-without-role", DEAL): {"D02": (None, "D02")},
    ("opportunity-without-primary-role", DEAL): {"D03": (None, "D03")},
    ("duplicate-role", ROLE): {"r13": (None, "D01")},
    ("opportunity-without-amount", DEAL): {"D04": (None, "D04")},
    ("opportunity-without-rate", DEAL): {"D05": (None, "D05")},
    ("opportunity-amount-too-large", DEAL): {"D06": (None, "D06")},
    ("currency-without-rate", "CurrencyType"): {"XAU": (None, None)},
    ("close-before-creation", DEAL): {"D07": (None, "D07"), "D08": (None, None)},
    ("closed-without-close-date", DEAL): {"D09": (None, "D09")},
    ("member-without-date", MEMBER): {"m4": ("C2", None)},
    ("duplicate-member", MEMBER): {"m2": ("L1", None)},
    ("dangling-reference", MEMBER): {"m5": (None, None), "m6": ("C2", None)},
    ("dangling-reference", ROLE): {"r11": (None, "D01"), "r12": (None, "DX")},
    ("lead-status-converted-not-converted", "Lead"): {"L2": ("L2", None)},
    ("duplicate-email", "Lead"): {"L1": ("L1", None), "L5": ("L5", None)},
    ("stage-not-mapped", DEAL): {"D10": (None, "D10")},
    ("stage-not-mapped", "Lead"): {"L2": ("L2", None), "L4": ("L4", None)},
    ("event-after-as-of", MEMBER): {"m7": ("C3", None)},
    ("event-after-as-of", "Lead"): {"L6": ("L6", None)},
    ("event-after-as-of", DEAL): {"D11": (None, "D11"), "D12": (None, "D12")},
    ("picklist-value-changed", DEAL): {"D01": (None, "D01"), "D08": (None, "D08")},
    ("campaign-without-cost", "Campaign"): {"bare": (None, None)},
    ("campaign-without-dates", "Campaign"): {"bare": (None, None)},
    ("campaign-without-type", "Campaign"): {"bare": (None, None)},
}
"""Per check and object the records with the person and the opportunity whose numbers the fault can move."""


HOW_MUCH: dict[tuple[str, bool] | None, str] = {
    None: "By how much cannot be said from the records alone.",
    ("leave out", False): "The headline numbers are computed again without these records. That is exact.",
    ("leave out", True): (
        "The headline numbers are computed again without these records. Nobody knows what they would be "
        "if they were right: the number lies between the two."
    ),
    ("merge", True): (
        "The headline numbers are computed again with the persons that are taken for one as one person. Some "
        "of them may be several people after all: the number lies between the two."
    ),
    ("date by creation", True): (
        "The headline numbers are computed again with each response at the moment its member was "
        "created, which is the earliest it can have been. The number lies between the two."
    ),
    ("credit", True): (
        "At most the whole amount of these opportunities would be credited. The number lies between as it is and that."
    ),
}
"""What the page of a check says of how its effect is measured, by the way its records are mended."""


@pytest.fixture(scope="module")
def planted() -> Audit:
    """The org with every fault, audited together with findings of its import."""
    return audited_faulty()


@pytest.fixture(scope="module")
def opened(planted: Audit) -> Opened:
    """That org, open for questions."""
    return planted[0]


@pytest.fixture(scope="module")
def found(opened: Opened) -> dict[tuple[str, str], dict[str, object]]:
    """Rows of `findings` by code and object."""
    rows = opened.arrow(opened["findings"]).to_pylist()
    return {(row["code"], row["object"]): row for row in rows}


def test_every_record_with_a_fault_is_listed_and_no_other(opened: Opened):
    listed: dict[tuple[str, str], dict[str, tuple[str | None, str | None]]] = defaultdict(dict)
    for row in opened.arrow(opened["finding_records"]).to_pylist():
        listed[row["code"], row["object"]][row["record_id"]] = (row["person_id"], row["opportunity_id"])
    given = {("column-changed", "Lead"): {"L3": ("C1", None), "L4": ("L4", None)}}
    assert dict(listed) == LISTED | given


def test_each_finding_counts_its_records(found: dict):
    assert {key: row["row_count"] for key, row in found.items() if not row["whole"]} == {
        **{key: len(ids) for key, ids in LISTED.items()},
        ("column-changed", "Lead"): 2,
    }


def test_a_clean_org_has_no_finding():
    opened, _, _ = audited_clean()
    assert opened.arrow(opened["findings"]).num_rows == 0
    assert opened.arrow(opened["finding_records"]).num_rows == 0
    assert read.findings(opened).table.num_rows == 0
    assert not read.has_errors(opened)


def test_sentences_name_numbers_and_values(found: dict):
    def says(code: str, name: str) -> str:
        return found[code, name]["message"]

    assert says("opportunity-without-role", DEAL).startswith("1 of 11 opportunities have no contact role")
    assert says("lead-status-converted-not-converted", "Lead").startswith("1 of 6 leads ")
    assert "Closed - Converted (1)" in says("lead-status-converted-not-converted", "Lead")
    assert says("stage-not-mapped", DEAL).startswith("1 of 6 open opportunities ")
    assert says("stage-not-mapped", DEAL).endswith(": Strange (1).")
    assert says("currency-without-rate", "CurrencyType") == "1 of 2 currencies in use have no rate: XAU."


@pytest.mark.parametrize(
    ("code", "amount"),
    [
        ("opportunity-without-role", 20_000),
        ("opportunity-without-amount", None),
        ("opportunity-without-rate", None),
        ("close-before-creation", 150_000),
    ],
)
def test_money_of_a_finding_is_that_of_its_opportunities(found: dict, code: str, amount: int | None):
    assert found[code, DEAL]["amount"] == amount


def test_history_that_starts_late_concerns_the_data_as_a_whole(found: dict):
    row = found["history-starts-late", "LeadHistory"]
    assert (row["whole"], row["row_count"], row["severity"]) == (True, 0, "warning")
    assert row["message"].startswith("LeadHistory tells of Status from 2024-06-01 on; 5 of 6 records of Lead ")


def test_severity_follows_the_share_and_the_configured_threshold(found: dict):
    assert found["opportunity-without-role", DEAL]["severity"] == "warning"  # 1 of 11, error above a tenth
    assert found["member-without-date", MEMBER]["severity"] == "error"  # 1 of 7
    assert found["duplicate-member", MEMBER]["severity"] == "error"  # an info unless configured
    assert found["campaign-without-cost", "Campaign"]["severity"] == "info"


def test_bounds_of_severity_are_exclusive():
    check = Check("some", ("volume",), lambda at: iter(()), "", warning_above=0.1, error_above=0.5)
    shares = (0.0, 0.1, 0.11, 0.5, 0.51)
    assert [check.severity(share, None) for share in shares] == ["info", "info", "warning", "warning", "error"]
    assert [check.severity(share, 1.0) for share in shares] == ["info", "info", "warning", "warning", "warning"]
    assert [check.severity(share, 0.0) for share in shares] == ["info", "error", "error", "error", "error"]


def test_thresholds_of_no_check_and_shares_that_are_none_are_refused():
    given = {"duplicate-mail": {"threshold": 0.1}, "no-responses": {"threshold": 20.0}, "zone-unknown": {}}
    with pytest.raises(ConfigError) as refusal:
        require_known(Settings.model_validate({"audit": given}))
    assert refusal.value.faults == [
        "[audit.duplicate-mail] names no check. Did you mean 'duplicate-email'?",
        "[audit.no-responses] threshold = 20 is no share; write a number from 0 to 1",
    ]
    require_known(Settings.model_validate({"audit": {"no-responses": {"threshold": 1.0}}}))


def test_findings_of_the_import_are_kept_as_they_are(found: dict):
    vanished, rejected = found["column-vanished", "Lead"], found["rows-rejected", "Lead"]
    assert (vanished["severity"], vanished["moves"], vanished["whole"]) == ("warning", "volume,velocity", True)
    assert (rejected["row_count"], rejected["whole"], rejected["remedy"]) == (7, True, "Correct them.")


def test_the_table_has_the_columns_of_the_contract_and_the_worst_comes_first(opened: Opened):
    result = read.findings(opened)
    said = json.loads(result.to_json())
    wanted = ["code", "severity", "rows", "amount", "moves", "first_seen", "last_seen", "accepted"]
    assert said["kind"] == "audit"
    assert [column["name"] for column in said["columns"]][: len(wanted)] == wanted
    severities = [row["severity"] for row in said["rows"]]
    assert severities == sorted(severities, key=("error", "warning", "info").index)
    row = next(row for row in said["rows"] if row["code"] == "close-before-creation")
    assert (row["rows"], row["amount"], row["accepted"]) == (2, "1500.00", False)
    metrics = ("volume", "conversion", "velocity", "influence")
    assert [{key: move[key] for key in ("metric", "from", "to")} for move in row["moves"]] == [
        {"metric": name, "from": None, "to": None} for name in metrics
    ]
    assert row["first_seen"] == row["last_seen"] == "2024-12-31T12:00:00Z"
    assert read.has_errors(opened)


def test_the_list_of_a_finding_has_as_many_rows_as_it_says(opened: Opened, found: dict):
    for code in {code for code, _ in LISTED}:
        count = sum(row["row_count"] for (name, _), row in found.items() if name == code)
        assert read.records(opened, code).table.num_rows == count
    listed = read.records(opened, "dangling-reference").table.to_pylist()
    assert [(row["object"], row["record_id"]) for row in listed] == [
        (MEMBER, "m5"),
        (MEMBER, "m6"),
        (ROLE, "r11"),
        (ROLE, "r12"),
    ]


def test_a_list_of_nothing_says_so_and_an_unknown_code_is_refused(opened: Opened):
    empty = read.records(opened, "no-responses")
    assert (empty.table.num_rows, empty.notes) == (0, ("There is no such finding in this snapshot.",))
    with pytest.raises(UnknownNameError, match="Did you mean 'duplicate-email'"):
        read.records(opened, "duplicate-mail")


def test_a_snapshot_without_an_audit_has_no_findings(opened: Opened):
    bare = {name: table for name, table in opened.tables.items() if not name.startswith("finding")}
    older = type(opened)(**{name: getattr(opened, name) for name in opened.__slots__} | {"tables": bare})
    assert read.findings(older).table.num_rows == 0
    assert read.records(older, "no-responses").table.num_rows == 0


def test_checks_are_silent_where_the_source_lacks_what_they_rest_on(planted: Audit):
    """The model's tables stay, so only the absence of objects and columns can silence a check."""
    _, full, _ = planted
    bare = Audited(full.store, Source({}), full.settings, full.built)
    silent = {check.code for check in CHECKS if not list(check.find(bare))}
    assert silent >= {
        "opportunity-without-role",
        "opportunity-without-primary-role",
        "opportunity-without-amount",
        "no-responses",
        "dangling-reference",
        "lead-status-converted-not-converted",
        "duplicate-email",
        "history-starts-late",
        "zone-unknown",
        "campaign-without-cost",
        "campaign-without-dates",
        "campaign-without-type",
    }


def seen_by(planted: Audit, org: Org, settings: Settings | None = None) -> Audited:
    """Other records before the same built tables, for checks that look at records alone."""
    _, full, _ = planted
    backend = ibis.duckdb.connect()
    tables = {"members": ibis.memtable({"response_id": []}, schema={"response_id": "string"})}
    return Audited(Store(backend, found=tables), source(org, backend), settings or full.settings, full.built)


def test_members_of_whom_none_responded_are_counted_with_their_status(planted: Audit):
    rows: list[Row] = [
        {"Id": f"m{n}", "Status": status, "IsDeleted": False} for n, status in enumerate(["Sent", "Sent", None])
    ]
    deleted: Row = {"Id": "m9", "Status": "Sent", "IsDeleted": True}
    org = {MEMBER: [*rows, deleted]}
    (whole,) = BY_CODE["no-responses"].find(seen_by(planted, org))
    assert whole == Whole(MEMBER, "None of the 3 campaign members has responded. Their status: Sent (2), (none) (1).")
    assert list(BY_CODE["no-responses"].find(seen_by(planted, {MEMBER: [deleted]}))) == []


@pytest.mark.parametrize(
    ("created", "zone", "configured", "hits"),
    [
        ("2024-01-01T10:00", None, None, 1),
        ("2024-01-01", None, None, 0),
        (None, None, None, 0),
        ("2024-01-01T10:00", "Asia/Tokyo", None, 0),
        ("2024-01-01T10:00", None, "Asia/Tokyo", 0),
        ("2024-01-01T10:00", "Mars/Olympus", None, 1),
        ("2024-01-01", "Mars/Olympus", None, 1),
        ("2024-01-01T10:00", "Mars/Olympus", "Asia/Tokyo", 0),
    ],
)
def test_the_zone_matters_only_to_instants(
    planted: Audit,
    created: str | None,
    zone: str | None,
    configured: str | None,
    hits: int,
):
    org: Org = {
        "Lead": [{"Id": "L1", "CreatedDate": at(created)}],
        "Organization": [{"Id": "o", "TimeZoneSidKey": zone}],
    }
    settings = Settings.model_validate({"workspace": {"timezone": configured}})
    assert len(list(BY_CODE["zone-unknown"].find(seen_by(planted, org, settings)))) == hits


@pytest.mark.parametrize(
    ("statuses", "known", "expected"),
    [
        # Most leads of "Sold" are converted, few of "Working": only the first means converted.
        (
            [
                ("Sold", True),
                ("Sold", True),
                ("Sold", False),
                ("Working", True),
                ("Working", False),
                ("Working", False),
            ],
            None,
            {"L2"},
        ),
        ([("Converted", False), ("Closed - Not Converted", False), ("Unconverted", False)], None, {"L0"}),
        # LeadStatus decides alone where there is one.
        ([("Converted", False), ("Sold", False), ("Sold", True)], {"Sold": True, "Converted": False}, {"L1"}),
    ],
)
def test_which_statuses_mean_converted(
    planted: Audit,
    statuses: list[tuple[str, bool]],
    known: dict[str, bool] | None,
    expected: set[str],
):
    leads = [{"Id": f"L{n}", "Status": status, "IsConverted": yes} for n, (status, yes) in enumerate(statuses)]
    org: Org = {"Lead": leads}
    if known:
        org["LeadStatus"] = [{"Id": name, "MasterLabel": name, "IsConverted": yes} for name, yes in known.items()]
    at_once = seen_by(planted, org)
    (hits,) = BY_CODE["lead-status-converted-not-converted"].find(at_once)
    assert isinstance(hits, Hits)
    assert {row["record_id"] for row in at_once.store.rows(hits.records)} == expected


def test_lineage_counts_every_step(planted: Audit):
    counts = [(step.step, step.rows_in, step.rows_out, step.why) for step in planted[2]]
    assert counts == [
        ("leads and contacts", 9, 9, ""),
        ("persons", 9, 8, "1 converted or merged into another record"),
        ("campaign members", 8, 8, ""),
        ("responses", 8, 7, "1 did not respond"),
        ("responses counted", 7, 3, "1 after as-of, 1 excluded by rule, 1 without date, 1 duplicate member"),
        ("opportunities", 12, 12, ""),
        ("opportunities at as-of", 12, 11, "1 created after as-of"),
        ("opportunities with a person", 11, 10, "1 without a person: in no journey"),
        ("opportunities with an amount", 11, 8, "1 no amount, 1 no rate, 1 too large"),
        ("journeys", 8, 4, "funnel main; 4 persons never in it"),
    ]


def test_steps_fit_into_each_other():
    """What one step hands on the next one takes, where both count the same kind of record."""
    steps = {step.step: step for step in audited_clean()[2]}
    for before, after in (("leads and contacts", "persons"), ("responses", "responses counted")):
        assert steps[before].rows_out == steps[after].rows_in


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.code)
def test_every_check_has_its_page(check: Check):
    page = (ROOT / "docs" / "checks" / f"{check.code}.md").read_text(encoding="utf-8")
    parts = {part.partition("\n")[0]: " ".join(part.partition("\n")[2].split()) for part in page.split("\n## ")}
    assert page.startswith(f"# {check.code}\n")
    assert len(parts["What it means"]) > 80
    assert parts["Numbers it moves"].lower().rstrip(".").split(", ") == (list(check.moves) or ["none"])
    assert parts["By how much"] == HOW_MUCH[(check.mend.treatment, check.mend.judged) if check.mend else None]
    assert parts["Severity"].lower().rstrip(".") == severity_text(check)
    assert parts["Remedy"] == check.remedy


def test_the_index_lists_every_check_in_order():
    rows = [
        line for line in (ROOT / "docs" / "checks.md").read_text(encoding="utf-8").splitlines() if "](checks/" in line
    ][: len(CHECKS)]
    assert rows == [
        f"| [{check.code}](checks/{check.code}.md) | "
        f"{'all' if len(check.moves) == 4 else ', '.join(check.moves) or 'none'} | {severity_text(check)} |"
        for check in CHECKS
    ]


def test_a_finding_is_first_and_last_seen_where_kept_snapshots_have_it(opened: Opened):
    early, late = dt.datetime(2024, 1, 5, tzinfo=dt.UTC), dt.datetime(2025, 2, 1, tzinfo=dt.UTC)
    rows = read.findings(opened, read.Beside({"duplicate-member": (early, late)})).table.to_pylist()
    seen = {row["code"]: (row["first_seen"], row["last_seen"]) for row in rows}
    assert seen["duplicate-member"] == (early, late)
    assert seen["duplicate-email"] == (opened.known_at, opened.known_at)


def severity_text(check: Check) -> str:
    """The bounds of a check in the words of its page."""
    if check.error_above == 0:
        return "error"
    parts = ["info" if check.warning_above is None else "warning"]
    if check.warning_above:
        parts = ["info", f"above {check.warning_above:.0%} warning".replace("%", " %")]
    if check.error_above is not None:
        parts.append(f"above {check.error_above:.0%} error".replace("%", " %"))
    return "; ".join(parts)
