"""An org made of dictionaries, behind the connector's one-method transport.

It answers what the connector asks and nothing else, from the notes on the wire format. Faults are
put in front of it: a list of responses or exceptions that are given, in order, instead of answers
to requests that match.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
import itertools
import json
import re
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from leadline.errors import OrgUnreachableError
from leadline.sources.salesforce.grants import Account, Login
from leadline.sources.salesforce.session import Session
from leadline.sources.salesforce.transport import Request, Response
from leadline.sources.salesforce.vault import Secret
from leadline.sources.salesforce.waiting import Waiting

START = dt.datetime(2026, 3, 2, 9, 0, 0, tzinfo=dt.UTC)
ORG_ID = "00D000000000001EAA"
INSTANCE = "https://acme.my.salesforce.com"

_STAMPED = {
    "Id": "id",
    "IsDeleted": "boolean",
    "CreatedDate": "datetime",
    "SystemModstamp": "datetime",
}
_SOQL = re.compile(r"SELECT (?P<what>.+?) FROM (?P<name>\w+)(?: WHERE (?P<where>.+))?$")

Row = dict[str, Any]


class Drawer:
    """A vault that keeps secrets in memory."""

    def __init__(self, **secrets: str) -> None:
        self.held = {name: Secret(text) for name, text in secrets.items()}

    def get(self, name: str) -> Secret | None:
        return self.held.get(name)

    def put(self, name: str, secret: Secret) -> None:
        self.held[name] = secret


def quick(slept: list[float] | None = None) -> Waiting:
    """Waiting that takes no time; it notes how long it would have."""
    notes = [] if slept is None else slept
    return Waiting(sleep=notes.append, random=lambda: 0.5)


def iso(moment: dt.datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S.000+0000")


class FakeOrg:
    """Records by object; a clock that only tests move; a log of requests."""

    def __init__(self, page: int = 3) -> None:
        self.now = START
        self.page = page
        self.fields: dict[str, dict[str, dict[str, Any]]] = {}
        self.rows: dict[str, dict[str, Row]] = {}
        self.deleted: dict[str, dict[str, dt.datetime]] = {}
        self.log: list[Request] = []
        self.faults: list[tuple[str, Any]] = []
        self.tokens = itertools.count(1)
        self.valid_token = ""
        self.jobs: dict[str, dict[str, Any]] = {}
        self.ids = itertools.count(1)
        self.used = 100
        self.refresh_token = "refresh-1"
        self.on_send: Callable[[Request], None] = lambda request: None

    # What tests do to the org.

    def define(self, name: str, **types: str | dict[str, Any]) -> None:
        """An object with the usual stamps and these fields: type, or more keys of its describe."""
        self.rows.setdefault(name, {})
        self.deleted.setdefault(name, {})
        self.fields[name] = {}
        for field, kind in (_STAMPED | types).items():
            self.add_field(name, field, kind)

    def add_field(self, name: str, field: str, kind: str | dict[str, Any]) -> None:
        own = {"type": kind} if isinstance(kind, str) else kind
        custom = field.endswith("__c")
        self.fields[name][field] = {
            "name": field,
            "calculated": False,
            "custom": custom,
            "filterable": True,
            "referenceTo": [],
        } | own

    def insert(self, name: str, visible_after: int = 0, **values: Any) -> str:
        """A new record; it can be seen only so many seconds after its stamp."""
        key = f"{name[:3]}{next(self.ids):012d}AAA"
        stamp = iso(self.now)
        self.rows[name][key] = (
            dict.fromkeys(self.fields[name])
            | {"Id": key, "IsDeleted": False, "CreatedDate": stamp, "SystemModstamp": stamp}
            | values
            | {"_visible": self.now + dt.timedelta(seconds=visible_after), "_before": None}
        )
        return key

    def update(self, name: str, key: str, visible_after: int = 0, **values: Any) -> None:
        """Change a record and its stamp; until it is visible the state before is."""
        before = self.rows[name][key]
        self.rows[name][key] = (
            before
            | values
            | {
                "SystemModstamp": iso(self.now),
                "_visible": self.now + dt.timedelta(seconds=visible_after),
                "_before": before,
            }
        )

    def set_quietly(self, name: str, key: str, **values: Any) -> None:
        """Change a record without its stamp, as formulas and reparenting do."""
        self.rows[name][key] |= values

    def delete(self, name: str, key: str) -> None:
        self.update(name, key, IsDeleted=True)
        self.deleted[name][key] = self.now

    def undelete(self, name: str, key: str) -> None:
        self.update(name, key, IsDeleted=False)
        self.deleted[name].pop(key, None)

    def purge(self, name: str, key: str) -> None:
        """Remove a record without trace; the list of deletions still has it."""
        del self.rows[name][key]
        self.deleted[name].setdefault(key, self.now)

    def fail(self, pattern: str, *answers: Response | Exception) -> None:
        """Give these instead of answers to the next requests whose method and address match."""
        self.faults += [(pattern, answer) for answer in answers]

    def seen(self, name: str) -> list[Row]:
        """Records as they can be seen now."""
        return [row for row in map(self._visible, self.rows[name].values()) if row is not None]

    def _visible(self, row: Row | None) -> Row | None:
        while row is not None and row["_visible"] > self.now:
            row = row["_before"]
        return row

    # The transport.

    def send(self, request: Request) -> Response:
        self.log.append(request)
        self.on_send(request)
        for at, (pattern, answer) in enumerate(self.faults):
            if re.search(pattern, f"{request.method} {unquote(request.url)}"):
                del self.faults[at]
                if isinstance(answer, Exception):
                    raise answer
                return answer
        parts = urlsplit(request.url)
        if parts.path == "/services/oauth2/token":
            return self._token(request)
        if request.headers.get("Authorization") != f"Bearer {self.valid_token}":
            return refused(401, "INVALID_SESSION_ID", "Session expired or invalid")
        self.used += 1
        answer = self._answer(request, parts.path, {key: one[0] for key, one in parse_qs(parts.query).items()})
        limit = {"sforce-limit-info": f"api-usage={self.used}/15000", "date": _http_date(self.now)}
        return Response(answer.status, limit | dict(answer.headers), answer.body)

    def _token(self, request: Request) -> Response:
        form = {key: one[0] for key, one in parse_qs(request.body.decode()).items()}
        told: dict[str, Any] = {"instance_url": INSTANCE, "id": f"{INSTANCE}/id/{ORG_ID}/005000000000001AAA"}
        if form["grant_type"] == "refresh_token":
            if form["refresh_token"] != self.refresh_token:
                return Response(
                    400, {}, b'{"error": "invalid_grant", "error_description": "expired access/refresh token"}'
                )
            self.refresh_token = f"refresh-{next(self.tokens)}-next"
            told["refresh_token"] = self.refresh_token
        self.valid_token = f"00Dtoken-{next(self.tokens)}"
        return json_response(told | {"access_token": self.valid_token, "token_type": "Bearer"})

    def _answer(self, request: Request, path: str, query: dict[str, str]) -> Response:
        if path == "/services/data/":
            return json_response([{"version": "66.0"}, {"version": "68.0"}, {"version": "67.0"}])
        rest = path.removeprefix("/services/data/v67.0/").strip("/")
        if rest == "limits":
            return json_response({"DailyApiRequests": {"Max": 15000, "Remaining": 15000 - self.used}})
        if rest == "sobjects":
            return json_response({"sobjects": [{"name": name, "queryable": True} for name in self.fields]})
        if found := re.fullmatch(r"sobjects/(\w+)/describe", rest):
            name = found[1]
            fields = list(self.fields[name].values())
            return json_response({"name": name, "fields": fields, "replicateable": True})
        if found := re.fullmatch(r"sobjects/(\w+)/deleted", rest):
            return self._deletions(found[1], query)
        if rest in ("query", "queryAll"):
            return self._query(query["q"])
        if found := re.fullmatch(r"query/(.+)", rest):
            return self._page(found[1])
        return self._bulk(request, rest, query)

    def _deletions(self, name: str, query: dict[str, str]) -> Response:
        start, end = (dt.datetime.fromisoformat(query[key]) for key in ("start", "end"))
        listed = [{"id": key, "deletedDate": iso(at)} for key, at in self.deleted[name].items() if start <= at <= end]
        early = iso(self.now - dt.timedelta(days=20))
        return json_response({"deletedRecords": listed, "earliestDateAvailable": early, "latestDateCovered": iso(end)})

    def select(self, soql: str) -> tuple[str, list[str], list[Row]]:
        """Object, columns and rows of a query; a KeyError where a field is not there."""
        found = _SOQL.match(soql)
        if not found:
            raise ValueError(soql)
        name, columns = found["name"], [one.strip() for one in found["what"].split(",")]
        rows = [row for row in self.seen(name) if _meets(row, found["where"] or "")]
        if columns != ["COUNT()"] and (strange := [one for one in columns if one not in self.fields[name]]):
            raise KeyError(strange[0])
        return name, columns, rows

    def _query(self, soql: str) -> Response:
        try:
            name, columns, rows = self.select(soql)
        except KeyError as error:
            return refused(400, "INVALID_FIELD", f"No such column {error} on entity")
        except ValueError:
            return refused(400, "MALFORMED_QUERY", "unexpected token")
        if columns == ["COUNT()"]:
            return json_response({"totalSize": len(rows), "done": True, "records": []})
        key = f"01g{next(self.ids)}"
        self.jobs[key] = {"rows": [{"attributes": {"type": name}} | {one: row[one] for one in columns} for row in rows]}
        return self._page(f"{key}-0")

    def _page(self, locator: str) -> Response:
        key, _, at = locator.rpartition("-")
        rows, start = self.jobs[key]["rows"], int(at)
        end = start + self.page
        more = {"nextRecordsUrl": f"/services/data/v67.0/query/{key}-{end}"} if end < len(rows) else {}
        body = {"totalSize": len(rows), "done": not more, "records": rows[start:end]} | more
        return json_response(body)

    def _bulk(self, request: Request, rest: str, query: dict[str, str]) -> Response:
        if request.method == "POST":
            asked = json.loads(request.body)
            try:
                _, columns, rows = self.select(asked["query"])
            except (KeyError, ValueError):
                return refused(400, "API_ERROR", "this query is not supported")
            key = f"750{next(self.ids):012d}AAA"
            self.jobs[key] = {"columns": columns, "rows": rows, "state": "JobComplete", "processed": len(rows)}
            return json_response({"id": key, "state": "UploadComplete"})
        key, _, results = rest.removeprefix("jobs/query/").partition("/")
        if key not in self.jobs:
            return refused(404, "NOT_FOUND", "The requested resource does not exist")
        job = self.jobs[key]
        if request.method == "DELETE":
            return Response(204)
        if not results:
            return json_response({"id": key, "state": job["state"], "numberRecordsProcessed": job["processed"]})
        start = int(query.get("locator", "0"))
        end = start + min(self.page, int(query["maxRecords"]))
        headers = {
            "content-type": "text/csv",
            "sforce-numberofrecords": str(len(job["rows"][start:end])),
            "sforce-locator": str(end) if end < len(job["rows"]) else "null",
        }
        return Response(200, headers, as_csv(job["columns"], job["rows"][start:end]))


def as_csv(columns: list[str], rows: Iterable[Row]) -> bytes:
    """Rows as a page of bulk results: all values quoted, null empty."""
    text = io.StringIO()
    writer = csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator="\n")
    writer.writerow(columns)
    for row in rows:
        writer.writerow([_csv_value(row[one]) for one in columns])
    return text.getvalue().encode()


def _csv_value(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    text = str(value)
    return text.replace("+0000", "Z") if re.fullmatch(r"\d{4}-.*\+0000", text) else text


def _meets(row: Row, where: str) -> bool:
    for part in filter(None, where.split(" AND ")):
        if found := re.fullmatch(r"(\w+) (>=|<) (\S+)", part):
            value, moment = row[found[1]][:19], found[3].removesuffix("Z")
            if not (value >= moment if found[2] == ">=" else value < moment):
                return False
        else:
            listed = re.fullmatch(r"(\w+) IN \((.*)\)", part)
            if not listed:
                raise ValueError(part)
            if row[listed[1]] not in re.findall(r"'([^']*)'", listed[2]):
                return False
    return True


def json_response(body: Any, status: int = 200) -> Response:
    return Response(status, {"content-type": "application/json;charset=UTF-8"}, json.dumps(body).encode())


def refused(status: int, code: str, message: str = "") -> Response:
    return json_response([{"errorCode": code, "message": message}], status)


def lost() -> Exception:
    """What the transport raises when a connection breaks."""
    return OrgUnreachableError("acme.my.salesforce.com", "ReadError")


def _http_date(moment: dt.datetime) -> str:
    return moment.strftime("%a, %d %b %Y %H:%M:%S GMT")


def session_of(org: FakeOrg, lock_file: Any, slept: list[float] | None = None) -> Session:
    """A session with the fake org, by client credentials."""
    account = Account("client", INSTANCE, "consumer-key")
    waiting = quick(slept)
    login = Login(account, Drawer(client_secret="s3cr3t"), org, lock_file=lock_file, waiting=waiting)
    return Session(login, org, waiting=waiting)
