"""Tables of the whole workspace: its calendar, its revenue, what a response is, defaults of the metrics."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any, Literal

from pydantic import Field, field_validator

from leadline.config.base import TomlTable, texts, zone_fault
from leadline.config_faults import Fault

WORKED = ("mon", "tue", "wed", "thu", "fri")
"""Weekdays that are worked unless told otherwise."""


def _date_text(entry: Any) -> Any:
    """A date of TOML as its text; anything else as it is."""
    return entry.isoformat() if isinstance(entry, dt.date) and not isinstance(entry, dt.datetime) else entry


def _workday_faults(table: dict[str, Any]) -> Iterator[Fault]:
    """Holidays that are no date and no region, weekdays that do not exist."""
    given = table.get("holidays")
    entries = texts([given] if isinstance(given, str) else given)
    names = texts(table.get("workdays"))
    if not entries and not names:
        return
    # Loaded only for workspaces that set them: the index rests on arrays.
    from leadline import workdays

    for entry, sentence in workdays.holiday_faults(entries):
        yield "holidays", f"holds {entry!r}, which {sentence}"
    for name, sentence in workdays.weekday_faults(names) if names else ():
        yield "workdays", f"holds {name!r}, which {sentence}"


class WorkspaceSettings(TomlTable):
    """Time zone, currency and calendar of the whole workspace."""

    timezone: str | None = Field(None, description="Reporting time zone, an IANA name; without it the org's, else UTC")
    currency: str | None = Field(None, description="Reporting currency, an ISO code; without it the corporate one")
    fiscal_year_start: int = Field(1, ge=1, le=12, description="First month of the fiscal year")
    week_start: Literal["monday", "saturday", "sunday"] = Field("monday", description="First day of the week")
    holidays: list[str] = Field(
        default_factory=list,
        description="Days off: a region such as 'DE', 'DE-BY' or 'US', or a list of dates and regions; without them every weekday of `workdays` is worked",
    )
    workdays: list[str] = Field(
        default_factory=lambda: list(WORKED),
        min_length=1,
        description="Weekdays that are worked: mon, tue, wed, thu, fri, sat, sun",
    )

    @field_validator("holidays", mode="before")
    @classmethod
    def _as_list(cls, value: Any) -> Any:
        # One region may stand without brackets, and TOML has dates of its own.
        entries = [value] if isinstance(value, str | dt.date) else value
        return [_date_text(entry) for entry in entries] if isinstance(entries, list) else entries

    @classmethod
    def _table_faults(cls, table: dict[str, Any]) -> Iterator[Fault]:
        yield from zone_fault(table)
        yield from _workday_faults(table)
        currency = table.get("currency")
        if isinstance(currency, str) and not (len(currency) == 3 and currency.isascii() and currency.isupper()):
            yield "currency", "must be an ISO code of three capital letters, e.g. 'EUR'"


class AmountSettings(TomlTable):
    """Which amount is revenue and how it is converted."""

    field: str = Field("Amount", description="The opportunity field that is the amount")
    rate: Literal["dated", "static", "budget"] = Field("dated", description="Which conversion rate applies")
    budget: dict[str, float] = Field(
        default_factory=dict, description="Budget rates: units of a currency per unit of the corporate one"
    )

    @classmethod
    def _table_faults(cls, table: dict[str, Any]) -> Iterator[Fault]:
        budget = table.get("budget", {})
        if table.get("rate") == "budget" and not budget:
            yield "rate", "needs the table [amount.budget], e.g. EUR = 0.92"
        if isinstance(budget, dict):
            for currency, rate in budget.items():
                if isinstance(rate, int | float) and rate <= 0:
                    yield f"budget.{currency}", "must be greater than 0"


class OpportunitySettings(TomlTable):
    """How opportunities are read."""

    close_date: Literal["history", "field"] = Field(
        "history",
        description="What dates a close: stage history (without it the last stage change, then CloseDate), or the field CloseDate alone, as reports of Salesforce do",
    )


class ResponseSettings(TomlTable):
    """Which campaign members are responses and when they responded."""

    responded: Literal["HasResponded", "statuses"] = Field("HasResponded", description="What makes a member a response")
    statuses: dict[str, list[str]] = Field(
        default_factory=dict,
        description="Per campaign type the statuses that count as responded; type '*' is every other type, status '*' any status",
    )
    date_field: str | None = Field(None, description="A member field that holds the moment of the response")
    exclude_campaign_types: list[str] = Field(
        default_factory=list, description="Campaign types whose responses are excluded by rule"
    )
    exclude_campaigns: list[str] = Field(
        default_factory=list, description="Campaign ids whose responses are excluded by rule"
    )

    @classmethod
    def _table_faults(cls, table: dict[str, Any]) -> Iterator[Fault]:
        if table.get("responded") == "statuses" and not table.get("statuses"):
            yield "responded", "needs the table [responses.statuses], e.g. '*' = ['Responded']"


class InfluenceSettings(TomlTable):
    """Defaults of `leadline influence`."""

    models: list[str] = Field(default_factory=lambda: ["first", "last", "even"])
    scope: Literal["role", "primary role", "account", "account + matched leads"] = "role"
    look_back_days: int = Field(365, ge=0)


class CostSettings(TomlTable):
    """What campaigns cost beside ActualCost."""

    file: str | None = Field(None, description="File with the costs; without it costs.csv of the workspace, if there")


class MatchingSettings(TomlTable):
    """Leads to accounts, and second records of a person."""

    free_mail: list[str] = Field(
        default_factory=list, description="Domains of private mailboxes beside the shipped ones, e.g. 'firemail.de'"
    )
    placeholders: list[str] = Field(
        default_factory=list, description="Company names that stand for none beside the shipped ones, e.g. 'keine'"
    )
    duplicates: bool = Field(True, description="Whether possible duplicates of people are looked for at build")
    duplicate_probability: float = Field(
        0.9, ge=0.5, lt=1, description="Probability from which two records are listed as possibly one person"
    )


class AuditSettings(TomlTable):
    """Threshold and limit of one check."""

    threshold: float | None = Field(None, description="Share of records above which the finding is an error")
    limit: float | None = Field(
        None, description="From where on the check speaks at all; what it counts stands on the page of the check"
    )
