"""All checks, in the order of the manual; each has a page in `docs/checks`."""

from __future__ import annotations

from collections.abc import Iterator

from leadline.audit import campaigns, deals, members, people, times
from leadline.audit.check import ALL_METRICS, Audited, Check, Find, Hits, Whole
from leadline.config import FILE_NAME, Settings
from leadline.errors import ConfigError, did_you_mean


def _both(*finds: Find) -> Find:
    def find(at: Audited) -> Iterator[Hits | Whole]:
        for one in finds:
            yield from one(at)

    return find


CHECKS: tuple[Check, ...] = (
    Check(
        "opportunity-without-role",
        ("influence",),
        deals.without_role,
        "Add the people who took part as contact roles; the account scope (--scope account) does without them.",
        error_above=0.10,
    ),
    Check(
        "opportunity-without-primary-role",
        ("influence",),
        deals.without_primary_role,
        "Mark one contact role as primary; it matters only to the scope 'primary role'.",
        warning_above=None,
    ),
    Check(
        "opportunity-without-amount",
        ("influence",),
        deals.without_amount,
        "Fill in the amount, or name the field that holds it under [amount] field.",
        error_above=0.25,
    ),
    Check(
        "opportunity-without-rate",
        ("influence",),
        deals.without_rate,
        "Export CurrencyType and DatedConversionRate, or set budget rates under [amount.budget].",
        error_above=0.01,
    ),
    Check(
        "opportunity-amount-too-large",
        ("influence",),
        deals.amount_too_large,
        "Correct the amount; it is most likely a typing error.",
        error_above=0.0,
    ),
    Check(
        "currency-without-rate",
        ("influence",),
        deals.currency_without_rate,
        "Export CurrencyType with a rate for each of these currencies, or set budget rates under [amount.budget].",
    ),
    Check(
        "close-before-creation",
        ALL_METRICS,
        deals.close_before_creation,
        "Correct CloseDate or CreatedDate, or export OpportunityHistory, which dates the close by itself.",
        error_above=0.05,
    ),
    Check(
        "closed-without-close-date",
        ALL_METRICS,
        deals.closed_without_date,
        "Export CloseDate, LastStageChangeDate or OpportunityHistory, or fill in the missing dates.",
        error_above=0.05,
    ),
    Check(
        "member-without-date",
        ALL_METRICS,
        members.without_date,
        "Export FirstRespondedDate, or name the field that holds the date under [responses] date_field.",
        error_above=0.10,
    ),
    Check(
        "no-responses",
        ALL_METRICS,
        members.none_responded,
        "Mark the statuses that mean a response as 'Responded' in the campaigns, or list them under "
        '[responses.statuses] with responded = "statuses".',
        error_above=0.0,
    ),
    Check(
        "duplicate-member",
        ALL_METRICS,
        members.duplicate_member,
        "Nothing needs to be done: one response per person and campaign counts, the earliest.",
        warning_above=None,
    ),
    Check(
        "dangling-reference",
        ALL_METRICS,
        members.dangling,
        "Export the missing records too (all leads, contacts, campaigns and opportunities, not a filtered report).",
        error_above=0.05,
    ),
    Check(
        "lead-status-converted-not-converted",
        ALL_METRICS,
        people.status_converted,
        "Convert these leads in Salesforce or give them another status; only IsConverted counts as converted.",
        error_above=0.05,
    ),
    Check(
        "duplicate-email",
        ALL_METRICS,
        people.duplicate_email,
        "Merge the duplicates in Salesforce; addresses that several people share can stay.",
        error_above=0.10,
    ),
    Check(
        "stage-not-mapped",
        ("volume", "conversion", "velocity"),
        _both(deals.stage_not_mapped, people.status_not_mapped),
        "Map these values to a stage or an outcome of the funnel in leadline.toml, or leave them out on purpose.",
        warning_above=None,
    ),
    Check(
        "event-after-as-of",
        ALL_METRICS,
        times.after_as_of,
        "Correct the dates; if they are right, the load was declared too early (--extracted-at).",
        error_above=0.01,
    ),
    Check(
        "history-starts-late",
        ("volume", "conversion", "velocity"),
        times.history_late,
        "Stamp the stages in date fields for the older records, or read only periods after the history begins.",
        warning_above=0.01,
    ),
    Check(
        "zone-unknown",
        ALL_METRICS,
        times.zone_unknown,
        "Set [workspace] timezone, or export Organization.",
    ),
    Check(
        "campaign-without-cost",
        ("influence",),
        campaigns.without_cost,
        "Fill in ActualCost; 0 where the campaign cost nothing.",
        warning_above=None,
    ),
    Check(
        "campaign-without-dates",
        ("influence",),
        campaigns.without_dates,
        "Fill in StartDate and EndDate, over which the cost is spread.",
        warning_above=None,
    ),
    Check(
        "campaign-without-type",
        ALL_METRICS,
        campaigns.without_type,
        "Fill in Type; until then these campaigns stand under (none) in tables by campaign type.",
        warning_above=None,
    ),
)

BY_CODE: dict[str, Check] = {check.code: check for check in CHECKS}


def require_known(settings: Settings) -> None:
    """Refuse thresholds of checks that do not exist, and shares that are none.

    Raises:
        ConfigError: faults in the tables [audit.CODE], all of them.
    """
    faults = [
        f"[audit.{code}] names no check.{did_you_mean(code, BY_CODE)}" for code in settings.audit if code not in BY_CODE
    ]
    faults += [
        f"[audit.{code}] threshold = {one.threshold:g} is no share; write a number from 0 to 1"
        for code, one in settings.audit.items()
        if one.threshold is not None and not 0 <= one.threshold <= 1
    ]
    if faults:
        raise ConfigError(FILE_NAME, faults)
