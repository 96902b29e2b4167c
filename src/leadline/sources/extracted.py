"""When the records of a load were taken from the org, as the records themselves tell."""

from __future__ import annotations

import datetime as dt
import zoneinfo
from collections.abc import Iterator
from dataclasses import dataclass

import duckdb

from leadline.config import Settings, StageSource
from leadline.errors import SourceError
from leadline.schema import DATE_ONLY
from leadline.sources.sql_text import file_list, literal, only_row, quoted
from leadline.sources.staged import StagedObject

SYSTEM = ("SystemModstamp", "LastModifiedDate", "CreatedDate")
HAPPENED = ("CreatedDate", "LastStageChangeDate", "FirstRespondedDate", "ConvertedDate", "CompletedDateTime")
"""Fields that hold what has happened, never what is planned."""


@dataclass(frozen=True, slots=True)
class Moment:
    """A newest value: an instant (UTC) or a calendar date, and where it stands."""

    value: dt.datetime | dt.date
    where: str

    def instant(self, zone: zoneinfo.ZoneInfo) -> dt.datetime:
        """The instant itself; of a date the end of its day in `zone`."""
        if isinstance(self.value, dt.datetime):
            return self.value.replace(tzinfo=dt.UTC)
        return end_of_day(self.value, zone)


def end_of_day(day: dt.date, zone: zoneinfo.ZoneInfo) -> dt.datetime:
    """The last microsecond of a day in a zone, in UTC."""
    if day == dt.date.max:
        return dt.datetime.max.replace(tzinfo=dt.UTC)
    next_midnight = dt.datetime.combine(day + dt.timedelta(days=1), dt.time(), zone)
    return next_midnight.astimezone(dt.UTC) - dt.timedelta(microseconds=1)


def reporting_zone(
    con: duckdb.DuckDBPyConnection, objects: list[StagedObject], settings: Settings
) -> zoneinfo.ZoneInfo:
    """The zone of the settings, else of the org if it is in the load, else UTC."""
    name = settings.workspace.timezone
    org = next((one for one in objects if one.object == "Organization" and "TimeZoneSidKey" in one.columns), None)
    if name is None and org is not None:
        (zone,) = only_row(con, f"SELECT any_value(TimeZoneSidKey) FROM {_read(org)}")
        name = zone if zone in zoneinfo.available_timezones() else None
    return zoneinfo.ZoneInfo(name or "UTC")


def extraction(
    con: duckdb.DuckDBPyConnection, objects: list[StagedObject], settings: Settings
) -> tuple[dt.datetime, str]:
    """The moment of the newest record, aware in UTC, and what it rests on.

    First the newest instant in SystemModstamp, LastModifiedDate and CreatedDate of all objects;
    without one the newest date or instant of what has happened: fields the settings map as stamps,
    creation and the like, and CloseDate of closed opportunities.

    Raises:
        SourceError: no record has a date.
    """
    zone = reporting_zone(con, objects, settings)
    newest = _newest((one for staged in objects for one in _system_moments(con, staged)), zone)
    if newest is None:
        newest = _newest((one for staged in objects for one in _event_moments(con, staged, settings)), zone)
    if newest is None:
        raise SourceError(
            "No record of this load has a date from which the moment of its extraction could be told. "
            "Give it with --extracted-at, e.g. --extracted-at 2024-06-30."
        )
    if isinstance(newest.value, dt.datetime):
        return newest.instant(zone), f"newest {newest.where}"
    return newest.instant(zone), f"newest {newest.where}, a date: the end of that day in {zone.key}"


def _newest(moments: Iterator[Moment], zone: zoneinfo.ZoneInfo) -> Moment | None:
    return max(moments, key=lambda one: one.instant(zone), default=None)


def _read(staged: StagedObject) -> str:
    return f"read_parquet({file_list(staged.files)})"


def _max(con: duckdb.DuckDBPyConnection, staged: StagedObject, value: str, condition: str) -> list[Moment]:
    field = value.strip('"')
    (newest,) = only_row(con, f"SELECT max({value}) FROM {_read(staged)} WHERE {condition}")
    return [] if newest is None else [Moment(newest, f"{field} of {staged.object}")]


def _has_day_only(field: str) -> str:
    return f"coalesce(contains({DATE_ONLY}, {literal(f',{field},')}), false)"


def _system_moments(con: duckdb.DuckDBPyConnection, staged: StagedObject) -> Iterator[Moment]:
    for field in SYSTEM:
        if staged.columns.get(field) == "datetime":
            yield from _max(con, staged, quoted(field), f"NOT {_has_day_only(field)}")


def _event_moments(con: duckdb.DuckDBPyConnection, staged: StagedObject, settings: Settings) -> Iterator[Moment]:
    fields = {*HAPPENED, *_stamps(staged.object, settings)}
    for field in sorted(fields & staged.columns.keys()):
        yield from _newest_of_field(con, staged, field)
    if staged.object == "Opportunity" and "CloseDate" in staged.columns:
        yield from _max(con, staged, '"CloseDate"', _is_closed(staged, settings))


def _newest_of_field(con: duckdb.DuckDBPyConnection, staged: StagedObject, field: str) -> Iterator[Moment]:
    name, kind = quoted(field), staged.columns[field]
    if kind == "date":
        yield from _max(con, staged, name, "true")
    elif kind == "datetime":
        yield from _max(con, staged, name, f"NOT {_has_day_only(field)}")
        for moment in _max(con, staged, name, _has_day_only(field)):
            assert isinstance(moment.value, dt.datetime)
            yield Moment(moment.value.date(), moment.where)
    elif kind == "text":
        for cast, long in (("DATE", "<="), ("TIMESTAMP", ">")):
            sql = f"SELECT max(TRY_CAST({name} AS {cast})) FROM {_read(staged)} WHERE length({name}) {long} 10"
            (newest,) = only_row(con, sql)
            if newest is not None:
                yield Moment(newest, f"{field} of {staged.object}")


def _sources(settings: Settings) -> Iterator[StageSource]:
    for funnel in settings.funnel.values():
        for stage in funnel.stages:
            yield from stage.sources
        outcomes = funnel.outcomes
        yield from (*outcomes.won, *outcomes.lost, *outcomes.disqualified, *outcomes.recycled)


def stamp_fields(object_name: str, settings: Settings) -> frozenset[str]:
    """Fields of an object that the settings read as dates of events."""
    return frozenset(_stamps(object_name, settings))


def _stamps(object_name: str, settings: Settings) -> set[str]:
    stamps = {one.field for one in _sources(settings) if one.stamp and one.object == object_name and one.field}
    if object_name == "CampaignMember" and settings.responses.date_field:
        stamps.add(settings.responses.date_field)
    return stamps


def _is_closed(staged: StagedObject, settings: Settings) -> str:
    """SQL condition: by IsClosed, else by the outcomes configured, else by what stages are usually called."""
    if "IsClosed" in staged.columns:
        return "coalesce(IsClosed, false)"
    outcomes = [
        f"{quoted(one.field)} IN ({', '.join(literal(value) for value in one.values)})"
        for funnel in settings.funnel.values()
        for one in (*funnel.outcomes.won, *funnel.outcomes.lost)
        if one.object == "Opportunity" and one.field in staged.columns and one.field and one.values
    ]
    if outcomes:
        return " OR ".join(outcomes)
    if "StageName" in staged.columns:
        return "lower(StageName) LIKE 'closed%' OR lower(StageName) IN ('won', 'lost')"
    return "false"
