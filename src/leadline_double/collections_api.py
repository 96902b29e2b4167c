"""Composite requests: collections of rows, and several requests in one."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Final
from urllib.parse import urlsplit

from leadline_double.problems import ApiError
from leadline_double.schema import ObjectType
from leadline_double.web import ROUTES, Call, Reply, Request
from leadline_double.writes import create_row, delete_row, find_external, named_values, update_row

MOST_ROWS: Final = 200
MOST_CHUNKS: Final = 10
MOST_REQUESTS: Final = 25
ROLLED_BACK: Final = {
    "statusCode": "ALL_OR_NONE_OPERATION_ROLLED_BACK",
    "message": "Record rolled back because not all records were valid and the request was using AllOrNone header",
    "fields": [],
}
Row = dict[str, Any]


def _rows(call: Call) -> tuple[list[Row], bool]:
    sent = call.request.object()
    rows = sent.get("records")
    if not isinstance(rows, list) or not all(isinstance(one, dict) for one in rows):
        raise ApiError("JSON_PARSER_ERROR", "The request has no list of records")
    if len(rows) > MOST_ROWS:
        raise ApiError(
            "EXCEEDED_MAX_SIZE_REQUEST", f"The number of records ({len(rows)}) exceeds the maximum of {MOST_ROWS}"
        )
    return rows, bool(sent.get("allOrNone", False))


def _typed_rows(call: Call, rows: list[Row]) -> list[tuple[ObjectType, Row]]:
    """Each row with its object; unknown names refuse the whole request, and so do too many changes of type."""
    found: list[tuple[ObjectType, Row]] = []
    for row in rows:
        name = (row.get("attributes") or {}).get("type")
        if name is None:
            raise ApiError("INVALID_INPUT", "Include an entity type in the 'attributes' section of each sObject")
        try:
            entity = call.org.object(name)
        except ApiError:
            raise ApiError("INVALID_TYPE", f"sObject type '{name}' is not supported.") from None
        named_values(entity, row)
        found.append((entity, row))
    chunks = sum(1 for at, (one, _) in enumerate(found) if at == 0 or found[at - 1][0] is not one)
    if chunks > MOST_CHUNKS:
        raise ApiError("LIMIT_EXCEEDED", f"Cannot have more than {MOST_CHUNKS} chunks in a single operation")
    return found


def _each(call: Call, all_or_none: bool, works: Sequence[Callable[[], Row]]) -> list[Row]:
    """Results in order; with allOrNone a single failure undoes all."""
    before = copy.deepcopy((call.org.tables, call.org.bin, call.org.delete_log)) if all_or_none else None
    results = []
    for work in works:
        try:
            results.append(work())
        except ApiError as error:
            results.append({"success": False, "errors": [error.row()]})
    if before is not None and not all(one["success"] for one in results):
        call.org.restore(*before)
        return [one if not one["success"] else {"success": False, "errors": [dict(ROLLED_BACK)]} for one in results]
    return results


def _done(record_id: str, **more: Any) -> Row:
    return {"id": record_id, "success": True, "errors": [], **more}


@ROUTES.add("POST", "/composite/sobjects")
def create(call: Call) -> Reply:
    """Up to 200 new records."""
    rows, all_or_none = _rows(call)

    def make(entity: ObjectType, row: Row) -> Row:
        return _done(create_row(call.service, entity, row))

    typed = _typed_rows(call, rows)
    works = [partial(make, entity, row) for entity, row in typed]
    return Reply(_each(call, all_or_none, works))


@ROUTES.add("PATCH", "/composite/sobjects")
def update(call: Call) -> Reply:
    """Up to 200 changes; each row has its Id."""
    rows, all_or_none = _rows(call)

    def change(entity: ObjectType, row: Row) -> Row:
        record_id = row.get("Id", row.get("id"))
        if record_id is None:
            raise ApiError("MISSING_ARGUMENT", "Id not specified in an update call", fields=["Id"])
        return _done(update_row(call.service, entity, record_id, row))

    works = [partial(change, entity, row) for entity, row in _typed_rows(call, rows)]
    return Reply(_each(call, all_or_none, works))


@ROUTES.add("DELETE", "/composite/sobjects")
def delete(call: Call) -> Reply:
    """Up to 200 ids into the recycle bin."""
    ids = [one for one in call.request.query.get("ids", "").split(",") if one]
    if not 1 <= len(ids) <= MOST_ROWS:
        raise ApiError("EXCEEDED_MAX_SIZE_REQUEST", f"{len(ids)} ids; 1 to {MOST_ROWS} can be deleted")

    def remove(record_id: str) -> Row:
        name = call.org.object_of(record_id)
        if name is None:
            raise ApiError("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id", fields=[])
        return _done(delete_row(call.service, call.org.object(name), record_id))

    works = [partial(remove, record_id) for record_id in ids]
    return Reply(_each(call, call.request.query.get("allOrNone") == "true", works))


@ROUTES.add("PATCH", "/composite/sobjects/{object}/{field}")
def upsert(call: Call) -> Reply:
    """Up to 200 rows created or changed by an external id or by Id."""
    rows, all_or_none = _rows(call)
    entity, field = call.org.object(call.args["object"]), call.args["field"]

    def put(row: Row) -> Row:
        present = find_external(call.org, entity, field, row.get(field))
        if present is None:
            return _done(create_row(call.service, entity, row), created=True)
        return _done(update_row(call.service, entity, present, row), created=False)

    typed = _typed_rows(call, rows)
    if any(one is not entity for one, _ in typed):
        raise ApiError("INVALID_INPUT", "Include only entities of the type in the URL")
    return Reply(_each(call, all_or_none, [partial(put, row) for _, row in typed]))


@ROUTES.add("POST", "/composite")
def composite(call: Call) -> Reply:
    """Up to 25 requests in one, answered one by one."""
    parts = call.request.object().get("compositeRequest", [])
    if len(parts) > MOST_REQUESTS:
        raise ApiError("EXCEEDED_MAX_SIZE_REQUEST", f"Number of subrequests {len(parts)} exceeds {MOST_REQUESTS}")
    return Reply({"compositeResponse": [_part(call, one) for one in parts]})


def _part(call: Call, part: Row) -> Row:
    url = urlsplit(part["url"])
    body = b"" if part.get("body") is None else json.dumps(part["body"]).encode()
    request = Request(part["method"], url.path, url.query, {}, body)
    try:
        head, _, path = url.path.removeprefix("/services/data/v").partition("/")
        reply = call.service.route(request, head, f"/{path}")
    except ApiError as error:
        reply = Reply(error.body(), error.status)
    return {"body": reply.data, "httpHeaders": {}, "httpStatusCode": reply.status, "referenceId": part["referenceId"]}
