"""What the ledger holds of stages, statuses and dates: the ground on which settings are proposed.

Only counts leave this module. Deleted records are not counted.
"""

from __future__ import annotations

import datetime as dt
import re
import zoneinfo
from dataclasses import dataclass, field, replace

import duckdb

from leadline.engines import quoted
from leadline.schema import DATE_ONLY, OBJECTS

LADDER: dict[str, str] = {
    "MQL": r"\bmql\b|\bmarketing qualified\b",
    "SAL": r"\bsal\b|\bsales accepted\b|\baccepted by sales\b",
    "SQL": r"\bsql\b|\bsales qualified\b",
}
"""The usual stages between a response and an opportunity, and the words that name them."""

MANY_VALUES = 60
"""A text column with more different values than this is no status."""


@dataclass(frozen=True, slots=True)
class Status:
    """A value of a status or stage field: `rows` records hold it now."""

    value: str
    rows: int
    listed: bool = False
    converted: bool = False


@dataclass(frozen=True, slots=True)
class DealStage:
    """A stage of opportunities, with what tells its place: picklist order, probability, dates.

    Attributes:
        created: share of its opportunities that have a CreatedDate, or None without opportunities.
        is_closed: as the org's flags say, or None where the source has no flags.
    """

    name: str
    rows: int
    order: int | None = None
    probability: float | None = None
    created: float | None = None
    is_closed: bool | None = None
    is_won: bool | None = None


@dataclass(frozen=True, slots=True)
class Column:
    """A custom column whose name or values hold a stage: how many rows are filled and are dates."""

    object: str
    name: str
    rows: int
    filled: int
    dates: int
    statuses: tuple[Status, ...] = ()


@dataclass(frozen=True, slots=True)
class Survey:
    """Everything a proposal rests on.

    Attributes:
        rows: records per object; an object that the source lacks is absent.
        filled: "Object.Field" → records that hold a value; a field that the source lacks is absent.
        responded: members that responded by HasResponded, or None without that field.
        history: "Object.Field" → changes recorded in the org's field history.
        members: member status → members, over all campaigns.
    """

    rows: dict[str, int]
    filled: dict[str, int] = field(default_factory=dict)
    responded: int | None = None
    members: tuple[Status, ...] = ()
    lead_statuses: tuple[Status, ...] = ()
    deal_stages: tuple[DealStage, ...] = ()
    columns: tuple[Column, ...] = ()
    history: dict[str, int] = field(default_factory=dict)
    timezone: str | None = None
    fiscal_year_start: int | None = None
    corporate_currency: str | None = None
    currencies: tuple[str, ...] = ()
    newest: dt.datetime | None = None

    @property
    def of_people(self) -> bool:
        """Whether there is anyone a journey could be about."""
        return any(self.rows.get(name) for name in ("Lead", "Contact", "CampaignMember"))


def survey(con: duckdb.DuckDBPyConnection) -> Survey:
    """Look at the records in schema `src` of a connection (see `Ledger.attach`)."""
    look = _Look(con)
    organization = look.first_row("Organization", ("TimeZoneSidKey", "FiscalYearStartMonth"))
    return Survey(
        rows={name: look.count(name) for name in sorted(look.columns) if not name.startswith("_")},
        filled={
            f"{name}.{column}": look.filled(name, column)
            for name, columns in _FIELDS.items()
            for column in columns
            if look.has(name, column)
        },
        responded=look.count("CampaignMember", '"HasResponded"')
        if look.has("CampaignMember", "HasResponded")
        else None,
        members=look.statuses("CampaignMember", "Status"),
        lead_statuses=_lead_statuses(look),
        deal_stages=_deal_stages(look),
        columns=tuple(_stage_columns(look)),
        history=_history(look),
        timezone=zone if (zone := organization.get("TimeZoneSidKey")) in zoneinfo.available_timezones() else None,
        fiscal_year_start=organization.get("FiscalYearStartMonth"),
        corporate_currency=_corporate_currency(look),
        currencies=tuple(status.value for status in look.statuses("Opportunity", "CurrencyIsoCode")),
        newest=look.newest(),
    )


_FIELDS = {
    "CampaignMember": ("HasResponded", "FirstRespondedDate", "CreatedDate"),
    "Lead": ("Status", "IsConverted"),
    "Opportunity": ("Amount", "CreatedDate", "CloseDate", "IsWon", "IsClosed"),
}


def words(name: str) -> str:
    """The words of an API name or label in lower case: `Became_MQL__c`, `MQLDate__c` → "became mql", "mql date"."""
    bare = re.sub(r"__c$", "", name)
    parted = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", " ", bare)
    return " ".join(re.findall(r"[a-z0-9]+", parted.lower()))


def ladder_stage(name: str) -> str | None:
    """MQL, SAL or SQL if the words of a name or value hold it, else None."""
    return next((stage for stage, pattern in LADDER.items() if re.search(pattern, words(name))), None)


class _Look:
    """Counting queries on schema `src`, safe against objects and columns that are not there."""

    def __init__(self, con: duckdb.DuckDBPyConnection) -> None:
        self.con = con
        self.columns: dict[str, dict[str, str]] = {}
        rows = con.execute(
            "SELECT table_name, column_name, data_type FROM information_schema.columns "
            "WHERE table_schema = 'src' AND table_catalog = current_database() "
            "ORDER BY table_name, ordinal_position"
        ).fetchall()
        for table, column, kind in rows:
            if not table.endswith("__versions"):
                self.columns.setdefault(table, {})[column] = kind

    def has(self, name: str, column: str | None = None) -> bool:
        return name in self.columns and (column is None or column in self.columns[name])

    def records(self, name: str) -> str:
        alive = 'WHERE NOT coalesce("IsDeleted", false)' if self.has(name, "IsDeleted") else ""
        return f"(SELECT * FROM src.{quoted(name)} {alive})"

    def count(self, name: str, condition: str = "true") -> int:
        return int(self.rows(f"SELECT count(*) FILTER ({condition}) FROM {self.records(name)}")[0][0])

    def filled(self, name: str, column: str) -> int:
        return self.count(name, f"{quoted(column)} IS NOT NULL")

    def rows(self, sql: str) -> list[tuple]:
        return self.con.execute(sql).fetchall()

    def statuses(self, name: str, column: str) -> tuple[Status, ...]:
        """Values of a text column, the most frequent first; empty where the source lacks it."""
        if not self.has(name, column):
            return ()
        found = self.rows(
            f"SELECT {quoted(column)}, count(*) FROM {self.records(name)} WHERE {quoted(column)} IS NOT NULL "
            "GROUP BY 1 ORDER BY 2 DESC, 1"
        )
        return tuple(Status(value, rows) for value, rows in found)

    def first_row(self, name: str, columns: tuple[str, ...]) -> dict:
        held = [column for column in columns if self.has(name, column)]
        if not held:
            return {}
        found = self.rows(f"SELECT {', '.join(map(quoted, held))} FROM {self.records(name)} ORDER BY ALL LIMIT 1")
        return dict(zip(held, found[0], strict=True)) if found else {}

    def newest(self) -> dt.datetime | None:
        if not self.has("_loads", "extracted_at"):
            return None
        value: dt.datetime | None = self.rows('SELECT max("extracted_at") FROM src."_loads"')[0][0]
        return value


def _lead_statuses(look: _Look) -> tuple[Status, ...]:
    held = {status.value: status.rows for status in look.statuses("Lead", "Status")}
    listed: dict[str, bool] = {}
    if look.has("LeadStatus", "MasterLabel"):
        name = _picklist_value(look, "LeadStatus")
        converted = 'coalesce("IsConverted", false)' if look.has("LeadStatus", "IsConverted") else "false"
        order = '"SortOrder", ' if look.has("LeadStatus", "SortOrder") else ""
        listed = dict(look.rows(f"SELECT {name}, {converted} FROM {look.records('LeadStatus')} ORDER BY {order}1"))
    names = [*listed, *(value for value in held if value not in listed)]
    return tuple(Status(value, held.get(value, 0), value in listed, listed.get(value, False)) for value in names)


def _picklist_value(look: _Look, name: str) -> str:
    # Records hold a picklist's API name; older exports give only its label.
    return 'coalesce("ApiName", "MasterLabel")' if look.has(name, "ApiName") else '"MasterLabel"'


_USUAL = (
    ("prospect", "new", "lead"),
    ("qualif",),
    ("discover", "needs", "meeting"),
    ("value prop", "demo"),
    ("decision maker", "evaluat"),
    ("perception", "solution"),
    ("propos", "quot"),
    ("negotiat", "review"),
    ("contract", "commit", "verbal"),
)
"""Words in names of stages, in the order of the process that Salesforce ships and its usual variants."""


def _deal_stages(look: _Look) -> tuple[DealStage, ...]:
    """Stages of the picklist and of the records, in order: picklist, else probability, else dates."""
    listed = _listed_stages(look)
    held = _held_stages(look)
    stages = []
    for name in [*listed, *(name for name in held if name not in listed)]:
        mine, own = held.get(name), listed.get(name)
        if mine is None and own is None:
            continue
        stages.append(
            DealStage(
                name=name,
                rows=mine.rows if mine else 0,
                order=own.order if own else None,
                probability=next((s.probability for s in (mine, own) if s and s.probability is not None), None),
                created=mine.created if mine else None,
                is_closed=own.is_closed if own else mine.is_closed if mine else None,
                is_won=own.is_won if own else mine.is_won if mine else None,
            )
        )
    return tuple(sorted(_with_telling_chances(stages), key=_place))


def _with_telling_chances(stages: list[DealStage]) -> list[DealStage]:
    """The stages without chances that say nothing: where several open stages have 0 %, nobody has set them."""
    unset = [stage for stage in stages if stage.probability == 0 and not stage.is_closed]
    if len(unset) < 2:
        return stages
    return [replace(stage, probability=None) if stage in unset else stage for stage in stages]


def _place(stage: DealStage) -> tuple:
    last = (stage.is_closed or False, bool(stage.is_closed and not stage.is_won))
    order = (stage.order is None, stage.order or 0)
    chance = (stage.probability is None, stage.probability or 0.0)
    return (*last, *order, *chance, stage.created or 0.0, _place_of_name(stage.name), stage.name)


def _place_of_name(name: str) -> int:
    """Where a stage of that name stands in Salesforce's own sales process; in its middle if the name says nothing."""
    told = name.casefold()
    return next((at for at, words in enumerate(_USUAL) if any(word in told for word in words)), len(_USUAL) // 2)


def _listed_stages(look: _Look) -> dict[str, DealStage]:
    if not look.has("OpportunityStage", "MasterLabel"):
        return {}
    known = ("SortOrder", "DefaultProbability", "IsClosed", "IsWon", "IsActive")
    columns = [quoted(name) if look.has("OpportunityStage", name) else "NULL" for name in known]
    found = look.rows(
        f"SELECT {_picklist_value(look, 'OpportunityStage')}, {', '.join(columns)} "
        f"FROM {look.records('OpportunityStage')} ORDER BY 2, 1"
    )
    used = {status.value for status in look.statuses("Opportunity", "StageName")}
    used |= {status.value for status in look.statuses("OpportunityHistory", "StageName")}
    return {
        name: DealStage(name, 0, order, chance, None, closed, won)
        for name, order, chance, closed, won, active in found
        if active is not False or name in used
    }


def _held_stages(look: _Look) -> dict[str, DealStage]:
    if not look.has("Opportunity", "StageName"):
        return {}
    present = {name for name in ("Probability", "CreatedDate", "IsClosed", "IsWon") if look.has("Opportunity", name)}
    chance = 'median("Probability")' if "Probability" in present else "NULL"
    created = 'count("CreatedDate") / count(*)' if "CreatedDate" in present else "NULL"
    flags = [f"bool_or({quoted(name)})" if name in present else "NULL" for name in ("IsClosed", "IsWon")]
    found = look.rows(
        f'SELECT "StageName", count(*), {chance}, {created}, {", ".join(flags)} '
        f'FROM {look.records("Opportunity")} WHERE "StageName" IS NOT NULL GROUP BY 1 ORDER BY 1'
    )
    held = {
        name: DealStage(name, rows, None, probability, share, closed, won)
        for name, rows, probability, share, closed, won in found
    }
    chance = 'median("Probability")' if look.has("OpportunityHistory", "Probability") else "NULL"
    if look.has("OpportunityHistory", "StageName"):
        past = look.rows(
            f'SELECT "StageName", {chance} FROM {look.records("OpportunityHistory")} '
            'WHERE "StageName" IS NOT NULL GROUP BY 1 ORDER BY 1'
        )
        for name, probability in past:
            held.setdefault(name, DealStage(name, 0, None, probability))
    return held


def _stage_columns(look: _Look) -> list[Column]:
    """Text columns of people and opportunities whose name or values hold a stage of the ladder."""
    found = []
    for name in ("Lead", "Contact", "Opportunity", "CampaignMember"):
        for column, kind in look.columns.get(name, {}).items():
            if kind != "VARCHAR" or column in OBJECTS[name] or column == DATE_ONLY:
                continue
            if (looked := _stage_column(look, name, column)) is not None:
                found.append(looked)
    return found


def _stage_column(look: _Look, name: str, column: str) -> Column | None:
    text = words(column)
    named = ladder_stage(column) or (name == "CampaignMember" and re.search(r"\brespon(se|ded)\b", text))
    if not named and not re.search(r"\b(status|stage|lifecycle)\b", text):
        return None
    iso = f"regexp_matches({quoted(column)}, '^\\d{{4}}-\\d{{2}}-\\d{{2}}([T ].*)?$')"
    rows, filled, dates, distinct = look.rows(
        f"SELECT count(*), count({quoted(column)}), count(*) FILTER ({iso}), approx_count_distinct({quoted(column)}) "
        f"FROM {look.records(name)}"
    )[0]
    few = dates == 0 and 0 < distinct <= MANY_VALUES
    return Column(name, column, rows, filled, dates, look.statuses(name, column) if few else ())


def _history(look: _Look) -> dict[str, int]:
    counts: dict[str, int] = {}
    for history, name in (
        ("LeadHistory", "Lead"),
        ("ContactHistory", "Contact"),
        ("OpportunityFieldHistory", "Opportunity"),
    ):
        for status in look.statuses(history, "Field"):
            counts[f"{name}.{status.value}"] = status.rows
    if look.has("OpportunityHistory"):
        counts["Opportunity.StageName"] = look.count("OpportunityHistory")
    return counts


def _corporate_currency(look: _Look) -> str | None:
    if not (look.has("CurrencyType", "IsoCode") and look.has("CurrencyType", "IsCorporate")):
        return None
    found = look.rows(f'SELECT "IsoCode" FROM {look.records("CurrencyType")} WHERE "IsCorporate" ORDER BY 1 LIMIT 1')
    return found[0][0] if found else None
