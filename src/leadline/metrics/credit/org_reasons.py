"""What tells the org's influence rows and ours apart: reasons in order, columns and texts."""

from __future__ import annotations

from leadline.results import Column

BOTH, ORG, OURS, NEITHER = "both", "org only", "ours only", "neither"

SAME = "the same"
OTHER_SHARE = "another share of the amount"
NONE_WRITTEN = "the org wrote no row for this opportunity"
NO_ROLE = "no contact role now"
NO_MEMBER = "no campaign member now"
LATE_MEMBER = "member created after the close"
LATE_ROLE = "contact role created after the close"
OLD_MEMBER = "member older than the window"
AFTER_LAST = "role or member came after the org's last row"
NO_AMOUNT = "the opportunity has no amount to share"
NO_SHARE = "the model gives it no share"
NO_RESPONSE = "its status is no response"
UNDATED = "response without a date"
LATE_RESPONSE = "response after the close"
OLD_RESPONSE = "response older than the window"
UNTOLD = "nothing in the data says why"
REASONS = (
    SAME,
    OTHER_SHARE,
    NONE_WRITTEN,
    NO_ROLE,
    NO_MEMBER,
    LATE_MEMBER,
    LATE_ROLE,
    OLD_MEMBER,
    NO_AMOUNT,
    NO_RESPONSE,
    UNDATED,
    LATE_RESPONSE,
    OLD_RESPONSE,
    NO_SHARE,
    AFTER_LAST,
    UNTOLD,
)
"""What tells the two sides apart, or that nothing does."""

# Salesforce keeps two decimals of a percentage, and rounds each row by itself.
SHARE_ROUNDING = 1e-4

TEXT = (
    "Influence rows of the org ({org}) beside the model {model}: every opportunity, person and campaign that either has, "
    "and every contact role with a campaign member that neither has. Amounts by the shares of each side."
)

COLUMNS = (
    Column("period", "text", help="Period of the opportunity, by its creation"),
    Column("difference", "text", help="Who has the row: both, org only, ours only, neither"),
    Column("reason", "text", help="Why, as far as the data show it"),
    Column("count", "integer", help="Rows: an opportunity, a person and a campaign"),
    Column("opportunities", "integer", help="Opportunities of these rows; they overlap between reasons"),
    Column("org_amount", "money", help="Amount by the percentages of the org"),
    Column("our_amount", "money", help="Amount by the model"),
)
EXTRA = (
    Column("difference", "text", help="Who has the row"),
    Column("reason", "text", help="Why"),
    Column("org_share", "rate", help="Share that the org wrote"),
    Column("our_share", "rate", help="Share by the points of the model"),
    Column("org_amount", "money", help="Amount by the percentage of the org"),
    Column("our_amount", "money", help="Amount by the model"),
)
LINKS = {
    "object": "object",
    "at": "at_s",
    "evidence": "reason",
    "person_id": "person_id",
    "campaign_id": "campaign_id",
    "opportunity_id": "opportunity_id",
    "amount": "amount",
    **{column.name: column.name for column in EXTRA},
}
