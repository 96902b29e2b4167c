"""All checks, in the order of the manual; each has a page in `docs/checks`."""

from __future__ import annotations

from collections.abc import Iterator

from leadline.audit import (
    answers,
    campaigns,
    closing,
    deals,
    history,
    leftovers,
    matches,
    members,
    people,
    stage_dates,
    times,
    volumes,
    writers,
)
from leadline.audit.check import ALL_METRICS, Audited, Check, Find, Hits, Mend, Whole
from leadline.audit.limits import LIMITS
from leadline.config import FILE_NAME, Settings
from leadline.errors import ConfigError, did_you_mean

STAGED = ("volume", "conversion", "velocity")
"""Metrics that rest on stages."""


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
        mend=Mend("credit"),
    ),
    Check(
        "opportunity-without-primary-role",
        ("influence",),
        deals.without_primary_role,
        "Mark one contact role as primary; it matters only to the scope 'primary role'.",
        warning_above=None,
    ),
    Check(
        "duplicate-role",
        (),
        deals.role_twice,
        "Keep one role per contact; points by role can count the largest one only (roles = 'largest').",
        warning_above=None,
    ),
    Check(
        "opportunity-without-account",
        ("influence",),
        deals.without_account,
        "Fill in the account; the scopes role and primary role do without it.",
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
        mend=Mend("leave out"),
    ),
    Check(
        "closed-without-close-date",
        ALL_METRICS,
        deals.closed_without_date,
        "Export CloseDate, LastStageChangeDate or OpportunityHistory, or fill in the missing dates.",
        error_above=0.05,
        mend=Mend("leave out"),
    ),
    Check(
        "member-without-date",
        ALL_METRICS,
        members.without_date,
        "Export FirstRespondedDate, or name the field that holds the date under [responses] date_field.",
        error_above=0.10,
        mend=Mend("date by creation"),
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
        mend=Mend("leave out", judged=False),
    ),
    Check(
        "dangling-reference",
        ALL_METRICS,
        members.dangling,
        "Export the missing records too (all leads, contacts, campaigns and opportunities, not a filtered report).",
        error_above=0.05,
        mend=Mend("leave out", judged=False),
    ),
    Check(
        "lead-status-converted-not-converted",
        ALL_METRICS,
        people.status_converted,
        "Convert these leads in Salesforce or give them another status; only IsConverted counts as converted.",
        error_above=0.05,
        mend=Mend("leave out"),
    ),
    Check(
        "duplicate-email",
        ALL_METRICS,
        people.duplicate_email,
        "Merge the duplicates in Salesforce; addresses that several people share can stay.",
        error_above=0.10,
        mend=Mend("merge"),
    ),
    Check(
        "possible-duplicate",
        ALL_METRICS,
        matches.possible_duplicate,
        "Look at the pairs (table possible_duplicates of the snapshot) and merge in Salesforce those that are one.",
        warning_above=0.05,
        mend=Mend("merge"),
    ),
    Check(
        "lead-of-account",
        ("influence",),
        matches.lead_of_account,
        "Convert these leads to contacts of their accounts, or measure with --scope 'account + matched leads'.",
        warning_above=None,
    ),
    Check(
        "lead-account-ambiguous",
        ("influence",),
        matches.lead_account_ambiguous,
        "Say in matches.csv which account each belongs to; merge accounts that are one company.",
        warning_above=None,
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
        mend=Mend("leave out"),
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
    Check(
        "responded-status-drift",
        ALL_METRICS,
        answers.status_drift,
        "Set the status of these members anew, or correct which statuses mean 'Responded' in the campaign.",
        error_above=0.05,
        mend=Mend("leave out"),
    ),
    Check(
        "bulk-loaded-day",
        ALL_METRICS,
        answers.bulk_loaded,
        "Load lists with the status 'Sent', or give each member the date of its response; else exclude the campaign "
        "under [responses] exclude_campaigns.",
        warning_above=0.05,
        error_above=0.25,
        mend=Mend("leave out", judged=False),
    ),
    Check(
        "sent-counted-elsewhere",
        ("influence",),
        answers.sent_elsewhere,
        "Nothing needs to be done here; expect higher influence in tools that count every campaign member.",
        warning_above=None,
    ),
    Check(
        "zone-suspicion",
        ALL_METRICS,
        answers.zone_suspicion,
        "Let the tool that writes these dates use the org's time zone, or set [workspace] timezone to the one it uses.",
    ),
    Check(
        "stage-dates-out-of-order",
        STAGED,
        stage_dates.out_of_order,
        "Correct the date fields, or stop automation from overwriting them when a record passes again.",
        warning_above=0.05,
        error_above=0.25,
        mend=Mend("leave out"),
    ),
    Check(
        "stage-before-creation",
        STAGED,
        stage_dates.before_creation,
        "Correct the date fields, or export the records that were there before.",
        warning_above=0.01,
        error_above=0.10,
        mend=Mend("leave out"),
    ),
    Check(
        "negative-duration",
        ALL_METRICS,
        stage_dates.negative_duration,
        "Correct the date that is wrong; lengths below zero are in no estimate.",
        warning_above=0.01,
        error_above=0.10,
        mend=Mend("leave out"),
    ),
    Check(
        "picklist-value-changed",
        STAGED,
        history.picklist_changed,
        "Map the old values to the same stages as the new ones in leadline.toml.",
        warning_above=None,
    ),
    Check(
        "history-ages-out",
        STAGED,
        history.ages_out,
        "Import before these rows are gone; what the ledger has once, it keeps.",
    ),
    Check(
        "orphan-record",
        STAGED,
        history.orphans,
        "Export the missing objects too, or the records that a filter left out.",
        warning_above=None,
    ),
    Check(
        "deleted-record",
        ALL_METRICS,
        leftovers.deleted,
        "Restore the record where it was deleted by mistake; merge duplicates in place of deleting them.",
        warning_above=None,
    ),
    Check(
        "merged-record",
        ALL_METRICS,
        leftovers.merged,
        "Nothing needs to be done: a merged record counts as its survivor.",
        warning_above=None,
    ),
    Check(
        "mixed-currency",
        ("influence",),
        deals.mixed_currency,
        "Nothing needs to be done here; do not add up the amounts of an export without converting them.",
        warning_above=None,
    ),
    Check(
        "close-date-past",
        (),
        closing.past,
        "Close these opportunities, or give them a close date that is still to come.",
        warning_above=None,
    ),
    Check(
        "close-date-pushed",
        (),
        closing.pushed,
        "Look at these opportunities one by one: a date that was moved so often says little.",
        warning_above=None,
    ),
    Check(
        "open-longer-than-any-close",
        (),
        closing.outlived,
        "Close what is dead as lost, with the day it died; until then read time to close from curves, not from averages.",
        warning_above=None,
    ),
    Check(
        "close-dates-bunched",
        ("velocity",),
        closing.bunched,
        "Date closes by stage history ([opportunities] close_date = 'history'), not by the field.",
        warning_above=0.20,
    ),
    Check(
        "owner-inactive",
        (),
        people.owner_inactive,
        "Give these records an owner who works on them.",
        warning_above=None,
    ),
    Check(
        "source-unknown",
        ("volume",),
        people.source_unknown,
        "Leave the field empty where nothing is known, or find out; one word for it, not several.",
        warning_above=None,
    ),
    Check(
        "object-stale",
        ALL_METRICS,
        volumes.stale,
        "Check the export of this object; if nothing happened, accept the finding.",
        warning_above=None,
    ),
    Check(
        "volume-jump",
        ALL_METRICS,
        volumes.jumps,
        "Find out what happened on these days: a list load, a form that was attacked, an integration that stood still.",
        warning_above=None,
    ),
    Check(
        "writer-jump",
        ALL_METRICS,
        writers.jump,
        "Ask who runs the tool what it wrote in these months: a list, a copy of what was there, a new connection.",
        warning_above=None,
    ),
    Check(
        "writer-silent",
        ALL_METRICS,
        writers.silent,
        "Check whether the tool still runs and may still write; if it was switched off, accept the finding.",
        warning_above=None,
    ),
)

BY_CODE: dict[str, Check] = {check.code: check for check in CHECKS}


def require_known(settings: Settings) -> None:
    """Refuse thresholds and limits of checks that do not exist or have none, and numbers that are none.

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
    faults += [
        f"[audit.{code}] limit = {one.limit:g}: this check has no limit"
        for code, one in settings.audit.items()
        if one.limit is not None and code in BY_CODE and code not in LIMITS
    ]
    faults += [
        f"[audit.{code}] limit = {one.limit:g} is too small; write a number above 0 ({LIMITS[code].text})"
        for code, one in settings.audit.items()
        if one.limit is not None and code in LIMITS and not one.limit > 0
    ]
    if faults:
        raise ConfigError(FILE_NAME, faults)
