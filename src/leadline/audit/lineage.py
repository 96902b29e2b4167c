"""The way from the records of the source to the units of the model, counted step by step."""

from __future__ import annotations

from collections.abc import Iterator

import ibis.expr.types as ir

from leadline.model.responses import FATES
from leadline.model.source import Source
from leadline.model.store import Store
from leadline.results import Step

_ALL = ("volume", "conversion", "velocity", "influence")
METRICS: dict[str, tuple[str, ...]] = {
    "leads and contacts": _ALL,
    "persons": _ALL,
    "campaign members": _ALL,
    "responses": _ALL,
    "responses counted": _ALL,
    "opportunities": _ALL,
    "opportunities at as-of": _ALL,
    "opportunities with a person": _ALL,
    "opportunities with an amount": ("volume", "influence"),
    "journeys": ("volume", "conversion", "velocity"),
}
"""The steps in order, each with the metrics that rest on it."""

STEPS = tuple(METRICS)

_WHY = {FATES[0]: "after as-of", FATES[1]: "excluded by rule", FATES[2]: "without date", FATES[3]: "duplicate member"}


def steps(store: Store, source: Source) -> list[Step]:
    """Rows in and out of each step; steps without rows are left out."""
    found = [*_people(store, source), *_responses(store, source), *_deals(store, source), *_journeys(store)]
    return [step for step in found if step.rows_in]


def _people(store: Store, source: Source) -> Iterator[Step]:
    read = store.count(source.with_deleted("Lead")) + store.count(source.with_deleted("Contact"))
    kept = store.count(store["person_records"])
    yield Step(STEPS[0], read, kept, _left(read - kept, "deleted without a survivor"))
    persons = store.count(store["people"])
    yield Step(STEPS[1], kept, persons, _left(kept - persons, "converted or merged into another record"))


def _responses(store: Store, source: Source) -> Iterator[Step]:
    read = store.count(source.with_deleted("CampaignMember"))
    kept = store.count(source.table("CampaignMember"))
    yield Step(STEPS[2], read, kept, _left(read - kept, "deleted"))
    answered = store.count(store["members"])
    yield Step(STEPS[3], kept, answered, _left(kept - answered, "did not respond"))
    responses = store["responses"]
    # A response has one fate per funnel; the fates that leave it out are the same in all of them.
    once = responses.group_by("response_id").aggregate(fate=responses.fate.min())
    left = once.filter(once.fate.isin(list(_WHY)))
    fates = {row["fate"]: row["count"] for row in store.rows(left.group_by("fate").aggregate(count=left.count()))}
    why = ", ".join(_left(fates[fate], _WHY[fate]) for fate in _WHY if fate in fates)
    yield Step(STEPS[4], answered, answered - sum(fates.values()), why)


def _deals(store: Store, source: Source) -> Iterator[Step]:
    read = store.count(source.with_deleted("Opportunity"))
    kept = store.count(store["opportunities"])
    yield Step(STEPS[5], read, kept, _left(read - kept, "deleted"))
    deals = store["deals"]
    existing = store.count(deals)
    yield Step(STEPS[6], kept, existing, _left(kept - existing, "created after as-of"))
    if store.count(store["people"]):
        with_person = store.count(deals.semi_join(store["opportunity_people"], "opportunity_id"))
        yield Step(STEPS[7], existing, with_person, _left(existing - with_person, "without a person: in no journey"))
    known = store.count(deals.filter(deals.amount_state == "known"))
    yield Step(STEPS[8], existing, known, _amount_states(store, deals))


def _amount_states(store: Store, deals: ir.Table) -> str:
    lacking = deals.filter(deals.amount_state != "known")
    rows = store.rows(lacking.group_by("amount_state").aggregate(count=lacking.count()).order_by("amount_state"))
    return ", ".join(_left(row["count"], row["amount_state"]) for row in rows)


def _journeys(store: Store) -> Iterator[Step]:
    """Persons → journeys, per funnel: some persons have none, some have several."""
    if "journeys" not in store:
        return
    persons = store.count(store["people"])
    journeys = store["journeys"]
    by_funnel = journeys.group_by("funnel").aggregate(passes=journeys.count(), persons=journeys.person_id.nunique())
    for row in store.rows(by_funnel.order_by("funnel")):
        left = _left(persons - row["persons"], "persons never in it")
        again = _left(row["passes"] - row["persons"], "further passes")
        why = "; ".join(filter(None, (f"funnel {row['funnel']}", left, again)))
        yield Step(STEPS[9], persons, row["passes"], why)


def _left(count: int, why: str) -> str:
    return f"{count:,} {why}" if count else ""
