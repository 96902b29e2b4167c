"""The derived tables: what the base tables mean at an as-of."""

from __future__ import annotations

from dataclasses import dataclass

import ibis
import ibis.expr.types as ir

from leadline.config import Funnel, Settings
from leadline.model import deals, events, journey_stages, journeys, passes, responses, roles, visits
from leadline.model.asof import AsOf
from leadline.model.funnels import closed_stages, stage_numbers
from leadline.model.money import Currency
from leadline.model.opportunities import TOLD_AMOUNT
from leadline.model.store import Store


def build(store: Store, settings: Settings, currency: Currency, as_of: AsOf) -> None:
    """Build every derived table into `store`, which holds the base tables."""
    told = settings.amount.field == TOLD_AMOUNT
    known = deals.deals(
        store["opportunities"],
        store["opportunity_stages"],
        store["days"],
        as_of,
        amounts_told=told,
        by_field=settings.opportunities.close_date == "field",
    )
    known = store.step("deals_raw", known)
    store.keep(
        "deals", deals.with_amounts(known, store["rates_static"], store["rates_dated"], settings.amount, currency)
    )
    pairs = roles.opportunity_people(store["roles"], store["conversions"], store["deals"], store["people"], as_of)
    store.keep("opportunity_people", pairs)
    repeated = store.step("duplicates", responses.duplicates(store["members"], as_of))
    sorted_members = responses.sorted_out(store["members"], repeated, as_of)
    persons = _Persons.of(store, sorted_members)
    for name, funnel in settings.funnel.items():
        if funnel.of_people:
            _Journeys(store, name, funnel, as_of, persons).build()
    if not any(funnel.of_people for funnel in settings.funnel.values()):
        store.add("responses", _outside_funnels(sorted_members))
    for name, funnel in settings.funnel.items():
        _opportunities(store, name, funnel, as_of)


def _outside_funnels(sorted_members: ir.Table) -> ir.Table:
    """Without a funnel of people responses have no journey; those that would count are not qualified."""
    return sorted_members.mutate(
        journey_id=ibis.null("string"),
        journey_no=ibis.null("int64"),
        fate=sorted_members.out.fill_null(responses.NOT_QUALIFIED),
        excluded_why=sorted_members.excluded,
        funnel=ibis.literal(""),
    ).drop("out", "excluded")


@dataclass(frozen=True, slots=True)
class _Persons:
    """What every funnel of people starts from, with persons as numbers.

    Attributes:
        numbers: person_id, person_no.
        records: record_id, person_no and the moment `created`.
        pairs: opportunity_people with person_no.
        responses: every response, with `out`.
        counted: those that count, with person_no.
    """

    numbers: ir.Table
    records: ir.Table
    pairs: ir.Table
    responses: ir.Table
    counted: ir.Table

    @classmethod
    def of(cls, store: Store, sorted_members: ir.Table) -> _Persons:
        """Number the persons of a store."""
        numbers = store.step("person_numbers", events.person_numbers(store["people"]))
        records = store["person_records"].select(
            "record_id", "person_id", "created_s", "created_day", "created_is_date"
        )
        return cls(
            numbers=numbers,
            records=store.step("numbered_records", records.join(numbers, "person_id").drop("person_id")),
            pairs=store["opportunity_people"].join(numbers, "person_id"),
            responses=sorted_members,
            counted=sorted_members.filter(sorted_members.out.isnull()).join(numbers, "person_id"),
        )


class _Journeys:
    """Journeys of one funnel of people."""

    def __init__(self, store: Store, name: str, funnel: Funnel, as_of: AsOf, persons: _Persons) -> None:
        self.store = store
        self.name = name
        self.funnel = funnel
        self.as_of = as_of
        self.persons = persons

    def build(self) -> None:
        """Events → passes → visits → journeys → stages → fates."""
        store, persons, dormancy = self.store, self.persons, self.funnel.dormancy_days
        entries = store["stage_entries"].filter(ibis._.funnel == self.name)
        happened = events.person_events(
            persons.counted, entries, persons.records, persons.pairs, store["deals"], self.as_of
        )
        numbered = self._step("numbered", passes.numbered(happened))
        turns = self._step("turns", passes.turns(numbered, dormancy))
        begun = self._step("passes", passes.passes(turns, persons.numbers))
        self.names = begun.select("unit", "journey_id")
        responded = numbered.filter(numbered["rank"] == events.RESPONSE).select("owner", "n", "s", "day", "id")
        answers = self._step("answers", passes.placed(responded, begun).drop("owner", "seq", "end_seq"))
        moving = numbered.filter(numbered["rank"] >= events.STAGE).drop("rank_before", "last_day")
        moves = self._step("moves", passes.placed(moving, begun).drop("owner"))
        inside, last_days = passes.placed(turns, begun), journeys.last_days(answers, moves)
        ends = self._step("ends", journeys.ends(begun, inside, last_days, store["days"], dormancy, self.as_of))
        held = self._step("held", journeys.journey_opportunities(moves, store["deals"]))
        self._add("journey_opportunities", self._named(held.join(begun.select("unit", "person_id"), "unit")))
        own_visits, outcomes = self._visits(begun, moves, ends)
        untimed = self._step("untimed", journeys.untimed_entries(entries, persons.records, held, begun, self.as_of))
        undated = journeys.undated_journeys(untimed, begun, persons.numbers)
        qualified = self._step("qualified", journeys.qualified(own_visits, outcomes))
        self._journeys(answers, ends, held, undated, qualified)
        self._stages(own_visits, outcomes, untimed)

    def _visits(self, begun: ir.Table, moves: ir.Table, ends: ir.Table) -> tuple[ir.Table, ir.Table]:
        """Visits, and entries by closing."""
        first = begun.filter(begun["rank"] == events.RESPONSE).rename(
            seq="from_n", s="started_s", day="started_day", is_date="started_is_date"
        )
        positions = self._step("positions", visits.positions(moves, first))
        moments = ends.select("unit", "ended_s", "ended_day", "ended_is_date")
        own = self._step("visits", visits.visits(positions, moments))
        self._add("journey_visits", self._named(own))
        self._add("requalifications", self._named(visits.requalifications(positions)))
        closes = journeys.closes(moves, self.store["deals"])
        outcomes = self._step("outcomes", journeys.outcome_entries(closes, closed_stages(self.funnel)))
        self._add("journey_outcomes", self._named(outcomes))
        return own, outcomes

    def _journeys(
        self, answers: ir.Table, ends: ir.Table, held: ir.Table, undated: ir.Table, qualified: ir.Table
    ) -> None:
        store = self.store
        campaigns = store["members"].select("response_id", "campaign_id")
        origins = journeys.origins(answers, qualified, campaigns, self.funnel.look_back_days)
        known = self._step("journeys", journeys.journeys(ends, held, qualified, origins, undated))
        self.names = known.select("unit", "journey_id")
        self._add("journeys", known.rename(journey_no="unit"))
        of_deals = journeys.opportunity_origins(held, known, store["opportunity_people"])
        self._add("opportunity_origins", of_deals)
        fates = responses.fates(answers, known)
        self._add("responses", responses.responses(self.persons.responses, fates))

    def _stages(self, own_visits: ir.Table, outcomes: ir.Table, untimed: ir.Table) -> None:
        stages = _stages(self.store, self.name, self.funnel)
        reached = journey_stages.reached(own_visits, outcomes, untimed, "unit", stages)
        self._add("journey_stages", self._named(reached))

    def _step(self, name: str, expression: ir.Table) -> ir.Table:
        return self.store.step(f"{name}_{self.name}", expression)

    def _named(self, rows: ir.Table) -> ir.Table:
        """Rows with the journey's name beside its number."""
        return rows.join(self.names, "unit").rename(journey_no="unit")

    def _add(self, name: str, expression: ir.Table) -> None:
        self.store.add(name, expression.mutate(funnel=ibis.literal(self.name)))


def _opportunities(store: Store, name: str, funnel: Funnel, as_of: AsOf) -> None:
    """Visits and reached stages of opportunities by themselves (unit opportunities)."""
    entries = store["stage_entries"].filter(ibis._.funnel == name)
    own = store.step(f"deal_events_{name}", events.deal_events(entries, store["deals"], as_of))
    sequence = store.step(f"deal_sequence_{name}", visits.sequenced(own))
    positions = store.step(f"deal_positions_{name}", visits.positions(sequence))
    closed = store["deals"].filter(ibis._.closed_s.notnull())
    ends = closed.select(
        unit="opportunity_id", ended_s="closed_s", ended_day="closed_day", ended_is_date="closed_is_date"
    )
    found = visits.visits(positions, ends).rename(opportunity_id="unit").mutate(funnel=ibis.literal(name))
    store.add("opportunity_visits", found)
    closes = closed.mutate(unit=closed.opportunity_id)
    outcomes = journeys.outcome_entries(closes, closed_stages(funnel)).drop("unit")
    untimed = entries.filter(
        (entries.object == "Opportunity") & journeys.known_by(entries, as_of) & entries.stage_no.notnull()
    )
    untimed = untimed.select("stage_no", opportunity_id="record_id")
    untimed = untimed.semi_join(store["deals"], "opportunity_id")
    own_visits = store["opportunity_visits"].filter(ibis._.funnel == name)
    stages = _stages(store, name, funnel)
    reached = journey_stages.reached(own_visits, outcomes, untimed, "opportunity_id", stages)
    store.add("opportunity_reached", reached.mutate(funnel=ibis.literal(name)))


def _stages(store: Store, name: str, funnel: Funnel) -> ir.Table:
    """The stage numbers of a funnel as a table of the store: what builds on one in memory is compiled three times."""
    return store.once(f"stage_numbers_{name}", stage_numbers(funnel))


def names(funnels: dict[str, Funnel]) -> list[str]:
    """Names of the derived tables that exist for these funnels."""
    people = any(funnel.of_people for funnel in funnels.values())
    found = ["deals", "opportunity_people", "responses", "opportunity_visits", "opportunity_reached"]
    if people:
        found += [
            "journeys",
            "journey_opportunities",
            "journey_visits",
            "journey_stages",
            "journey_outcomes",
            "requalifications",
            "opportunity_origins",
        ]
    return found
