"""Columns, texts and quotients of cost and return."""

from __future__ import annotations

from fractions import Fraction

from leadline.results import Column

HIERARCHIES = ("own", "total")
"""Each campaign by itself, or with all below it."""

TEXT = (
    "Cost of campaigns (ActualCost, or the lines of the costs file) spread evenly over their days up to as-of, beside "
    "the won credit of the model. Opportunities by the day they were {date}, responses and qualified journeys by their "
    "own day. ROI = (won credit − cost) ÷ cost; ROAS = won credit ÷ cost. {hierarchy}"
)
HIERARCHY_TEXT = {
    "own": "Each campaign by itself.",
    "total": "Each campaign with all below it; rows overlap, totals count each campaign once.",
}
"""Kind of hierarchy → what it means."""

COLUMNS = (
    Column("period", "text", help="Period of the cost, the response, the qualification and the opportunity"),
    Column("campaign_id", "text", help="Salesforce id of the campaign"),
    Column("campaign", "text", help="Campaign"),
    Column("model", "text", help="Model that gives the credit"),
    Column("scope", "text", help="Whose responses count"),
    Column("hierarchy", "text", help="own, or total: with all campaigns below"),
    Column("cost_state", "text", help="known, undated (no StartDate, so in no period), missing, no rate or too large"),
    Column("cost", "money", help="Cost on days of the period; empty where it is not known"),
    Column("won_amount", "money", help="Credit on won opportunities"),
    Column("roi", "rate", help="(won credit − cost) ÷ cost"),
    Column("roas", "rate", help="Won credit ÷ cost"),
    Column("responses", "integer", help="Responses of the period"),
    Column("cost_per_response", "money", help="Cost ÷ responses"),
    Column("qualified", "integer", help="Journeys these campaigns brought that entered the qualified stage (MQL)"),
    Column("cost_per_qualified", "money", help="Cost ÷ qualified journeys"),
    Column("opportunities", "integer", help="Opportunities with credit; they overlap between rows"),
    Column("cost_per_opportunity", "money", help="Cost ÷ opportunities with credit"),
    Column("wins", "integer", help="Won opportunities with credit; they overlap between rows"),
    Column("cost_per_win", "money", help="Cost ÷ won opportunities with credit"),
    Column("first_cost_on", "date", help="First day with a cost"),
    Column("payback", "text", help="paid back, open, or undated; only for all time"),
    Column("paid_back_on", "date", help="From this day on the won credit has covered the cost, up to as-of"),
    Column("payback_days", "integer", help="Days from the first cost to that day"),
)

EXTRA = (
    Column("measure", "text", help="cost, response, qualified or credit"),
    Column("model", "text", help="Model, of a credit"),
    Column("state", "text", help="State of the opportunity, of a credit"),
    Column("cost_state", "text", help="State of the campaign's cost"),
)
LINKS = {
    "object": "object",
    "at": "at_s",
    "evidence": "measure",
    "person_id": "person_id",
    "campaign_id": "campaign_id",
    "opportunity_id": "opportunity_id",
    "amount": "amount",
    "measure": "measure",
    "model": "model",
    "state": "state",
    "cost_state": "cost_state",
}

PER = {"response": "responses", "qualified": "qualified", "opportunity": "opportunities", "win": "wins"}
"""What one of a count is called in `cost_per_…`."""


def per(amount: int | None, count: int | None) -> int | None:
    """Minor units per one, a half to the even; None without an amount or a count."""
    return round(Fraction(amount, count)) if amount is not None and count else None
