"""The tables of a snapshot: what a row is, its key, and what each column means.

The order of building is the order of `PUBLISHED`; a snapshot carries this text with it.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class TableInfo:
    """One table of a snapshot."""

    name: str
    key: tuple[str, ...]
    text: str
    derived: bool
    """True if the table depends on as-of and funnels, False if it is known at the load."""


PUBLISHED: tuple[TableInfo, ...] = (
    TableInfo("person_records", ("record_id",), "A lead or contact record and the person it belongs to", False),
    TableInfo("people", ("person_id",), "A person: the last record of conversions and merges", False),
    TableInfo("users", ("user_id",), "A user, and what the settings call the records this user creates", False),
    TableInfo("person_owners", ("person_id",), "The owner of a person's record", False),
    TableInfo(
        "campaign_costs", ("campaign_id", "line_no"), "A cost of a campaign: ActualCost, or a line of costs.csv", False
    ),
    TableInfo("campaigns", ("campaign_id",), "A campaign with its type, place in the hierarchy, dates and cost", False),
    TableInfo("members", ("response_id",), "A campaign member that responded, with the evidence for its date", False),
    TableInfo("opportunities", ("opportunity_id",), "An opportunity as its record stands", False),
    TableInfo(
        "opportunity_stages", ("opportunity_id", "at_s", "id", "stage_name"), "A dated value of StageName", False
    ),
    TableInfo("stage_values", ("stage_name",), "A value of StageName: won, lost or open, and its place", False),
    TableInfo(
        "opportunity_versions",
        ("opportunity_id", "from_s"),
        "What an opportunity was from one instant to another, as any as-of between them reads it",
        False,
    ),
    TableInfo("opportunity_products", ("line_id",), "A line item of an opportunity, with its product", False),
    TableInfo("roles", ("role_id",), "A contact role", False),
    TableInfo(
        "role_members",
        ("response_id",),
        "A campaign member of any status whose person has a role on an opportunity",
        False,
    ),
    TableInfo("salesforce_influence", ("influence_id",), "An influence row that the org itself keeps", False),
    TableInfo("conversions", ("record_id",), "A converted lead and the opportunity it became", False),
    TableInfo("activities", ("activity_id",), "A completed task or an event on a person", False),
    TableInfo(
        "stage_entries",
        ("funnel", "object", "record_id", "stage_no", "outcome", "evidence", "at_s", "known_s"),
        "An entry of a record into a stage, with what shows it",
        False,
    ),
    TableInfo("dimension_values", ("kind", "id", "dimension"), "A value of a configured dimension", False),
    TableInfo("account_matches", ("person_id",), "A lead that belongs to an account, and what shows it", False),
    TableInfo(
        "account_candidates",
        ("person_id", "account_id"),
        "An account a lead may belong to, where several fit and none was chosen",
        False,
    ),
    TableInfo("match_rules", ("rule",), "A rule of matching, and how it does on converted leads", False),
    TableInfo("possible_duplicates", ("person_id", "other_id"), "Two people that may be one", False),
    TableInfo("deals", ("opportunity_id",), "An opportunity at as-of: state, close moment, amount", True),
    TableInfo(
        "opportunity_people", ("opportunity_id", "person_id"), "A person on an opportunity, held or attached", True
    ),
    TableInfo("responses", ("funnel", "response_id"), "A response with its fate and journey", True),
    TableInfo("journeys", ("funnel", "journey_id"), "A person's pass through a funnel", True),
    TableInfo(
        "journey_opportunities", ("funnel", "journey_id", "opportunity_id"), "An opportunity a journey holds", True
    ),
    TableInfo("journey_visits", ("funnel", "journey_id", "visit_no"), "A run of one position of a journey", True),
    TableInfo("journey_stages", ("funnel", "journey_id", "stage_no"), "A stage a journey reached", True),
    TableInfo(
        "journey_outcomes",
        ("funnel", "journey_id", "stage_no", "opportunity_id"),
        "A close that is a stage of the funnel",
        True,
    ),
    TableInfo("requalifications", ("funnel", "journey_id", "stage_no", "s"), "A lower entry that moved nothing", True),
    TableInfo("opportunity_origins", ("funnel", "opportunity_id"), "The journey an opportunity comes from", True),
    TableInfo(
        "opportunity_visits", ("funnel", "opportunity_id", "visit_no"), "A run of one stage of an opportunity", True
    ),
    TableInfo("opportunity_reached", ("funnel", "opportunity_id", "stage_no"), "A stage an opportunity reached", True),
)

EXTRA: tuple[TableInfo, ...] = (
    TableInfo("days", ("day",), "A day of the reporting zone, with the periods it belongs to", False),
    TableInfo("rates_static", ("currency",), "A currency's static rate and its decimal places", False),
    TableInfo("rates_dated", ("currency", "from_day"), "A currency's rate from one day to another", False),
    TableInfo(
        "findings", ("code", "object", "message"), "A fault of the data, as the audit at publish found it", False
    ),
    TableInfo("finding_records", ("code", "object", "record_id"), "A record with a fault, and whom it touches", False),
    TableInfo("journey_dimensions", ("funnel", "journey_no"), "The dimensions of a journey, a column for each", True),
    TableInfo("journey_findings", ("funnel", "journey_no"), "The findings that touch a journey", True),
    TableInfo(
        "journey_times",
        ("funnel", "journey_no", "stage_no"),
        "How long a journey stood in a stage, all visits together, and what ended that",
        True,
    ),
    TableInfo("_lineage", ("step", "why"), "A step from the source's records to the model, counted", False),
    TableInfo(
        "_fields",
        ("table", "column", "object", "field"),
        "A field of the source that a column of a table rests on; without a column, its rows",
        False,
    ),
    TableInfo("_meta", ("key",), "A fact about the snapshot itself", False),
    TableInfo("_tables", ("table",), "A table of the snapshot", False),
    TableInfo("_columns", ("table", "column"), "A column of a table of the snapshot", False),
)
"""Tables beside those of the model; the content hash leaves them out."""

COLUMN_TEXT: dict[str, str] = {
    "record_id": "Salesforce id of the record",
    "person_id": "Salesforce id of the person's surviving record",
    "journey_id": "person_id, #, number of the pass",
    "mask": "sum of 2^place over the codes of the findings, in the order of the alphabet, without notes and whole ones",
    "seconds": "seconds stood there up to as-of, whole days as days of 86,400",
    "cause": "advanced, exit or censored (it may go on)",
    "journey_no": "number of the journey in this snapshot, to join by: number of the person × 2^20 + pass_no",
    "pass_no": "number of the pass, from 1",
    "response_id": "Salesforce id of the campaign member",
    "opportunity_id": "Salesforce id of the opportunity",
    "campaign_id": "Salesforce id of the campaign",
    "into_id": "Salesforce id of the person this record's person is taken to be, of duplicates",
    "created_month": "day number of the first day of the local month the record was created in",
    "funnel": "name of the funnel in leadline.toml",
    "stage_no": "number of the stage in funnel order, from 0",
    "user": "full name of the user",
    "owner": "name of the owner, else the id",
    "user_id": "Salesforce id of the user",
    "created_by_id": "Salesforce id of the user who created the record (of a person: the earliest record)",
    "written_by": "label by [written_by] of leadline.toml, else the name, else the id",
    "generated_by": "team by [generated_by_role] of leadline.toml, or nothing",
    "known_s": "UTC second from which on an entry without a time is known to have happened; empty: always",
    "rule": "rule of matching: contact email, domain, company name or override",
    "agrees": "what agrees: the address, the domain, the company in normal form; of a match made by hand the line",
    "told_apart_by": "what chose among several accounts: company name or hierarchy",
    "candidate_count": "accounts that fit by the rule",
    "score_parts": "expected share of right matches of the rule, in millionths",
    "rule_no": "number of the rule in order, from 1",
    "placed_count": "converted leads that the rule would place",
    "right_count": "of these, those it would place at the account they were converted into",
    "other_id": "Salesforce id of the other person's surviving record",
    "probability_parts": "probability that both are one person, in millionths",
    "reason": "what agrees and what does not",
    "same_email": "whether both have one e-mail address",
    "group_id": "least person_id of all people that pairs connect",
    "fate": "what a response came to",
    "outcome": "how it ended at as-of",
    "evidence": "what shows the time",
    "known": "observed, or why the stage is only implied",
    "amount": "minor units of the reporting currency",
    "amount_state": "known, no amount, no rate, too large",
    "state": "won, lost or open",
    "share_parts": "millionths of the opportunity's amount",
    "org_model": "label of the org's influence model",
    "product": "name of the product, else its id, else the name of the line",
    "product_family": "Family of the product",
    "line_amount": "TotalPrice in minor units of the opportunity's currency",
    "line_no": "line of the costs file; 0: ActualCost",
    "cost_source": "ActualCost or file",
    "starts_day": "first day, days since 1970-01-01",
    "ends_day": "last day, days since 1970-01-01",
    "code": "name of the check or finding",
    "object": "Salesforce object of the record or records",
    "severity": "error, warning or info",
    "message": "what is wrong, in words",
    "row_count": "records with the fault; 0: the data as a whole",
    "whole": "whether the fault is about the data as a whole",
    "moves": "metrics it can move, joined by commas",
    "remedy": "what to do",
    "step": "name of the step",
    "rows_in": "rows that went into the step, or nothing for the first",
    "rows_out": "rows that came out of it",
    "why": "why the others did not, with their numbers",
    "day": "days since 1970-01-01",
    "day_on": "the date",
    "day_iso": "the date as text, YYYY-MM-DD",
    "starts": "UTC second at which the day starts in the reporting zone",
    "ends": "last UTC second of the day in the reporting zone",
    "offset_before": "UTC offset in seconds of instants of this UTC day before `switches`",
    "switches": "UTC second from which `offset_after` applies",
    "offset_after": "UTC offset in seconds of instants of this UTC day from `switches` on",
    "week": "day number of the first day of its week",
    "month": "day number of the first day of its month",
    "quarter": "day number of the first day of its fiscal quarter",
    "year": "day number of the first day of its fiscal year",
    "static_rate": "units of the currency per unit of the corporate one",
    "dated_rate": "units of the currency per unit of the corporate one",
    "digits": "decimal places",
    "key": "name of the fact",
    "table": "name of the table",
    "column": "name of the column",
    "field": "name of the field",
    "key_columns": "columns that tell its rows apart, joined by commas",
    "description": "what it is, in words",
}
"""Texts of columns whose name alone does not say it; endings say the rest (see `column_text`)."""

ENDINGS: tuple[tuple[str, str], ...] = (
    ("_s", "UTC second of {}"),
    ("_day", "local day of {}, days since 1970-01-01"),
    ("_is_date", "whether only the date of {} is known"),
    ("_id", "Salesforce id of the {}"),
)


def column_text(column: str) -> str:
    """What a column of a snapshot holds, in words."""
    if column in COLUMN_TEXT:
        return COLUMN_TEXT[column]
    for ending, text in ENDINGS:
        if column.endswith(ending):
            return text.format(column.removesuffix(ending).replace("_", " "))
    return column.replace("_", " ")
