"""`leadline.toml` → frozen settings.

Every fault of a file is reported at once (`errors.ConfigError`), each with its key, the
value found and what would be right.
"""

from __future__ import annotations

import codecs
import datetime as dt
import tomllib
import zoneinfo
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, Self, get_args

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ModelWrapValidatorHandler,
    ValidationError,
    field_validator,
    model_validator,
)

from leadline.config_faults import Fault, all_faults, merged
from leadline.errors import ConfigError, did_you_mean
from leadline.formulas import check as formula_check
from leadline.schema import OBJECTS

FILE_NAME = "leadline.toml"
WORKED = ("mon", "tue", "wed", "thu", "fri")
"""Weekdays that are worked unless told otherwise."""

Generator = Literal["marketing", "sales", "partner", "other"]
"""Who generated a lead, as `[generated_by]` may say."""


class _Settings(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True, strict=True)

    @model_validator(mode="wrap")
    @classmethod
    def _all_faults_at_once(cls, data: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:
        # Pydantic checks a table as a whole only once its keys are right; a reader who repairs a
        # file wants both lists together, so they are gathered here.
        found = list(cls._table_faults(data)) if isinstance(data, dict) else []
        try:
            value = handler(data)
        except ValidationError as error:
            raise merged(cls.__name__, error, found, data) from None
        if found:
            raise merged(cls.__name__, None, found, data)
        return value

    @classmethod
    def _table_faults(cls, table: dict[str, Any]) -> Iterator[Fault]:
        """Faults beyond the type of single keys; `table` is as written and may be wrong in any way."""
        return iter(())


TomlTable = _Settings
"""A table of a settings file, for the other TOML files of a workspace."""


def _zone_fault(table: dict[str, Any], key: str = "timezone") -> Iterator[Fault]:
    zone = table.get(key)
    if isinstance(zone, str) and zone not in (known := zoneinfo.available_timezones()):
        yield key, f"is no IANA time zone; write a name such as 'Europe/Berlin'.{did_you_mean(zone, known)}"


def _date_text(entry: Any) -> Any:
    """A date of TOML as its text; anything else as it is."""
    return entry.isoformat() if isinstance(entry, dt.date) and not isinstance(entry, dt.datetime) else entry


def _workday_faults(table: dict[str, Any]) -> Iterator[Fault]:
    """Holidays that are no date and no region, weekdays that do not exist."""
    given = table.get("holidays")
    entries = _texts([given] if isinstance(given, str) else given)
    names = _texts(table.get("workdays"))
    if not entries and not names:
        return
    # Loaded only for workspaces that set them: the index rests on arrays.
    from leadline import workdays

    for entry, sentence in workdays.holiday_faults(entries):
        yield "holidays", f"holds {entry!r}, which {sentence}"
    for name, sentence in workdays.weekday_faults(names) if names else ():
        yield "workdays", f"holds {name!r}, which {sentence}"


def _texts(value: Any) -> list[str]:
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []


def _tables(value: Any) -> list[dict[str, Any]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


class WorkspaceSettings(_Settings):
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
        yield from _zone_fault(table)
        yield from _workday_faults(table)
        currency = table.get("currency")
        if isinstance(currency, str) and not (len(currency) == 3 and currency.isascii() and currency.isupper()):
            yield "currency", "must be an ISO code of three capital letters, e.g. 'EUR'"


class AmountSettings(_Settings):
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


class OpportunitySettings(_Settings):
    """How opportunities are read."""

    close_date: Literal["history", "field"] = Field(
        "history",
        description="What dates a close: stage history (without it the last stage change, then CloseDate), or the field CloseDate alone, as reports of Salesforce do",
    )


class ResponseSettings(_Settings):
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


MILESTONE_OBJECTS: dict[str, tuple[str, ...]] = {
    "response": ("CampaignMember",),
    "created": ("Lead", "Contact", "Opportunity"),
    "converted": ("Lead",),
    "won": ("Opportunity",),
    "lost": ("Opportunity",),
    "closed": ("Opportunity",),
}
"""The objects that can show each milestone."""


class StageSource(_Settings):
    """One thing that shows the entry into a stage.

    Exactly one of `values` (the field takes one of these values), `stamp` (the field holds the
    date of entry) and `milestone` (response, created, converted, won, lost, closed).
    """

    object: Literal["CampaignMember", "Lead", "Contact", "Opportunity"]
    field: str | None = None
    values: list[str] | None = None
    stamp: bool = False
    milestone: Literal["response", "created", "converted", "won", "lost", "closed"] | None = None

    @classmethod
    def _table_faults(cls, table: dict[str, Any]) -> Iterator[Fault]:
        has_values = table.get("values") is not None
        stamped = table.get("stamp", False) is not False
        milestone = table.get("milestone")
        if [has_values, stamped, milestone is not None].count(True) != 1:
            yield "", "give exactly one of values = [...], stamp = true and milestone = '...'"
        if (has_values or stamped) and not table.get("field"):
            yield "field", "is required beside values or stamp: the field that holds them"
        if has_values and table["values"] == []:
            yield "values", "must name at least one value"
        if milestone is not None and table.get("field"):
            yield "field", "does not go with a milestone; leave it out"
        owners = MILESTONE_OBJECTS.get(milestone, ()) if isinstance(milestone, str) else ()
        objects = get_args(cls.model_fields["object"].annotation)
        if owners and table.get("object") in objects and table["object"] not in owners:
            yield "milestone", f"belongs to object {' or '.join(owners)}"


class Stage(_Settings):
    """One stage of a funnel, in order."""

    name: str = Field(min_length=1)
    sources: list[StageSource] = Field(alias="from", min_length=1)
    optional: bool = Field(
        False, description="May be skipped: reached by an entry of its own only, and skipping it breaks no order"
    )


class Outcomes(_Settings):
    """What ends a journey. Won and lost default to the flags IsWon and IsClosed of the org."""

    won: list[StageSource] = Field(default_factory=list)
    lost: list[StageSource] = Field(default_factory=list)
    disqualified: list[StageSource] = Field(default_factory=list)
    recycled: list[StageSource] = Field(default_factory=list)


FIRST_RESPONSE = "first-response"
"""The key of `sla_days` beside the stages: the time from qualification to the first response."""


class Funnel(_Settings):
    """Ordered stages and outcomes.

    A funnel with a source on CampaignMember, Lead or Contact is a funnel of people: its first
    stage is Inquiry, a response. Otherwise it is a funnel of opportunities.
    """

    stages: list[Stage] = Field(min_length=1, max_length=999)
    outcomes: Outcomes = Outcomes()
    look_back_days: int = Field(90, ge=0, description="How long before qualification a response can tip the journey")
    dormancy_days: int = Field(180, ge=1, description="Days without activity after which a journey ends")
    window_days: dict[str, int] = Field(
        default_factory=dict, description="Conversion window per transition 'A>B', in place of the learned one"
    )
    stuck_days: dict[str, int] = Field(
        default_factory=dict,
        description="Days per stage after which an open record is stuck, in place of the learned ones",
    )
    sla_days: dict[str, int] = Field(
        default_factory=dict,
        description="Days per stage within which a record has to leave it, as agreed; 'first-response' for the first response",
    )

    @property
    def of_people(self) -> bool:
        """Whether journeys of people run through this funnel."""
        return any(source.object != "Opportunity" for stage in self.stages for source in stage.sources)

    @property
    def stage_names(self) -> list[str]:
        """Names of the stages in funnel order."""
        return [stage.name for stage in self.stages]

    @classmethod
    def _table_faults(cls, table: dict[str, Any]) -> Iterator[Fault]:
        stages = _tables(table.get("stages"))
        names = _texts([stage.get("name") for stage in stages])
        if twice := sorted({name for name in names if names.count(name) > 1}):
            yield "stages", f"must have different names; twice: {', '.join(twice)}"
        yield from _shared_value_faults(stages)
        yield from _day_faults(table, "stuck_days", names)
        yield from _day_faults(table, "sla_days", [*names, FIRST_RESPONSE])
        yield from _day_faults(
            table, "window_days", [f"{a}>{b}" for at, a in enumerate(names) for b in names[at + 1 :]]
        )


def _shared_value_faults(stages: list[dict[str, Any]]) -> Iterator[Fault]:
    """One value of one field that enters two stages."""
    seen: dict[tuple[object, object, str], object] = {}
    for at, stage in enumerate(stages):
        for source in _tables(stage.get("from")):
            for value in _texts(source.get("values")):
                first = seen.setdefault((source.get("object"), source.get("field"), value), stage.get("name"))
                if first != stage.get("name"):
                    yield f"stages[{at}].from", f"maps the value {value!r}, which stage {first!r} maps already"


def _day_faults(table: dict[str, Any], key: str, known: list[str]) -> Iterator[Fault]:
    """Keys of a table of days that name no stage or transition of the funnel, and days below 1."""
    days = table.get(key)
    for name, value in days.items() if isinstance(days, dict) else ():
        if name not in known:
            what = "transition 'A>B'" if key == "window_days" else "stage"
            yield f"{key}.{name}", f"is no {what} of this funnel.{did_you_mean(name, known)}"
        if isinstance(value, int) and value < 1:
            yield f"{key}.{name}", "must be at least 1"


class FileMap(_Settings):
    """How a file with other names maps to a Salesforce object."""

    object: str
    columns: dict[str, str] = Field(
        default_factory=dict, description="Leadline or Salesforce field = column in the file"
    )
    date_order: Literal["ymd", "dmy", "mdy"] | None = None
    encoding: str | None = None
    delimiter: str | None = Field(None, min_length=1, max_length=1)
    decimal: Literal[",", "."] | None = Field(
        None, description="Mark before the decimals of all numbers; default: what each column proves, else a point"
    )
    timezone: str | None = None
    values: dict[str, dict[str, str]] = Field(
        default_factory=dict, description="Per field: value in the file = value to store"
    )
    constants: dict[str, str] = Field(default_factory=dict, description="Fields that hold one value in every row")

    @classmethod
    def _table_faults(cls, table: dict[str, Any]) -> Iterator[Fault]:
        yield from _zone_fault(table)
        name = table.get("object")
        if isinstance(name, str) and name not in OBJECTS:
            yield "object", f"is no object Leadline reads: {', '.join(OBJECTS)}.{did_you_mean(name, OBJECTS)}"
        encoding = table.get("encoding")
        if isinstance(encoding, str) and not _is_encoding(encoding):
            yield "encoding", "is no encoding Python knows; write e.g. 'utf-8', 'utf-16' or 'cp1252'"


def _is_encoding(name: str) -> bool:
    try:
        codecs.lookup(name)
    except LookupError:
        return False
    return True


class Dimension(_Settings):
    """A dimension by name: one field of one object."""

    object: Literal["Campaign", "Lead", "Contact", "Account", "Opportunity", "User", "Person"]
    field: str


class Formula(_Settings):
    """A number of your own by name, over counts, amounts and times of stages (`leadline formula NAME`)."""

    expression: str = Field(min_length=1, description="The formula, e.g. 'SQL / MQL'")
    title: str | None = Field(None, description="What stands above its table; without it the expression")
    unit: Literal["responses", "people", "journeys", "accounts", "opportunities"] | None = Field(
        None, description="What is counted; without it journeys where there are people, else opportunities"
    )
    format: Literal["number", "rate", "money", "days"] | None = Field(
        None, description="How its value is shown; without it by what the expression yields"
    )
    funnel: str | None = Field(None, description="Whose stages it names; without it the first funnel's")


def _formula_faults(settings: dict[str, Any]) -> Iterator[Fault]:
    """Names, funnels, syntax, stages and formats of all formulas."""
    written, funnels = settings.get("formula"), settings.get("funnel")
    funnels = funnels if isinstance(funnels, dict) else {}
    for name, table in written.items() if isinstance(written, dict) else ():
        if sentence := formula_check.name_fault(name):
            yield ("formula", name), sentence
        if not isinstance(table, dict):
            continue
        chosen = table.get("funnel", next(iter(funnels), None))
        if isinstance(table.get("funnel"), str) and chosen not in funnels:
            yield ("formula", name, "funnel"), f"is no funnel of this file.{did_you_mean(str(chosen), funnels)}"
        funnel = funnels.get(chosen) if isinstance(chosen, str) else None
        stages = (
            _texts([one.get("name") for one in _tables(funnel.get("stages"))]) if isinstance(funnel, dict) else None
        )
        expression, shown_as = table.get("expression"), table.get("format")
        if isinstance(expression, str) and expression:
            found = formula_check.faults(expression, shown_as if isinstance(shown_as, str) else None, stages)
            yield from (((("formula", name, key)), sentence) for key, sentence in found)


class InfluenceSettings(_Settings):
    """Defaults of `leadline influence`."""

    models: list[str] = Field(default_factory=lambda: ["first", "last", "even"])
    scope: Literal["role", "primary role", "account", "account + matched leads"] = "role"
    look_back_days: int = Field(365, ge=0)


class CostSettings(_Settings):
    """What campaigns cost beside ActualCost."""

    file: str | None = Field(None, description="File with the costs; without it costs.csv of the workspace, if there")


class MatchingSettings(_Settings):
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


class SalesforceSettings(_Settings):
    """The live org: who logs in where, and how it is read. Secrets never stand here."""

    domain: str = Field(
        "production",
        description="Login host: production, sandbox, or the My Domain, e.g. 'mycompany.my.salesforce.com'",
    )
    flow: Literal["jwt", "client", "refresh"] = Field("jwt", description="Kind of login")
    client_id: str | None = Field(None, description="Consumer key of the app")
    user: str | None = Field(None, description="Name of the integration user (flow jwt)")
    key_file: str | None = Field(None, description="File with the private key (flow jwt); only its owner may read it")
    secrets: Literal["keyring", "file"] = Field("file", description="Where the secrets of the login lie")
    objects: list[str] = Field(default_factory=list, description="Objects to read; without them all Leadline knows")
    custom_fields: bool = Field(True, description="Whether custom fields are read beside those Leadline knows")
    exclude: list[str] = Field(
        default_factory=list, description="Fields that are never read, e.g. 'Contact.Birth_Date__c'"
    )
    overlap_minutes: int = Field(60, ge=1, description="How far before the last pull changes are read again")
    margin_minutes: int = Field(2, ge=0, description="How far before the present moment a pull ends")
    full_days: int = Field(7, ge=1, description="Days after which an object is read whole again")
    formula_days: int = Field(1, ge=1, description="The same for objects with formula or roll-up fields")
    on_field_change: Literal["stop", "evolve"] = Field(
        "stop", description="When fields vanish or change their type: stop, or go on with a finding"
    )
    api_share: float = Field(0.5, gt=0, le=1, description="Share of the org's API calls of a day a pull may use")
    bulk_from: int = Field(5000, ge=0, description="From how many rows on the Bulk API is used instead of REST")
    parallel: int = Field(3, ge=1, le=10, description="Objects read at the same time")

    @classmethod
    def _table_faults(cls, table: dict[str, Any]) -> Iterator[Fault]:
        for name in _texts(table.get("objects")):
            if name not in OBJECTS:
                yield "objects", f"holds {name!r}, which is no object Leadline reads.{did_you_mean(name, OBJECTS)}"
        for name in _texts(table.get("exclude")):
            if name.partition(".")[0] not in OBJECTS or not name.partition(".")[2]:
                yield "exclude", f"holds {name!r}; write the object and the field, e.g. 'Contact.Birth_Date__c'"
        for key in ("password", "client_secret", "refresh_token", "private_key", "access_token", "security_token"):
            if key in table:
                yield (
                    key,
                    "is a secret and must not stand here; give it to `leadline connect`, and change it in the org",
                )


class AuditSettings(_Settings):
    """Threshold and limit of one check."""

    threshold: float | None = Field(None, description="Share of records above which the finding is an error")
    limit: float | None = Field(
        None, description="From where on the check speaks at all; what it counts stands on the page of the check"
    )


class Settings(_Settings):
    """All of `leadline.toml`."""

    workspace: WorkspaceSettings = WorkspaceSettings()
    amount: AmountSettings = AmountSettings()
    opportunities: OpportunitySettings = OpportunitySettings()
    responses: ResponseSettings = ResponseSettings()
    funnel: dict[str, Funnel] = Field(default_factory=dict)
    files: dict[str, FileMap] = Field(default_factory=dict)
    dimensions: dict[str, Dimension] = Field(default_factory=dict)
    generated_by: dict[str, Generator] = Field(
        default_factory=dict, description="LeadSource or campaign type = marketing | sales | partner | other"
    )
    generated_by_role: dict[str, Generator] = Field(
        default_factory=dict,
        description="Role (its id) or department of the user who created the person's record = marketing | sales | partner | other",
    )
    written_by: dict[str, str] = Field(
        default_factory=dict,
        description="Name, username, profile (its id) or user type of the creator of a record = what to call it, e.g. integration",
    )
    influence: InfluenceSettings = InfluenceSettings()
    costs: CostSettings = CostSettings()
    matching: MatchingSettings = MatchingSettings()
    salesforce: SalesforceSettings = SalesforceSettings()
    audit: dict[str, AuditSettings] = Field(default_factory=dict)
    formula: dict[str, Formula] = Field(default_factory=dict)

    @classmethod
    def _table_faults(cls, table: dict[str, Any]) -> Iterator[Fault]:
        yield from _formula_faults(table)

    @property
    def default_funnel(self) -> str | None:
        """Name of the first funnel, the one commands use unless told otherwise."""
        return next(iter(self.funnel), None)


def load(path: Path) -> Settings:
    """Settings of a workspace; a missing file means all defaults.

    Raises:
        ConfigError: the file is no TOML, or has unknown keys or wrong values (all listed).
    """
    if not path.exists():
        return Settings()
    return parse(path.read_bytes(), str(path))


def parse(content: bytes | str, name: str = FILE_NAME) -> Settings:
    """Settings from the text of a `leadline.toml`; `name` is what messages call it.

    Raises:
        ConfigError: the text is no TOML, or has unknown keys or wrong values (all listed).
    """
    try:
        text = content.decode("utf-8-sig") if isinstance(content, bytes) else content
        return Settings.model_validate(tomllib.loads(text))
    except UnicodeDecodeError as error:
        raise ConfigError(name, [f"byte {error.start} is not UTF-8; save the file as UTF-8"]) from error
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(name, [f"is not valid TOML: {error}"]) from error
    except ValidationError as error:
        raise ConfigError(name, all_faults(error, Settings)) from error


def schema() -> dict[str, Any]:
    """The JSON schema of `leadline.toml`."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **Settings.model_json_schema(by_alias=True),
        "title": FILE_NAME,
    }
