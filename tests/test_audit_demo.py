"""The audit of demo orgs: every planted fault and no other record; what findings move is what mending moves."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from leadline.audit.moved import Moves
from leadline.audit.registry import BY_CODE
from leadline.demo import ids
from leadline.demo.org import CONFIG_TOML, DemoOrg, generate
from leadline.demo.truth_faults import Faults, faults
from leadline.effects.headline import WHOLE, Headline
from leadline.effects.moves import measured
from leadline.model.opened import Opened, open_snapshot
from leadline.workspace import create
from tests.scale import costly

PEOPLE = 2_500
LIMITS = "\n[audit.bulk-loaded-day]\nlimit = 3\n"
"""A small org loads few records in bulk."""

ALSO_BY_CHANCE = {("owner-inactive", "Opportunity"), ("opportunity-without-primary-role", "Opportunity")}
"""Faults of which an org of this size may have none."""

EXACT = (
    "opportunity-without-role",
    "opportunity-without-primary-role",
    "opportunity-without-amount",
    "member-without-date",
    "bulk-loaded-day",
    "sent-counted-elsewhere",
    "duplicate-email",
    "source-unknown",
    "stage-dates-out-of-order",
    "owner-inactive",
    "merged-record",
    "deleted-record",
    "mixed-currency",
    "campaign-without-cost",
    "campaign-without-dates",
    "campaign-without-type",
)
"""Checks whose records the generator knows one by one."""

Mend = Callable[[str, pa.Table], pa.Table]


@dataclass(frozen=True)
class Case:
    """A demo org and its published snapshot."""

    org: DemoOrg
    snapshot: Path
    opened: Opened


def published(folder: Path, seed: int, *, mend: Mend | None = None, planted: bool = True) -> Case:
    """Generate, import and publish an org, its records mended before they are written."""
    org = generate(folder / "files", people=PEOPLE, seed=seed, format="parquet", mend=mend, planted=planted)
    workspace = create(folder / "workspace")
    (workspace.folder / "leadline.toml").write_text(CONFIG_TOML + LIMITS, encoding="utf-8")
    report = workspace.sources.import_files(folder / "files", extracted_at=org.extracted_at)
    assert report.published is not None
    path = report.published.snapshot.path
    return Case(org, path, open_snapshot(path))


def found_by_checks(case: Case) -> Faults:
    """Ids per code and object, of the checks the generator knows one by one."""
    found: Faults = defaultdict(set)
    for row in case.opened.arrow(case.opened["finding_records"]).to_pylist():
        if row["code"] in EXACT and (row["code"], row["object"]) != ("source-unknown", "Opportunity"):
            found[row["code"], row["object"]].add(row["record_id"])
    return dict(found)


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory) -> Case:
    """The org of seed 7."""
    return published(tmp_path_factory.mktemp("org"), 7)


@pytest.fixture(scope="module")
def moves(case: Case) -> Moves:
    """What its findings move."""
    return measured(open_snapshot(case.snapshot))


def assert_exact(case: Case) -> None:
    truth = {key: records for key, records in faults(case.org).items() if key[0] in EXACT}
    found = found_by_checks(case)
    assert truth.keys() == found.keys()
    wrong = {
        key: (len(found[key] - truth[key]), len(truth[key] - found[key])) for key in truth if found[key] != truth[key]
    }
    assert not wrong, f"records too many and missing: {wrong}"


def test_every_planted_fault_is_found_and_no_other_record(case: Case) -> None:
    assert_exact(case)
    assert {code for code, _ in found_by_checks(case)} >= set(EXACT) - {code for code, _ in ALSO_BY_CHANCE}


@pytest.mark.parametrize("seed", range(101, 101 + costly(9)))
def test_also_in_orgs_of_other_seeds(seed: int, tmp_path: Path) -> None:
    assert_exact(published(tmp_path, seed))


def headline(opened: Opened, code: str) -> dict[str, float | None]:
    """The headline numbers of a snapshot that a check can move, by name."""
    made = Headline(opened)
    numbers = made.numbers(made.parts()[WHOLE])
    return {number.name: number.value for number in numbers if number.metric in BY_CODE[code].moves}


def set_where(table: pa.Table, chosen: set[str], column: str, value: pa.Array | pa.Scalar) -> pa.Table:
    """A table with other values of a column in the chosen records."""
    mask = pc.is_in(table["Id"], pa.array(sorted(chosen), pa.string()))
    at = table.column_names.index(column)
    return table.set_column(at, column, pc.if_else(mask, value, table[column]))


def deleted(code: str, truth: Faults) -> Mend:
    """The records of a check are deleted."""

    def mend(name: str, table: pa.Table) -> pa.Table:
        chosen = truth.get((code, name))
        return set_where(table, chosen, "IsDeleted", pa.scalar(True)) if chosen else table

    return mend


def dated_by_creation(truth: Faults) -> Mend:
    """Undated responses were not touched after their creation, which then dates them."""

    def mend(name: str, table: pa.Table) -> pa.Table:
        if name != "CampaignMember":
            return table
        return set_where(table, truth["member-without-date", name], "LastModifiedDate", table["CreatedDate"])

    return mend


def merged(org: DemoOrg) -> Mend:
    """Second records of a person are merged into the lead they repeat."""
    (stories,) = org.stories()
    twins = np.flatnonzero(stories.people["twin_of"] >= 0)
    originals = ids.text("Lead", stories.people["twin_of"][twins])

    def mend(name: str, table: pa.Table) -> pa.Table:
        if name not in ("Lead", "Contact"):
            return table
        place = pc.index_in(table["Id"], ids.text(name, twins))
        master = originals.take(place.combine_chunks() if isinstance(place, pa.ChunkedArray) else place)
        chosen = {one for one in ids.text(name, twins).to_pylist() if one in set(table["Id"].to_pylist())}
        table = set_where(table, chosen, "MasterRecordId", master)
        return set_where(table, chosen, "IsDeleted", pa.scalar(True))

    return mend


@pytest.mark.parametrize(
    "code", ["bulk-loaded-day", "stage-dates-out-of-order", "member-without-date", "duplicate-email"]
)
def test_mending_the_records_moves_the_numbers_by_what_the_finding_said(
    case: Case, moves: Moves, code: str, tmp_path: Path
) -> None:
    truth = faults(case.org)
    mends = {"member-without-date": lambda: dated_by_creation(truth), "duplicate-email": lambda: merged(case.org)}
    twin = published(tmp_path, 7, mend=mends.get(code, lambda: deleted(code, truth))())
    # Windows are learned once and then stay: the twin is measured with those of the org itself.
    after = headline(replace(twin.opened, numbers=case.opened.numbers), code)
    before = headline(case.opened, code)
    said = {move.number: move.after for move in moves[code]}
    assert {name: said.get(name, before[name]) for name in before} == after
    assert before != after
    assert all(move.before == before[move.number] for move in moves[code])


def test_judged_findings_give_a_range_and_exact_ones_a_number(moves: Moves) -> None:
    for code, own in moves.items():
        mend = BY_CODE[code].mend
        assert mend is not None
        for move in own:
            assert move.before is not None
            assert move.after is not None
            low, high = sorted((move.before, move.after)) if mend.judged else (move.after, move.after)
            assert (move.low, move.high) == (low, high), (code, move)


def test_what_is_not_counted_anyway_moves_nothing(moves: Moves) -> None:
    for code in ("duplicate-member", "dangling-reference"):
        assert {move.size for move in moves[code]} == {0.0}
        assert {move.metric for move in moves[code]} == {"volume", "conversion", "velocity", "influence"}


@pytest.mark.parametrize("scope", ["account", "account + matched leads"])
def test_findings_stay_apart_where_accounts_tie_people_to_opportunities(case: Case, scope: str) -> None:
    opened = open_snapshot(case.snapshot)
    influence = opened.settings.influence.model_copy(update={"scope": scope})
    scoped = replace(opened, settings=opened.settings.model_copy(update={"influence": influence}))
    found = measured(scoped)
    for code in ("duplicate-member", "dangling-reference"):
        assert {move.size for move in found[code]} == {0.0}
    (amount,) = [move for move in found["bulk-loaded-day"] if move.number == "won amount with a touch"]
    assert amount.before is not None
    assert amount.after is not None
    assert amount.after <= amount.before


def test_without_roles_at_most_the_whole_amount_would_be_credited(case: Case, moves: Moves) -> None:
    bare = faults(case.org)["opportunity-without-role", "Opportunity"]
    won = [
        row["amount"]
        for row in case.opened.arrow(case.opened["deals"]).to_pylist()
        if row["opportunity_id"] in bare and row["state"] == "won" and row["amount_state"] == "known"
    ]
    (amount,) = [move for move in moves["opportunity-without-role"] if move.kind == "money"]
    assert amount.before is not None
    assert amount.after == amount.before + sum(won)
    assert (amount.low, amount.high) == (amount.before, amount.after)


def test_a_clean_org_has_no_finding_of_severity_error(tmp_path: Path) -> None:
    clean = published(tmp_path, 7, planted=False)
    rows = clean.opened.arrow(clean.opened["findings"]).to_pylist()
    assert [row["code"] for row in rows if row["severity"] == "error"] == []
