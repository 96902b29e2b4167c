"""getDeleted and getUpdated."""

from __future__ import annotations

import datetime as dt

from leadline_double.problems import ApiError
from leadline_double.schema import ObjectType
from leadline_double.state import BIN_DAYS
from leadline_double.values import json_value
from leadline_double.web import ROUTES, Call, Reply

MOST_IDS = 600_000
_UPDATED_DAYS = 30


def _span(call: Call, days: int) -> tuple[dt.datetime, dt.datetime]:
    moments = []
    for name in ("start", "end"):
        try:
            moments.append(dt.datetime.fromisoformat(call.request.query[name]))
        except (KeyError, ValueError):
            raise ApiError("MALFORMED_QUERY", f"Invalid date: {call.request.query.get(name)} for {name}") from None
        if moments[-1].tzinfo is None:
            raise ApiError("MALFORMED_QUERY", f"Invalid date: {name} needs a time zone")
    start, end = moments
    if end - start <= dt.timedelta(minutes=1):
        raise ApiError("INVALID_REPLICATION_DATE", "startDate must precede endDate by more than one minute")
    if call.org.clock.now() - start > dt.timedelta(days=days):
        raise ApiError("INVALID_REPLICATION_DATE", f"startDate cannot be more than {days} days ago")
    return start, end


def _entity(call: Call) -> ObjectType:
    entity = call.org.object(call.args["object"])
    if not entity.replicateable:
        raise ApiError("INVALID_TYPE_FOR_OPERATION", f"entity type {entity.name} is not replicateable")
    return entity


def _covered(call: Call, end: dt.datetime) -> dt.datetime:
    """Changes of transactions under way are not in: the next call has to start where the oldest began."""
    moments = [end, call.org.clock.now(), call.org.oldest_open()]
    return min(one for one in moments if one is not None)


@ROUTES.add("GET", "/sobjects/{object}/deleted")
def deleted(call: Call) -> Reply:
    """What went into the bin in a span of time and is not back; purged records too."""
    entity = _entity(call)
    start, end = _span(call, BIN_DAYS)
    org, rows = call.org, call.org.tables[entity.name]
    log = {
        key: moment
        for key, moment in org.delete_log[entity.name]
        if start <= moment < end and key not in org.hidden_records and rows.get(key, {}).get("IsDeleted", True)
    }
    if len(log) > MOST_IDS:
        raise ApiError("EXCEEDED_ID_LIMIT", "exceeded id limit: choose start and end closer together")
    horizon = org.clock.now() - dt.timedelta(days=BIN_DAYS)
    return Reply(
        {
            "deletedRecords": [{"id": key, "deletedDate": json_value(moment)} for key, moment in log.items()],
            "earliestDateAvailable": json_value(org.log_begins.get(entity.name, horizon)),
            "latestDateCovered": json_value(_covered(call, end)),
        }
    )


@ROUTES.add("GET", "/sobjects/{object}/updated")
def updated(call: Call) -> Reply:
    """Live records whose stamp lies in a span of time."""
    entity = _entity(call)
    start, end = _span(call, _UPDATED_DAYS)
    stamp = "SystemModstamp" if "SystemModstamp" in entity.fields else "CreatedDate"
    ids = [
        one["Id"]
        for one in call.org.live(entity.name)
        if start <= one[stamp] < end and one["Id"] not in call.org.hidden_records
    ]
    return Reply({"ids": ids, "latestDateCovered": json_value(_covered(call, end))})
