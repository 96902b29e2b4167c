"""The derived tables: what the base tables mean at an as-of."""

from __future__ import annotations

import ibis
import ibis.expr.types as ir

from leadline.config import Funnel, Settings
from leadline.model import deals, events, journey_stages, journeys, responses, roles, visits
from leadline.model.asof import AsOf
from leadline.model.funnels import closed_stages, stage_numbers
from leadline.model.money import Currency
from leadline.model.store import Store


def build(store: Store, settings: Settings, currency: Currency, as_of: AsOf) -> None:
    """Build every derived table into `store`, which holds the base tables."""
    known = deals.deals(store["opportunities"], store["opportunity_stages"], store["days"], as_of)
    known = store.step("deals_raw", known)
    store.keep(
        "deals", deals.with_amounts(known, store["rates_static"], store["rates_dated"], settings.amount, currency)
    )
    pairs = roles.opportunity_people(store["roles"], store["conversions"], store["deals"], store["people"], as_of)
    store.keep("opportunity_people", pairs)
    store.step("sorted_members", responses.sorted_out(store["members"], as_of))
    for name, funnel in settings.funnel.items():
        if funnel.of_people:
            _Journeys(store, name, funnel, as_of).build()
    if not any(funnel.of_people for funnel in settings.funnel.values()):
        store.add("responses", _outside_funnels(store.steps["sorted_members"]))
    for name, funnel in settings.funnel.items():
        _opportunities(store, name, funnel, as_of)


def _outside_funnels(sorted_members: ir.Table) -> ir.Table:
    """Without a funnel of people responses have no journey; those that would count are not qualified."""
    return sorted_members.mutate(
        journey_id=ibis.null("string"),
        fate=sorted_members.out.fill_null(responses.NOT_QUALIFIED),
        excluded_why=sorted_members.excluded,
        funnel=ibis.literal(""),
    ).drop("out", "excluded")


class _Journeys:
    """Journeys of one funnel of people."""

    def __init__(self, store: Store, name: str, funnel: Funnel, as_of: AsOf) -> None:
        self.store = store
        self.name = name
        self.funnel = funnel
        self.as_of = as_of

    def build(self) -> None:
        """Events → journeys → visits → stages → fates."""
        store = self.store
        entries = store["stage_entries"].filter(ibis._.funnel == self.name)
        happened = self._step(
            "events",
            events.person_events(
                store.steps["sorted_members"],
                entries,
                store["person_records"],
                store["opportunity_people"],
                store["deals"],
                self.as_of,
            ),
        )
        inside = self._step("inside", events.in_journeys(happened, self.funnel.dormancy_days))
        sequence = self._step("sequence", visits.sequenced(inside))
        ends = self._step("ends", journeys.ends(sequence, store["days"], self.funnel.dormancy_days, self.as_of))
        held = self._add("journey_opportunities", journeys.journey_opportunities(sequence))
        positions = self._step("positions", visits.positions(sequence))
        self._visits(sequence, positions, ends)
        untimed = self._step(
            "untimed", journeys.untimed_entries(entries, store["person_records"], held, ends, self.as_of)
        )
        self._journeys(sequence, ends, held, untimed)

    def _visits(self, sequence: ir.Table, positions: ir.Table, ends: ir.Table) -> None:
        moments = ends.select("journey_id", "ended_s", "ended_day", "ended_is_date")
        self._add("journey_visits", visits.visits(positions, moments))
        self._add("requalifications", visits.requalifications(positions))
        closes = journeys.closes(sequence, self.store["deals"])
        self._add("journey_outcomes", journeys.outcome_entries(closes, closed_stages(self.funnel)))

    def _journeys(self, sequence: ir.Table, ends: ir.Table, held: ir.Table, untimed: ir.Table) -> None:
        store = self.store
        own_visits, own_outcomes = self._own("journey_visits"), self._own("journey_outcomes")
        qualified = self._step("qualified", journeys.qualified(own_visits, own_outcomes))
        campaigns = store["members"].select("response_id", "campaign_id")
        origins = self._step("origins", journeys.origins(sequence, qualified, campaigns, self.funnel.look_back_days))
        undated = journeys.undated_journeys(untimed, ends)
        all_journeys = self._add("journeys", journeys.journeys(ends, held, qualified, origins, undated))
        self._add(
            "journey_stages",
            journey_stages.reached(own_visits, own_outcomes, untimed, "journey_id", stage_numbers(self.funnel)),
        )
        self._add("opportunity_origins", journeys.opportunity_origins(held, all_journeys, store["opportunity_people"]))
        self._add("responses", responses.responses(store.steps["sorted_members"], sequence, all_journeys))

    def _step(self, name: str, expression: ir.Table) -> ir.Table:
        return self.store.step(f"{name}_{self.name}", expression)

    def _add(self, name: str, expression: ir.Table) -> ir.Table:
        self.store.add(name, expression.mutate(funnel=ibis.literal(self.name)))
        return self._own(name)

    def _own(self, name: str) -> ir.Table:
        return self.store[name].filter(ibis._.funnel == self.name).drop("funnel")


def _opportunities(store: Store, name: str, funnel: Funnel, as_of: AsOf) -> None:
    """Visits and reached stages of opportunities by themselves (unit opportunities)."""
    entries = store["stage_entries"].filter(ibis._.funnel == name)
    own = store.step(f"deal_events_{name}", events.deal_events(entries, store["deals"], as_of))
    sequence = store.step(f"deal_sequence_{name}", visits.sequenced(own))
    positions = store.step(f"deal_positions_{name}", visits.positions(sequence))
    closed = store["deals"].filter(ibis._.closed_s.notnull())
    ends = closed.select(
        journey_id="opportunity_id", ended_s="closed_s", ended_day="closed_day", ended_is_date="closed_is_date"
    )
    found = visits.visits(positions, ends).rename(opportunity_id="journey_id").mutate(funnel=ibis.literal(name))
    store.add("opportunity_visits", found)
    closes = closed.mutate(journey_id=closed.opportunity_id)
    outcomes = journeys.outcome_entries(closes, closed_stages(funnel)).drop("journey_id")
    untimed = entries.filter((entries.object == "Opportunity") & entries.at_s.isnull() & entries.stage_no.notnull())
    untimed = untimed.select("stage_no", opportunity_id="record_id")
    untimed = untimed.semi_join(store["deals"], "opportunity_id")
    own_visits = store["opportunity_visits"].filter(ibis._.funnel == name)
    stages = journey_stages.reached(own_visits, outcomes, untimed, "opportunity_id", stage_numbers(funnel))
    store.add("opportunity_reached", stages.mutate(funnel=ibis.literal(name)))


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
