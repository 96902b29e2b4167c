"""The people and opportunities that findings touch, each finding's in a world of its own.

All worlds stand in the same base tables, with ids that begin with the key of their world, so that
the model is built once for all of them and by the same code as a snapshot.

Of a finding with persons P and opportunities O, what can change is P' = P and everybody on O, and
O' = O and every opportunity of P'. Touches of O' need everybody on O' too; these come along and
are not measured.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import ibis
import ibis.expr.types as ir
import pyarrow as pa

from leadline.audit.check import Mend
from leadline.config import Funnel
from leadline.metrics.credit import touches
from leadline.metrics.query import Query, ask
from leadline.model import derived, people
from leadline.model.kept import Kept
from leadline.model.opened import Opened
from leadline.model.store import Store

KEY = "world"
"""Column that holds the key of a world: digits and a bar, what its ids begin with."""


_HIT = ("object", "record_id", "person_id", "into_id")


@dataclass(frozen=True, slots=True)
class Case:
    """A finding, of all its objects, with the way its records are mended."""

    code: str
    mend: Mend

    def key(self, number: int) -> str:
        """The key of its world."""
        return f"{number:03}|"


@dataclass(frozen=True, slots=True)
class Touched:
    """Who is touched in each world: tables of (world, id), kept.

    Attributes:
        hits: the records: world, object, record_id, person_id, opportunity_id, into_id.
        persons, deals: P' and O' of this module's text.
        around: everybody on O'.
    """

    hits: ir.Table
    persons: ir.Table
    deals: ir.Table
    around: ir.Table


def touched(opened: Opened, cases: list[Case]) -> Touched:
    """The people and opportunities of each case."""
    schema = pa.schema([(name, pa.string()) for name in ("code", KEY)])
    rows = [{"code": one.code, KEY: one.key(at)} for at, one in enumerate(cases)]
    worlds = ibis.memtable(pa.Table.from_pylist(rows, schema=schema))
    records = opened["finding_records"]
    hits = opened.keep(records.join(worlds, "code").drop("code"))
    pairs = _pairs(opened)
    first = _ids(hits, "person_id")
    named = _ids(hits, "opportunity_id")
    persons = opened.keep(first.union(_over(named, pairs, "opportunity_id", "person_id"), distinct=True))
    deals = opened.keep(named.union(_over(persons, pairs, "person_id", "opportunity_id"), distinct=True))
    around = opened.keep(persons.union(_over(deals, pairs, "opportunity_id", "person_id"), distinct=True))
    return Touched(hits, persons, deals, around)


def _pairs(opened: Opened) -> ir.Table:
    """Who is on which opportunity, and whose responses count for it in the scope of the settings."""
    pairs = opened["opportunity_people"].select("opportunity_id", "person_id")
    scope = opened.settings.influence.scope
    if scope not in (touches.ACCOUNT, touches.MATCHED):
        return pairs
    asked = ask(opened, Query(unit="opportunities"))
    return pairs.union(touches.people(asked, opened["deals"], scope), distinct=True)


def _ids(hits: ir.Table, name: str) -> ir.Table:
    return hits.filter(hits[name].notnull()).select(KEY, name).distinct()


def _over(known: ir.Table, pairs: ir.Table, left: str, right: str) -> ir.Table:
    return known.join(pairs, left).select(KEY, right)


def mended(opened: Opened, cases: list[Case], who: Touched) -> tuple[Opened, Touched]:
    """The worlds after mending, as a snapshot of their own, and what is measured in it by its new ids."""
    made = _Mending(opened, cases, who)
    base = made.tables()
    settings = opened.settings.model_copy(update={"funnel": _read(opened)})
    store = Store(opened.backend, temporary=True, found=dict(opened.tables))
    for name, expression in base.items():
        store.keep(name, expression)
    store.keep("people", people.people(store["person_records"]))
    for info in derived.names(settings.funnel):
        store.tables.pop(info, None)
    derived.build(store, settings, opened.currency, opened.as_of)
    store.forget()
    world = replace(opened, tables=store.tables, settings=settings, kept=Kept("world"))
    return world, made.measured()


def _read(opened: Opened) -> dict[str, Funnel]:
    """The funnels that headline numbers read: the first one, and the first of people."""
    funnels = opened.settings.funnel
    first = next(iter(funnels))
    of_people = next((name for name, funnel in funnels.items() if funnel.of_people), first)
    return {name: funnels[name] for name in dict.fromkeys((first, of_people))}


class _Mending:
    """Base tables of all worlds, mended."""

    def __init__(self, opened: Opened, cases: list[Case], who: Touched) -> None:
        self.opened, self.who = opened, who
        by_treatment: dict[str, list[str]] = {}
        for at, one in enumerate(cases):
            by_treatment.setdefault(one.mend.treatment, []).append(one.key(at))
        self.left_out = self._with_losers(self._hits(by_treatment.get("leave out", [])))
        self.merged = self._hits(by_treatment.get("merge", []))
        self.dated = self._hits(by_treatment.get("date by creation", []))

    def _hits(self, keys: list[str]) -> ir.Table | None:
        hits = self.who.hits
        return hits.filter(hits[KEY].isin(keys)).select(KEY, *_HIT) if keys else None

    def _with_losers(self, hits: ir.Table | None) -> ir.Table | None:
        """What was merged into a record that is left out goes with it."""
        if hits is None:
            return None
        records = self.opened["person_records"]
        losers = records.filter(records.deleted).select("object", "person_id", loser_id="record_id")
        lost = hits.join(losers, ["object", "person_id"])
        more = lost.select(KEY, "object", "person_id", "into_id", record_id="loser_id")
        return self.opened.keep(hits.union(more.select(KEY, *_HIT), distinct=True))

    def tables(self) -> dict[str, ir.Table]:
        """The base tables that differ from the snapshot's, by name."""
        # Accounts are named by world too: in their scopes they tie people to opportunities.
        records = self._named(self._of_persons("person_records"), "record_id", "account_id")
        records = self._without(records, "record_id", "Lead", "Contact")
        members = self._named(self._of_persons("members"), "response_id", "record_id")
        members = self._without(members, "response_id", "CampaignMember")
        members = self._without(members, "record_id", "Lead", "Contact")
        conversions = self._of_deals(self._of_persons("conversions"))
        conversions = self._without(
            self._named(conversions, "record_id", "opportunity_id"), "record_id", "Lead", "Contact"
        )
        deals = self._named(self._of_deals(self.opened["opportunities"]), "opportunity_id", "account_id")
        matched = {}
        if touches.MATCHES in self.opened:
            matched = {touches.MATCHES: self._named(self._of_persons(touches.MATCHES), "account_id").drop(KEY)}
        return matched | {
            "person_records": records.drop(KEY),
            "members": self._redated(members).drop(KEY),
            "roles": self._roles(),
            "conversions": conversions.drop(KEY),
            "opportunities": self._without(deals, "opportunity_id", "Opportunity").drop(KEY),
            "opportunity_stages": self._named(self._of_deals(self.opened["opportunity_stages"]), "opportunity_id").drop(
                KEY
            ),
            "stage_entries": self._entries(),
        }

    def _of_persons(self, name: str) -> ir.Table:
        """Rows of a table with a person, once per world the person is in; merged persons by their new id."""
        joined = self.opened[name].join(self.who.around, "person_id")
        if self.merged is None:
            return self._named(joined, "person_id")
        into = self.merged.select(KEY, "person_id", "into_id").distinct()
        joined = joined.left_join(into, [KEY, "person_id"]).drop(f"{KEY}_right", "person_id_right")
        one = joined.mutate(person_id=ibis.coalesce(joined.into_id, joined.person_id)).drop("into_id")
        return self._named(one, "person_id")

    def _of_deals(self, table: ir.Table) -> ir.Table:
        """Rows of a table with an opportunity, once per world the opportunity is in."""
        if KEY in table.columns:
            return table.semi_join(self.who.deals, [KEY, "opportunity_id"])
        return table.join(self.who.deals, "opportunity_id")

    def _named(self, table: ir.Table, *ids: str) -> ir.Table:
        """Ids that begin with the key of their world."""
        return table.mutate(**{name: table[KEY].concat(table[name]) for name in ids})

    def _without(self, table: ir.Table, name: str, *objects: str) -> ir.Table:
        """Rows without those whose record `name` is left out of their world."""
        if self.left_out is None:
            return table
        gone = self.left_out.filter(self.left_out.object.isin(list(objects)))
        return table.anti_join(gone.select(**{name: gone[KEY].concat(gone.record_id)}), name)

    def _roles(self) -> ir.Table:
        """Contact roles; those of a contact that is left out go with it."""
        roles = self._named(self._of_deals(self._of_persons("roles")), "role_id", "opportunity_id")
        roles = self._without(roles, "role_id", "OpportunityContactRole")
        if self.left_out is None:
            return roles.drop(KEY)
        gone = self.left_out.filter((self.left_out.object == "Contact") & self.left_out.person_id.notnull())
        return roles.anti_join(gone.select(person_id=gone[KEY].concat(gone.person_id)), "person_id").drop(KEY)

    def _redated(self, members: ir.Table) -> ir.Table:
        """Undated responses at the moment their member was created."""
        if self.dated is None:
            return members
        chosen = self.dated.select(chosen_id=self.dated[KEY].concat(self.dated.record_id)).distinct()
        joined = members.left_join(chosen, [("response_id", "chosen_id")])
        yes = joined.chosen_id.notnull()
        columns = {
            f"responded_{part}": ibis.ifelse(yes, joined[f"created_{part}"], joined[f"responded_{part}"])
            for part in ("s", "day", "is_date")
        }
        evidence = ibis.ifelse(yes & joined.created_s.notnull(), ibis.literal("created"), joined.date_evidence)
        return joined.mutate(**columns, date_evidence=evidence).drop("chosen_id")

    def _entries(self) -> ir.Table:
        """Stage entries of the records and opportunities of each world."""
        around = self.who.around.join(self.opened["person_records"].select("record_id", "person_id"), "person_id")
        own = around.select(KEY, "record_id").union(self.who.deals.select(KEY, record_id="opportunity_id"))
        named = self._named(self.opened["stage_entries"].join(own, "record_id"), "record_id")
        return self._without(named, "record_id", "Lead", "Contact", "Opportunity").drop(KEY)

    def measured(self) -> Touched:
        """Persons and opportunities that are measured, by their ids in the worlds."""
        persons = self.who.persons
        if self.merged is not None:
            into = self.merged.select(KEY, "person_id", "into_id").distinct()
            joined = persons.left_join(into, [KEY, "person_id"]).drop(f"{KEY}_right", "person_id_right")
            persons = joined.select(KEY, person_id=ibis.coalesce(joined.into_id, joined.person_id)).distinct()
        return Touched(
            self.who.hits,
            self._named(persons, "person_id"),
            self._named(self.who.deals, "opportunity_id"),
            self.who.around,
        )
