"""The model's tables and the oracle's answers in one shape.

A moment is (UTC second, local day number, whether only its date is known), None without one; a
journey's name is PERSON#PASS; stages are numbers in funnel order.
"""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from leadline.dates import day_number
from leadline.model.opened import Opened
from tests.agreement.compare import differences
from tests.agreement.engine import rows
from tests.oracle.answers import Answers, Journey, Opportunity, Pass, Track
from tests.oracle.clock import Moment
from tests.oracle.links import links

At = tuple[int, int, bool]
Row = dict[str, Any]

ENDED_BY = {"closed": "close"}
REASONS = {"no amount": "no_amount", "no rate": "no_rate", "known": None}


def model_differences(answers: Answers, opened: Opened) -> list[str]:
    """Everything in which the model's tables differ from the oracle."""
    persons = {record: person for record, person in answers.persons.items() if person is not None}
    lines = differences(
        "person of", persons, {row["record_id"]: row["person_id"] for row in rows(opened, "person_records")}
    )
    lines += differences("response", oracle_responses(answers), engine_responses(opened))
    lines += differences("link", oracle_links(answers), engine_links(opened))
    lines += differences("journey", oracle_journeys(answers), engine_journeys(opened))
    return lines + differences("opportunity", oracle_opportunities(answers), engine_opportunities(opened))


def at(moment: Moment | None) -> At | None:
    """An oracle's moment."""
    return None if moment is None else (second(moment), day_number(moment.day), moment.is_date)


def second(moment: Moment) -> int:
    """Its sort key in UTC seconds."""
    return int(moment.key.timestamp())


def moment_of(row: Row, name: str) -> At | None:
    """A moment of the engine's."""
    if row[f"{name}_s"] is None:
        return None
    return row[f"{name}_s"], row[f"{name}_day"], bool(row[f"{name}_is_date"])


def journey_name(name: Pass | None) -> str | None:
    """The engine's name of a journey."""
    return None if name is None else f"{name[0]}#{name[1]}"


def oracle_responses(answers: Answers) -> dict[str, Row]:
    """Member id → what became of it."""
    return {
        one.id: {
            "fate": one.fate,
            "evidence": one.evidence,
            "at": at(one.moment),
            "person": one.person,
            "campaign": one.campaign,
            "journey": journey_name(one.journey),
            "no_person": one.reason == "no person",
        }
        for one in answers.responses.values()
    }


def engine_responses(opened: Opened) -> dict[str, Row]:
    """Member id → what became of it."""
    return {
        row["response_id"]: {
            "fate": row["fate"],
            "evidence": row["date_evidence"],
            "at": moment_of(row, "responded"),
            "person": row["person_id"],
            "campaign": row["campaign_id"],
            "journey": row["journey_id"],
            "no_person": row["fate"] == "excluded" and row["excluded_why"] == "no person",
        }
        for row in rows(opened, "responses")
    }


def oracle_links(answers: Answers) -> dict[tuple[str, str], Row]:
    """(opportunity, person) → how they belong together."""
    deals = {name: one.deal for name, one in answers.opportunities.items()}
    return {
        (one.deal, one.person): {
            "role": one.role,
            "primary": one.primary,
            "converted": one.converted,
            "held": not one.attached,
        }
        for one in links(answers.records, answers.people, deals, answers.clock)
    }


def engine_links(opened: Opened) -> dict[tuple[str, str], Row]:
    """(opportunity, person) → how they belong together."""
    return {
        (row["opportunity_id"], row["person_id"]): {
            "role": row["has_role"],
            "primary": row["is_primary"],
            "converted": row["is_converted_lead"],
            "held": row["held"],
        }
        for row in rows(opened, "opportunity_people")
    }


def oracle_track(answers: Answers, track: Track) -> Row:
    """Visits, first entries, and what is counted beside them."""
    number = answers.stages.index
    first = {number(stage): at(moment) for stage, moment in track.first.items()}
    reached = {number(stage) for stage in track.reached(answers.stages)}
    return {
        "visits": [(number(one.stage), at(one.entered), at(one.left)) for one in track.visits],
        "first": first,
        "without_time": reached - set(first),
        "untimed": {number(stage) for stage in track.untimed} - set(first),
        "regressions": sorted((number(stage), at(moment)) for stage, moment in track.regressions),
        "re_entries": sorted((number(stage), at(moment)) for stage, moment in track.re_entries),
        "outcomes": sorted((number(stage), at(moment)) for stage, moment in track.outcomes),
    }


def requalified(answers: Answers, track: Track) -> list[tuple[int, At | None]]:
    """Entries that moved nothing."""
    return sorted((answers.stages.index(stage), at(moment)) for stage, moment in track.requalifications)


def engine_track(visits: list[Row], reached: list[Row], outcomes: list[Row]) -> Row:
    """The same of one journey's or opportunity's rows."""
    visits = sorted(visits, key=lambda row: row["visit_no"])
    again = [row for row in [*visits, *outcomes] if row["re_entry"]]
    return {
        "visits": [(row["stage_no"], moment_of(row, "entered"), moment_of(row, "left")) for row in visits],
        "first": {row["stage_no"]: moment_of(row, "entered") for row in reached if row["entered_s"] is not None},
        "without_time": {row["stage_no"] for row in reached if row["entered_s"] is None},
        "untimed": {row["stage_no"] for row in reached if row["known"] == "untimed"},
        "regressions": sorted((row["stage_no"], moment_of(row, "entered")) for row in visits if row["regression"]),
        "re_entries": sorted((row["stage_no"], moment_of(row, "entered")) for row in again),
        "outcomes": sorted((row["stage_no"], moment_of(row, "entered")) for row in outcomes),
    }


def grouped(opened: Opened, name: str, key: str) -> dict[str, list[Row]]:
    """Rows of a table by one of its columns."""
    found: dict[str, list[Row]] = defaultdict(list)
    for row in rows(opened, name):
        found[row[key]].append(row)
    return found


def oracle_journeys(answers: Answers) -> dict[str, Row]:
    """Journey → start, end, outcome, origin, track."""
    return {str(journey_name(one.id)): _oracle_journey(answers, one) for one in answers.journeys.values()}


def _oracle_journey(answers: Answers, one: Journey) -> Row:
    return {
        "start": at(one.start),
        "end": at(one.end),
        "ended_by": ENDED_BY.get(str(one.ended_by), one.ended_by),
        "outcome": one.outcome,
        "held": sorted(one.held),
        "origin": one.origin,
        "qualified": one.qualified,
        "conflicts": len(one.conflicts),
        "requalifications": requalified(answers, one.track),
        **oracle_track(answers, one.track),
    }


def engine_journeys(opened: Opened) -> dict[str, Row]:
    """Journey → start, end, outcome, origin, track."""
    parts = ("journey_visits", "journey_stages", "journey_outcomes", "journey_opportunities", "requalifications")
    visits, reached, outcomes, held, lower = (grouped(opened, part, "journey_id") for part in parts)
    return {
        row["journey_id"]: {
            "start": moment_of(row, "started"),
            "end": moment_of(row, "ended"),
            "ended_by": row["ended_by"],
            "outcome": row["outcome"],
            "held": sorted(one["opportunity_id"] for one in held[row["journey_id"]]),
            "origin": row["origin_response_id"],
            "qualified": row["qualified_s"] is not None,
            "conflicts": row["status_conflicts"],
            "requalifications": sorted(
                (one["stage_no"], (one["s"], one["day"], one["is_date"])) for one in lower[row["journey_id"]]
            ),
            **engine_track(visits[row["journey_id"]], reached[row["journey_id"]], outcomes[row["journey_id"]]),
        }
        for row in rows(opened, "journeys")
    }


def oracle_opportunities(answers: Answers) -> dict[str, Row]:
    """Opportunity → state, money, origin, track of its own."""
    return {one.id: _oracle_opportunity(answers, one) for one in answers.opportunities.values()}


def _oracle_opportunity(answers: Answers, one: Opportunity) -> Row:
    track = oracle_track(answers, one.track)
    del track["outcomes"]
    return {
        "state": one.state,
        "stage": one.deal.stage,
        "created": at(one.created),
        "close": at(one.close),
        "amount": one.amount,
        "reason": one.reason,
        "account": one.account,
        "ever_won": one.ever_won,
        "reopened": one.reopened,
        "origin": journey_name(one.origin),
        **track,
    }


def engine_opportunities(opened: Opened) -> dict[str, Row]:
    """Opportunity → state, money, origin, track of its own."""
    visits, reached = (
        grouped(opened, part, "opportunity_id") for part in ("opportunity_visits", "opportunity_reached")
    )
    origins = {row["opportunity_id"]: row["journey_id"] for row in rows(opened, "opportunity_origins")}
    found = {}
    for row in rows(opened, "deals"):
        name = row["opportunity_id"]
        track = engine_track(visits[name], reached[name], [])
        del track["outcomes"]
        found[name] = {
            "state": row["state"],
            "stage": row["stage_name"],
            "created": moment_of(row, "created"),
            "close": moment_of(row, "closed"),
            "amount": row["amount"],
            "reason": REASONS[row["amount_state"]],
            "account": row["account_id"],
            "ever_won": row["ever_won"],
            "reopened": row["reopened"],
            "origin": origins.get(name),
            **track,
        }
    return found
