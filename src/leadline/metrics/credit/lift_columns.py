"""Columns, texts and settings of lift."""

from __future__ import annotations

from leadline.results import Column

LANDMARK_DAYS, WINDOW_DAYS = 30, 180

MATCH = ("lead_source",)
"""What both sides have in common beside the month, unless told otherwise."""

MONTH_ALONE = "none"
"""In place of dimensions to match by: nothing beside the month."""

LEAST = 5
"""Comparable journeys a stratum needs: the rate of fewer says nothing about what would have been."""

DISCOVERY_RATE = 0.1

TEXT = (
    "Journeys that had responded to the campaign {landmark} days after their start, against those of the same month of "
    "start and the same {match} that had not; neither had entered {stage} by then. Converted: entered it within {window} "
    "days after. Rates over strata and test by Cochran, Mantel and Haenszel. Association, not proof: who "
    "responds differs from who does not in more than the campaign."
)

COLUMNS = (
    Column("period", "text", help="All journeys whose start lies in the days asked for"),
    Column("campaign_id", "text", help="Salesforce id of the campaign"),
    Column("campaign", "text", help="Campaign"),
    Column("to_stage", "text", help="Stage that is to be entered"),
    Column("responders", "integer", help="Journeys that responded by the landmark and have comparable ones"),
    Column("converted", "integer", help="Of these, entered the stage within the window"),
    Column("comparable", "integer", help="Journeys of the same strata that had not responded to it"),
    Column("comparable_converted", "integer", help="Of these, entered the stage within the window"),
    Column("rate", "rate", help="Rate of the responders over the strata"),
    Column("comparable_rate", "rate", help="Rate of the others, weighted alike"),
    Column("difference", "rate", help="Rate less comparable rate"),
    Column("difference_low", "rate", help="Lower end of its 95 % interval"),
    Column("difference_high", "rate", help="Upper end of its 95 % interval"),
    Column("ratio", "number", help="Rate ÷ comparable rate"),
    Column("ratio_low", "number", help="Lower end of its 95 % interval"),
    Column("ratio_high", "number", help="Upper end of its 95 % interval"),
    Column("q_value", "rate", help="p-value of no difference, adjusted for all campaigns; empty: too few conversions"),
    Column("differs", "boolean", help="Whether it differs at a false discovery rate of 10 %"),
    Column("small", "boolean", help="Under 30 responders"),
    Column("strata", "integer", help="Months and segments that were compared"),
    Column("left_out", "integer", help="Responders in strata with too few comparable journeys"),
    Column("late", "integer", help="Journeys that responded only after the landmark: on neither side"),
    Column("model", "text", help="Model of the credit beside it"),
    Column("sourced_amount", "money", help="Credit on opportunities of these days earned before their creation"),
)
EXTRA = (
    Column("responded", "boolean", help="Had responded to the campaign by the landmark"),
    Column("in_numerator", "boolean", help="Entered the stage within the window"),
    Column("stratum", "text", help="Month of start and segment"),
)
LINKS = {
    "object": "object",
    "stage": "to_stage",
    "at": "at_s",
    "evidence": "stratum",
    "person_id": "person_id",
    "campaign_id": "campaign_id",
    "responded": "responded",
    "in_numerator": "converted",
    "stratum": "stratum",
}
