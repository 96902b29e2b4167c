"""What must hold in every org, whatever is in it; and that the random orgs hold the awkward cases."""

from __future__ import annotations

import itertools
import random
from collections import Counter
from fractions import Fraction
from pathlib import Path

from tests.oracle import tables
from tests.oracle.answers import Answers
from tests.oracle.conversion import conversion
from tests.oracle.influence import influence
from tests.oracle.oracle import answer
from tests.oracle.org import random_org
from tests.oracle.show import lines
from tests.oracle.survival import curve
from tests.oracle.units import IN_JOURNEYS, stages_of, units
from tests.oracle.velocity import subjects, velocity, visit_days, waiting_days, waiting_stages
from tests.oracle.volume import standing, volume
from tests.oracle.write import as_text, write
from tests.scale import scaled

ORGS = max(100, scaled(300))
UNITS = ("journeys", "people", "accounts", "opportunities", "responses")


def all_answers() -> list[Answers]:
    """The answers about some random orgs."""
    return [answer(*random_org(random.Random(seed))) for seed in range(ORGS)]


def check_responses(answers: Answers) -> None:
    """A response in one of the last four fates lies in exactly one journey; no journey is tipped twice."""
    for response in answers.responses.values():
        holders = [one for one in answers.journeys.values() if response.id in one.responses]
        expected = int(response.fate in IN_JOURNEYS and answers.funnel.of_people)
        assert len(holders) == expected, response
    tipped = Counter(one.journey for one in answers.responses.values() if one.fate == "tipped")
    assert all(count == 1 for count in tipped.values())


def check_journeys(answers: Answers) -> None:
    """Passes follow one another; visits join without a gap; an end means no open deal."""
    for journey in answers.journeys.values():
        visits = journey.track.visits
        for visit, following in itertools.pairwise(visits):
            assert visit.left is not None
            assert visit.left.key == following.entered.key
            assert visit.stage != following.stage
        assert all(visit_days(answers, visit) >= 0 for visit in visits)
        if journey.start is None:
            assert not visits
            continue
        assert visits[0].entered.key == journey.start.key
        assert (visits[-1].left is None) == (journey.end is None)
        is_open = any(answers.opportunities[deal].state == "open" for deal in journey.held)
        assert not (is_open and journey.end)
    for person in {journey.person for journey in answers.journeys.values()}:
        passes = answers.passes_of(person)
        assert [one.number for one in passes] == list(range(1, len(passes) + 1))
        for earlier, later in itertools.pairwise(passes):
            assert earlier.end is not None
            assert later.start is not None
            assert earlier.end.key <= later.start.key


def check_metrics(answers: Answers) -> None:
    """Parts add up: dimensions to totals, classes to those that reached, waiting days to visits."""
    for unit in UNITS:
        stages = stages_of(answers, unit)
        for view in ("entered", "cohort"):
            total = volume(answers, view, unit)
            split = volume(answers, view, unit, by=("campaign", "lead_source"))
            counted: Counter[str] = Counter()
            for (_, _, stage), cell in split.items():
                counted[stage] += cell.count
            assert counted == Counter({stage: cell.count for (_, _, stage), cell in total.items()})
        assert sum(standing(answers, unit).values()) == sum(standing(answers, unit, by=("campaign",)).values())
        for a, b in itertools.pairwise(stages):
            reached = sum(1 for one in units(answers, unit) if a in one.reached)
            rates = conversion(answers, unit, a, b, grain="month").values()
            parts = [one.started + one.too_young + one.implied + one.out_of_order + one.undated for one in rates]
            assert sum(parts) == reached
    for unit in ("journeys", "opportunities"):
        check_waiting(answers, unit)
        for stage in answers.stages:
            for spells in velocity(answers, unit, stage).values():
                for step in curve([spell for _, spell in spells]):
                    assert step.surviving + step.advanced + step.exited == 1


def check_waiting(answers: Answers, unit: str) -> None:
    """Waiting days by week, month and campaign add up to the visits."""
    visits = [visit for one in subjects(answers, unit) for visit in one.track.visits]
    whole = sum((visit_days(answers, one) for one in visits if one.stage in waiting_stages(answers, unit)), Fraction(0))
    for grain in ("week", "month", "quarter", None):
        assert sum(waiting_days(answers, unit, grain, ("campaign",)).values(), Fraction(0)) == whole


def check_influence(answers: Answers) -> None:
    """§8 Identity, and sourced + accelerated = influenced."""
    for model in ("first", "even", "full_path", "time_decay", "primary_campaign", "salesforce_even"):
        for scope in ("role", "primary role", "account"):
            for window in ("influenced", "sourced", "accelerated"):
                found = influence(answers, model, window, "created", scope)
                for one in found.allocations:
                    loose = one.pending + one.unattributed
                    assert sum(one.credits.values()) + one.other + loose == one.amount
                    assert sum(one.sourced.values()) + sum(one.accelerated.values()) + loose == one.amount
                dated = [deal for deal in answers.opportunities.values() if deal.created is not None]
                assert len(found.allocations) + len(found.outside) == len(dated)


def test_what_must_hold() -> None:
    for answers in all_answers():
        check_responses(answers)
        check_journeys(answers)
        check_metrics(answers)
        check_influence(answers)


def test_the_order_of_records_changes_nothing() -> None:
    for seed in range(scaled(50)):
        org, settings, as_of = random_org(random.Random(seed))
        before = answer(org, settings, as_of)
        rng = random.Random(seed)
        after = answer({name: rng.sample(rows, len(rows)) for name, rows in org.items()}, settings, as_of)
        assert after.persons == before.persons
        assert after.responses == before.responses
        assert after.journeys == before.journeys
        assert after.opportunities == before.opportunities


def test_the_random_orgs_hold_the_awkward_cases() -> None:
    seen: Counter[str] = Counter()
    for answers in all_answers():
        seen.update(one.fate for one in answers.responses.values() if one.fate)
        seen.update(one.evidence for one in answers.responses.values() if one.evidence)
        seen.update(one.outcome for one in answers.journeys.values())
        for journey in answers.journeys.values():
            seen["second pass"] += journey.number == 2
            seen["several deals held"] += len(journey.held) > 1
            seen["conflict"] += bool(journey.conflicts)
            seen["regression"] += bool(journey.track.regressions)
            seen["re-entry"] += bool(journey.track.re_entries)
            seen["requalification"] += bool(journey.track.requalifications)
            seen["untimed"] += bool(journey.track.untimed)
            seen["zero length"] += any(one.left and one.left.key == one.entered.key for one in journey.track.visits)
        for deal in answers.opportunities.values():
            seen[f"reason {deal.reason}"] += 1
            seen["reopened"] += deal.reopened
            seen["outside"] += deal.outside
            seen["date-only creation"] += bool(deal.created and deal.created.is_date)
            seen["no creation"] += deal.created is None
            seen["negative amount"] += (deal.amount or 0) < 0
        seen["attached"] += len(answers.attached)
        seen["no person"] += sum(person is None for person in answers.persons.values())
    wanted = [
        "after_as_of",
        "excluded",
        "no_date",
        "duplicate_member",
        "tipped",
        "joined_before",
        "joined_after",
        "not_qualified",
        "date_field",
        "first_responded",
        "created",
        "won",
        "open",
        "lost",
        "disqualified",
        "recycled",
        "dormant",
        "conflict",
        "regression",
        "re-entry",
        "requalification",
        "untimed",
        "reopened",
        "outside",
        "attached",
    ]
    wanted += ["second pass", "several deals held", "zero length", "reason no_amount", "reason no_rate"]
    wanted += ["date-only creation", "no creation", "negative amount", "no person"]
    assert [name for name in wanted if not seen[name]] == []


def test_written_files_hold_every_record(tmp_path: Path) -> None:
    org, _, as_of = random_org(random.Random(1))
    folder = write(org, tmp_path / "org")
    assert {file.stem for file in folder.glob("*.csv")} == set(org)
    for name, rows in org.items():
        lines = (folder / f"{name}.csv").read_text(encoding="utf-8").splitlines()
        assert len(lines) == len(rows) + 1
    assert as_text(as_of.replace(microsecond=120000, second=1, minute=2, hour=3)).endswith("T03:02:01.120Z")


def test_tables_and_their_printout_hold_every_answer() -> None:
    answers = answer(*random_org(random.Random(2)))
    assert set(tables.journeys(answers)) == set(answers.journeys)
    text = "\n".join(lines(2, ""))
    names = [*answers.responses, *answers.opportunities, *(person for person, _ in answers.journeys)]
    assert all(name in text for name in names)
