"""The whole story of a person or of an opportunity: what happened, what shows it, what was left out, who got credit."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from leadline import dates, money
from leadline.errors import LeadlineError, UsageError
from leadline.metrics.assemble import instant
from leadline.model import responses
from leadline.model.opened import Opened
from leadline.results import Result

Credit = Callable[[str], Result]
"""What every touch of an opportunity got from each model, and what is left of its amount."""

WHY = {
    responses.AFTER_AS_OF: "it lies after as-of",
    responses.EXCLUDED: "excluded by rule",
    responses.NO_DATE: "nothing dates it",
    responses.DUPLICATE: "the person has an earlier response to the same campaign",
    responses.TIPPED: "the last response before the first stage beyond Inquiry",
    responses.BEFORE: "an earlier response of the journey",
    responses.AFTER: "the journey had qualified already",
    responses.NOT_QUALIFIED: "the journey has not qualified",
}
"""What each fate of a response means."""

ORDER = (
    "record created",
    "response",
    "journey begins",
    "stage entry",
    "visit",
    "requalification",
    "role",
    "converted",
    "activity",
    "opportunity created",
    "stage value",
    "opportunity won",
    "opportunity lost",
    "journey ends",
)
"""Kinds of events; at one instant they stand in this order."""


@dataclass(frozen=True, slots=True)
class Story:
    """What is known of one person or opportunity, in order of time.

    Attributes:
        kind: journey or opportunity.
        facts: who or what it is, and what it came to.
        events: at, kind, stage, campaign, evidence, fate, why, record_id; `at` is null for what has no time.
        credits: opportunity_id, response_id, campaign, model, points, amount, bucket, why; amounts of one model and
            opportunity add up to the opportunity's.
    """

    kind: str
    title: str
    facts: dict[str, Any]
    events: tuple[dict[str, Any], ...]
    credits: tuple[dict[str, Any], ...]
    notes: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """Plain values, ready for JSON."""
        names = ("kind", "title", "facts", "events", "credits", "notes")
        return {name: getattr(self, name) for name in names}

    def to_json(self) -> str:
        """The same as JSON text."""
        return json.dumps(self.to_dict(), indent=2, ensure_ascii=False, allow_nan=False)


class _Told:
    """Events of one story."""

    def __init__(self, opened: Opened, funnel: str | None) -> None:
        self.opened = opened
        self.name, self.funnel = opened.funnel(funnel)
        self.events: list[tuple[int | None, dict[str, Any]]] = []
        self.campaigns: dict[str, str] = {}

    def rows(self, name: str, column: str, values: Iterable[str]) -> list[dict[str, Any]]:
        """Rows of a table with one of these values, in a total order; those of the funnel where it has several."""
        if name not in self.opened:
            return []
        table = self.opened[name]
        kept = table.filter(table[column].isin(list(values)))
        if "funnel" in table.columns:
            kept = kept.filter(kept.funnel == self.name)
        return list(self.opened.arrow(kept.order_by(kept.columns)).to_pylist())

    def add(self, second: int | None, kind: str, **facts: Any) -> None:
        """One event; facts that are not given are null."""
        names = ("stage", "campaign", "campaign_id", "evidence", "fate", "why", "record_id", "opportunity_id")
        self.events.append((second, {"kind": kind, **{name: facts.get(name) for name in names}}))

    def stage(self, number: int | None) -> str | None:
        """Name of a stage by its number."""
        known = number is not None and 0 <= number < len(self.funnel.stages)
        return self.funnel.stages[number].name if known and number is not None else None

    def label(self, ids: Iterable[str | None]) -> None:
        """Learn the names of campaigns."""
        wanted = sorted({one for one in ids if one} - self.campaigns.keys())
        for row in self.rows("campaigns", "campaign_id", wanted) if wanted else ():
            self.campaigns[row["campaign_id"]] = row["campaign"]

    def ordered(self) -> tuple[dict[str, Any], ...]:
        """Events in order of time, what has none at the end."""
        places = {kind: at for at, kind in enumerate(ORDER)}
        found = sorted(
            self.events,
            key=lambda pair: (
                pair[0] is None,
                pair[0] or 0,
                places[pair[1]["kind"]],
                pair[1]["record_id"] or "",
                pair[1]["stage"] or "",
            ),
        )
        return tuple({"at": _moment(second), **event} for second, event in found)

    def responses(self, rows: Sequence[dict[str, Any]], more: Callable[[dict[str, Any]], str | None]) -> None:
        """Responses with their fate and what it means; `more` says what else there is to say of one."""
        self.label(row["campaign_id"] for row in rows)
        for row in rows:
            fate = row["fate"]
            why = "; ".join(filter(None, (row["excluded_why"] or WHY.get(fate), more(row))))
            self.add(
                row["responded_s"],
                "response",
                stage=self.stage(0) if self.funnel.of_people else None,
                campaign=self.campaigns.get(row["campaign_id"], row["campaign_id"]),
                campaign_id=row["campaign_id"],
                evidence=row["date_evidence"],
                fate=fate,
                why=why,
                record_id=row["response_id"],
            )


def _moment(second: int | None) -> str | None:
    found = instant(second)
    return None if found is None else dates.format_instant(found)


def person_of(opened: Opened, record: str) -> str:
    """The person a lead or contact id belongs to.

    Raises:
        UsageError: the snapshot has no such record.
    """
    table = opened["person_records"]
    own = table.filter(table.record_id.substr(0, 15) == record[:15]).select("person_id")
    rows = opened.arrow(own).to_pylist()
    if not rows:
        raise UsageError(
            f"No lead or contact {record!r} is in the snapshot; give its Salesforce id of 15 or 18 characters, or its "
            "e-mail address."
        )
    return str(rows[0]["person_id"])


def journey(opened: Opened, person: str, *, funnel: str | None, credit: Credit) -> Story:
    """The story of a person: every record, response, stage, role and opportunity, and the credit of the responses.

    Args:
        opened: a snapshot.
        person: id of one of the person's leads or contacts.
        funnel: its name; None is the first one.
        credit: tells the credit of an opportunity.

    Raises:
        UsageError: the snapshot has no such record.
        UnknownNameError: there is no such funnel.
    """
    person_id = person_of(opened, person)
    told = _Told(opened, funnel)
    records = sorted(
        told.rows("person_records", "person_id", [person_id]),
        key=lambda row: (row["created_s"] is None, row["created_s"], row["record_id"]),
    )
    for row in records:
        merged = None if row["record_id"] == person_id else f"one person with {person_id}"
        told.add(row["created_s"], "record created", record_id=row["record_id"], why=merged, evidence=row["object"])
    journeys = told.rows("journeys", "person_id", [person_id])
    passes = {row["journey_id"]: row["pass_no"] for row in journeys}
    told.responses(
        told.rows("responses", "person_id", [person_id]),
        lambda row: f"pass {passes[row['journey_id']]}" if row["journey_id"] in passes else None,
    )
    _stages(told, [row["record_id"] for row in records])
    _passes(told, journeys)
    deals = _deals_of(told, person_id)
    for row in told.rows("activities", "person_id", [person_id]):
        told.add(row["done_s"], "activity", evidence=row["evidence"], record_id=row["activity_id"], why=row["kind"])
    found, notes = _credits(told, deals, credit, lambda row: row["person_id"] == person_id)
    facts = {
        "person_id": person_id,
        "records": [row["record_id"] for row in records],
        "funnel": told.name,
        "journeys": [_pass_facts(told, row) for row in sorted(journeys, key=lambda row: row["pass_no"])],
        "opportunities": deals,
    }
    return Story("journey", f"Journey of {person_id}", facts, told.ordered(), found, notes)


def _stages(told: _Told, records: list[str]) -> None:
    """What shows entries of the person's records into stages and outcomes."""
    for row in told.rows("stage_entries", "record_id", records):
        name = told.stage(row["stage_no"]) or row["outcome"]
        why = None if row["at_s"] is not None else "no time is known: it counts as reached, and moves nothing"
        told.add(row["at_s"], "stage entry", stage=name, evidence=row["evidence"], why=why, record_id=row["record_id"])


def _passes(told: _Told, journeys: list[dict[str, Any]]) -> None:
    """Beginning and end of each pass, and the stages it stood in."""
    names = [row["journey_id"] for row in journeys]
    for row in journeys:
        told.add(row["started_s"], "journey begins", why=f"pass {row['pass_no']}", record_id=row["journey_id"])
        if row["ended_s"] is not None:
            why = f"pass {row['pass_no']}: {row['ended_by']}"
            told.add(row["ended_s"], "journey ends", why=why, fate=row["outcome"], record_id=row["journey_id"])
    for row in told.rows("journey_visits", "journey_id", names):
        told.add(row["entered_s"], "visit", stage=told.stage(row["stage_no"]), **_visit(row, "journey_id"))
    for row in told.rows("requalifications", "journey_id", names):
        why = "a lower entry on another record; the position stays"
        told.add(row["s"], "requalification", stage=told.stage(row["stage_no"]), why=why, record_id=row["journey_id"])


def _visit(row: dict[str, Any], key: str) -> dict[str, Any]:
    left = _moment(row["left_s"])
    marks = [name.replace("_", "-") for name in ("regression", "re_entry") if row[name]]
    why = ", ".join([f"until {left}" if left else "still there", *marks])
    return {"evidence": row["evidence"], "why": why, "record_id": row[key]}


def _pass_facts(told: _Told, row: dict[str, Any]) -> dict[str, Any]:
    told.label([row["origin_campaign_id"]])
    return {
        "journey_id": row["journey_id"],
        "pass": row["pass_no"],
        "started_at": _moment(row["started_s"]),
        "ended_at": _moment(row["ended_s"]),
        "outcome": row["outcome"],
        "origin_campaign": told.campaigns.get(row["origin_campaign_id"], row["origin_campaign_id"]),
        "tipping_response_id": row["tipping_response_id"],
    }


def _deals_of(told: _Told, person_id: str) -> list[str]:
    """Opportunities of a person with how the person came to them; their ids."""
    pairs = told.rows("opportunity_people", "person_id", [person_id])
    ids = sorted(row["opportunity_id"] for row in pairs)
    held = {row["opportunity_id"]: row["held"] for row in pairs}
    for row in told.rows("roles", "person_id", [person_id]):
        counted = None if row["opportunity_id"] in held else "not counted: the opportunity or the role lies after as-of"
        told.add(
            row["created_s"],
            "role",
            why=", ".join(filter(None, (row["role"], "primary" if row["is_primary"] else None, counted))),
            record_id=row["role_id"],
            opportunity_id=row["opportunity_id"],
        )
    for row in told.rows("conversions", "person_id", [person_id]):
        told.add(row["converted_s"], "converted", record_id=row["record_id"], opportunity_id=row["opportunity_id"])
    for row in told.rows("deals", "opportunity_id", ids):
        why = None if held[row["opportunity_id"]] else "attached: the person was not there yet, so it moves no stage"
        _deal_events(told, row, why)
    return ids


def _deal_events(told: _Told, row: dict[str, Any], why: str | None) -> None:
    deal = row["opportunity_id"]
    told.add(row["created_s"], "opportunity created", why=why, record_id=deal, opportunity_id=deal)
    if row["state"] != "open":
        moved = "the close was moved to the creation" if row["clamped"] else None
        told.add(
            row["closed_s"],
            f"opportunity {row['state']}",
            stage=row["stage_name"],
            why=moved,
            record_id=deal,
            opportunity_id=deal,
        )


def opportunity(opened: Opened, record: str, *, funnel: str | None, credit: Credit) -> Story:
    """The story of an opportunity: its stages, its people with their responses, and the credit under every model.

    Args:
        opened: a snapshot.
        record: id of the opportunity.
        funnel: its name; None is the first one.
        credit: tells the credit of an opportunity.

    Raises:
        UsageError: the snapshot has no such opportunity.
        UnknownNameError: there is no such funnel.
    """
    told = _Told(opened, funnel)
    table = opened["deals"]
    rows = opened.arrow(table.filter(table.opportunity_id.substr(0, 15) == record[:15])).to_pylist()
    if not rows:
        raise UsageError(
            f"No opportunity {record!r} is in the snapshot, or it was created after as-of; give its Salesforce id of 15 "
            "or 18 characters."
        )
    deal = rows[0]
    own = [deal["opportunity_id"]]
    _deal_events(told, deal, None)
    for row in told.rows("opportunity_stages", "opportunity_id", own):
        told.add(row["at_s"], "stage value", stage=row["stage_name"], evidence=row["evidence"], record_id=row["id"])
    for row in told.rows("opportunity_visits", "opportunity_id", own):
        told.add(row["entered_s"], "visit", stage=told.stage(row["stage_no"]), **_visit(row, "opportunity_id"))
    people = told.rows("opportunity_people", "opportunity_id", own)
    for row in told.rows("roles", "opportunity_id", own):
        why = ", ".join(filter(None, (row["role"], "primary" if row["is_primary"] else None, row["person_id"])))
        told.add(row["created_s"], "role", why=why or "a role without a person", record_id=row["role_id"])
    for row in told.rows("conversions", "opportunity_id", own):
        told.add(row["converted_s"], "converted", why=row["person_id"], record_id=row["record_id"])
    found, notes = _credits(told, own, credit, lambda row: True)
    left_out = {row["response_id"]: row["why"] for row in found if row["model"] is None and row["response_id"]}
    persons = sorted(row["person_id"] for row in people)
    told.responses(told.rows("responses", "person_id", persons), lambda row: _of_person(row, left_out))
    origins = told.rows("opportunity_origins", "opportunity_id", own)
    facts = {
        "opportunity_id": deal["opportunity_id"],
        "opportunity": deal["opportunity"],
        "account_id": deal["account_id"],
        "state": deal["state"],
        "stage": deal["stage_name"],
        "amount": None if deal["amount"] is None else money.format_minor(deal["amount"], opened.currency.digits),
        "amount_state": deal["amount_state"],
        "currency": opened.currency.code,
        "created_at": _moment(deal["created_s"]),
        "closed_at": _moment(deal["closed_s"]),
        "origin_journey": origins[0]["journey_id"] if origins else None,
        "funnel": told.name,
        "people": [
            {name: row[name] for name in ("person_id", "has_role", "is_primary", "is_converted_lead", "held")}
            for row in sorted(people, key=lambda row: row["person_id"])
        ],
    }
    title = f"Opportunity {deal['opportunity'] or deal['opportunity_id']}"
    return Story("opportunity", title, facts, told.ordered(), found, notes)


def _of_person(row: dict[str, Any], left_out: dict[str, str]) -> str:
    why = left_out.get(row["response_id"])
    return f"person {row['person_id']}" + (f"; no credit: {why}" if why else "")


def _credits(
    told: _Told, deals: list[str], credit: Credit, wanted: Callable[[dict[str, Any]], bool]
) -> tuple[tuple[dict[str, Any], ...], tuple[str, ...]]:
    """Credits of opportunities in rows that add up to each amount, and why some have none."""
    found: list[dict[str, Any]] = []
    notes: list[str] = []
    for deal in deals:
        try:
            result = credit(deal)
        except LeadlineError as fault:
            notes.append(str(fault))
            continue
        found += list(_credit_rows(result, deal, wanted))
    return tuple(found), tuple(notes)


def _credit_rows(result: Result, deal: str, wanted: Callable[[dict[str, Any]], bool]) -> Iterator[dict[str, Any]]:
    for row in result.plain().to_pylist():
        if wanted(row):
            yield {
                "opportunity_id": deal,
                "model": row["model"],
                "bucket": row["bucket"],
                "response_id": row["response_id"],
                "person_id": row["person_id"],
                "campaign": row["campaign"] or row["campaign_id"],
                "points": row["points"],
                "amount": row["credit"],
                "why": row["why"] or row["reason"],
            }
