"""Versions, describe, queries, single records and limits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from leadline_double.describing import describe_entry, describe_global, describe_object
from leadline_double.org import Org
from leadline_double.problems import ApiError
from leadline_double.query import Found, Path, address_of, answer, visible_rows
from leadline_double.soql import parse
from leadline_double.state import Record
from leadline_double.values import json_value
from leadline_double.web import ROUTES, Call, Reply
from leadline_double.writes import create_row, delete_row, find_external, update_row

if TYPE_CHECKING:
    from collections.abc import Callable

_FIRST_RESOURCES = ("sobjects", "limits", "query", "queryAll", "composite", "jobs")


def versions(numbers: range) -> Reply:
    """The list that needs no token and costs no call."""
    listed = []
    for number in numbers:
        # Version 32 is Winter '15; three a year.
        year, release = divmod(number - 32, 3)
        name = ("Winter", "Spring", "Summer")[release]
        listed.append({"label": f"{name} '{15 + year}", "url": f"/services/data/v{number}.0", "version": f"{number}.0"})
    return Reply(listed)


def user_info(org: Org) -> Reply:
    """Who the token stands for."""
    return Reply(
        {
            "sub": f"https://login.salesforce.com/id/{org.organization_id}/{org.user_id}",
            "user_id": org.user_id,
            "organization_id": org.organization_id,
            "preferred_username": org.user_name,
            "name": "Integration",
            "email": org.user_name,
            "active": True,
            "user_type": "STANDARD",
        }
    )


@ROUTES.add("GET", "/")
def resources(call: Call) -> Reply:
    """The resources of a version."""
    return Reply({name: f"{call.base}/{name}" for name in _FIRST_RESOURCES})


@ROUTES.add("GET", "/sobjects")
def list_objects(call: Call) -> Reply:
    """Describe global."""
    return Reply(describe_global(call.org.objects, call.version))


@ROUTES.add("GET", "/sobjects/{object}/describe")
def describe(call: Call) -> Reply:
    """Describe of one object."""
    return Reply(describe_object(call.org.object(call.args["object"]), call.version))


@ROUTES.add("GET", "/sobjects/{object}")
def object_basics(call: Call) -> Reply:
    """The short description of an object."""
    entity = call.org.object(call.args["object"])
    return Reply({"objectDescribe": describe_entry(entity, call.version), "recentItems": []})


def _cell(record: Record, path: Path, result: dict[str, Any], call: Call) -> None:
    """Put a value where its path says: parents become objects within."""
    for hop, step in zip(path.parents, path.steps, strict=False):
        reached = hop(record)
        if reached is None:
            result[step] = None
            return
        name, record = reached
        result = result.setdefault(step, {"attributes": call.attributes(name, record)})
    value = address_of(record, path.field.name) if path.field.type == "address" else record.get(path.field.name)
    formula = not path.parents and path.field.calculated
    result[path.field.name] = json_value(path.get(record) if formula else value)


def rows_as_json(call: Call, found: Found, rows: list[Record]) -> list[dict[str, Any]]:
    """Rows of a query as the REST API writes them."""
    if found.query.aggregates:
        kind = {"attributes": {"type": "AggregateResult"}}
        return [kind | {name: json_value(value) for name, value in row.items()} for row in rows]
    result = []
    for row in rows:
        one: dict[str, Any] = {"attributes": call.attributes(found.object, row)}
        for path in found.columns:
            _cell(row, path, one, call)
        result.append(one)
    return result


def _page(call: Call, key: str | None, found: Found, start: int) -> dict[str, Any]:
    size = call.service.page_size
    wish = call.request.headers.get("sforce-query-options", "").lower().partition("batchsize=")[2]
    if wish.isdigit() and 200 <= int(wish) <= 2000:
        size = min(size, int(wish))
    if call.fault == "short_page":
        size = max(1, size // 3)
    rows = found.rows[start : start + size]
    done = start + size >= len(found.rows)
    page: dict[str, Any] = {"totalSize": len(found.rows), "done": done}
    if not done:
        page["nextRecordsUrl"] = f"{call.base}/query/{key or call.service.cursors.keep(found)}-{start + size}"
    # A record that is gone by the time its page is read is not on it.
    table = call.org.tables.get(found.object, {})
    present = rows if found.query.aggregates else [row for row in rows if row["Id"] in table]
    return page | {"records": rows_as_json(call, found, present)}


def _column_metadata(found: Found) -> dict[str, Any]:
    columns: list[dict[str, Any]] = [
        {
            "aggregate": False, "apexType": one.field.type.title(), "booleanType": one.field.type == "boolean",
            "columnName": ".".join(one.steps), "custom": one.field.custom, "displayName": one.field.label,
            "foreignKeyName": None, "insertable": one.field.createable, "joinColumns": [], "numberType": False,
            "textType": one.field.type == "string", "updatable": one.field.updateable,
        }
        for one in found.columns
    ]  # fmt: skip
    return {
        "columnMetadata": columns,
        "entityName": found.object,
        "groupBy": False,
        "idSelected": True,
        "keyPrefix": None,
    }


def _run(call: Call, everything: bool) -> Reply:
    text = call.request.query.get("q")
    if text is None:
        raise ApiError("MALFORMED_QUERY", "A query string has to be specified")
    query = parse(text)
    found = answer(call.org, query, everything=everything)
    if call.request.query.get("columns") == "true":
        return Reply(_column_metadata(found))
    if query.counts_rows and found.object in call.service.prepared:
        return Reply({"totalSize": call.service.prepared[found.object].count, "done": True, "records": []})
    if query.counts_rows:
        return Reply({"totalSize": len(found.rows), "done": True, "records": []})
    return Reply(_page(call, None, found, 0))


@ROUTES.add("GET", "/query", page=True)
def query_live(call: Call) -> Reply:
    """Live rows."""
    return _run(call, everything=False)


@ROUTES.add("GET", "/queryAll", page=True)
def query_all(call: Call) -> Reply:
    """Rows of the recycle bin, merged and archived ones too."""
    return _run(call, everything=True)


@ROUTES.add("GET", "/query/{locator}", page=True)
def query_more(call: Call) -> Reply:
    """A further page."""
    key, _, start = call.args["locator"].partition("-")
    found = call.service.cursors.read(key)
    if not start.isdigit() or int(start) >= len(found.rows):
        raise ApiError("INVALID_QUERY_LOCATOR", "invalid query locator")
    return Reply(_page(call, key, found, int(start)))


@ROUTES.add("POST", "/sobjects/{object}")
def create(call: Call) -> Reply:
    """One new record."""
    made = create_row(call.service, call.org.object(call.args["object"]), call.request.json())
    return Reply({"id": made, "success": True, "errors": []}, 201)


def _seen(call: Call) -> tuple[str, Record]:
    name, key = call.org.object(call.args["object"]).name, call.args["id"]
    record = call.org.tables[name].get(key) or next(
        (one for one in call.org.tables[name].values() if one["Id"][:15] == key), None
    )
    if record is None or record["Id"] in call.org.hidden_records:
        raise ApiError("NOT_FOUND", f"Provided external ID field does not exist or is not accessible: {key}", 404)
    if record.get("IsDeleted"):
        raise ApiError("ENTITY_IS_DELETED", "entity is deleted", 404)
    return name, record


@ROUTES.add("GET", "/sobjects/{object}/{id}")
def read(call: Call) -> Reply:
    """One record: all visible fields, or those of `fields`."""
    name, record = _seen(call)
    visible = call.org.objects[name].visible()
    wanted = call.request.query.get("fields", "")
    names = [one for one in wanted.split(",") if one] or list(visible)
    missing = [one for one in names if one not in visible]
    if missing:
        raise ApiError("INVALID_FIELD", f"No such column '{missing[0]}' on sobject of type {name}")
    result: dict[str, Any] = {"attributes": call.attributes(name, record)}
    for one in names:
        address = visible[one].type == "address"
        result[one] = address_of(record, one) if address else json_value(call.org.value(name, record, one))
    return Reply(result)


@ROUTES.add("PATCH", "/sobjects/{object}/{id}")
def update(call: Call) -> Reply:
    """Change one record."""
    name, record = _seen(call)
    update_row(call.service, call.org.object(name), record["Id"], call.request.json())
    return Reply(status=204)


@ROUTES.add("DELETE", "/sobjects/{object}/{id}")
def delete(call: Call) -> Reply:
    """One record into the recycle bin."""
    name, record = _seen(call)
    delete_row(call.service, call.org.object(name), record["Id"])
    return Reply(status=204)


@ROUTES.add("PATCH", "/sobjects/{object}/{field}/{value}")
def upsert(call: Call) -> Reply:
    """Create or change by an external id."""
    entity = call.org.object(call.args["object"])
    values = call.request.json()
    present = find_external(call.org, entity, call.args["field"], call.args["value"])
    if present:
        update_row(call.service, entity, present, values)
    else:
        present = create_row(call.service, entity, {**values, call.args["field"]: call.args["value"]})
        return Reply({"id": present, "success": True, "errors": [], "created": True}, 201)
    return Reply({"id": present, "success": True, "errors": [], "created": False})


@ROUTES.add("GET", "/limits/recordCount")
def record_count(call: Call) -> Reply:
    """Approximate counts; objects without records are missing from the answer."""
    names = [one for one in call.request.query.get("sObjects", "").split(",") if one] or sorted(call.org.objects)
    counts = [
        {"count": len(visible_rows(call.org, name, everything=False)), "name": name}
        for name in names
        if name in call.org.objects and call.org.tables[name]
    ]
    return Reply({"sObjects": counts})


@ROUTES.add("GET", "/limits")
def limits(call: Call) -> Reply:
    """What is left of the day."""
    left: Callable[[int, int], dict[str, int]] = lambda most, used: {"Max": most, "Remaining": most - used}  # noqa: E731
    used = call.service.limits
    return Reply(
        {
            "DailyApiRequests": left(used.daily, used.used),
            "DailyBulkV2QueryJobs": left(10_000, len(call.service.query_jobs)),
            "DailyBulkV2QueryFileStorageMB": left(976_562, 0),
            "DailyBulkApiBatches": left(15_000, len(call.service.ingest_jobs)),
            "DataStorageMB": left(1024, 1),
        }
    )


@ROUTES.add("GET", "/connect/communities")
def communities(call: Call) -> Reply:
    """None."""
    return Reply({"communities": [], "total": 0})
