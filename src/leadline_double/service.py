"""The org as a web service: authentication, limits, faults, and the way of a request to its handler."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from leadline_double import bulk_ingest, bulk_query, collections_api, replication, rest
from leadline_double.cursors import Cursors
from leadline_double.faults import EDGE, PAGE, Faults
from leadline_double.org import Org
from leadline_double.prepared import Prepared
from leadline_double.problems import ApiError, TokenError, not_found
from leadline_double.tokens import ConnectedApp, Tokens
from leadline_double.web import ROUTES, Call, Reply, Request

VERSIONS: Final = range(31, 69)
"""API versions in service."""

MODULES: Final = (rest, replication, collections_api, bulk_query, bulk_ingest)
"""Whoever adds routes."""

RowRule = Callable[[str, str, dict[str, Any]], ApiError | None]
_DATA: Final = re.compile(r"/services/data/v(\d+\.\d)(/.*)?")
_HTML: Final = "<html><head><title>{0}</title></head><body><h1>{0}</h1></body></html>"
_SOAP_OFF: Final = (
    '<?xml version="1.0" encoding="UTF-8"?><soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/" '
    'xmlns:sf="urn:fault.partner.soap.sforce.com"><soapenv:Body><soapenv:Fault><faultcode>sf:INVALID_OPERATION</faultcode>'
    "<faultstring>INVALID_OPERATION: SOAP API login() is disabled by default in this org.</faultstring><detail>"
    "<sf:UnexpectedErrorFault><sf:exceptionCode>INVALID_OPERATION</sf:exceptionCode><sf:exceptionMessage>SOAP API login() "
    "is disabled by default in this org.</sf:exceptionMessage></sf:UnexpectedErrorFault></detail></soapenv:Fault>"
    "</soapenv:Body></soapenv:Envelope>"
)


@dataclass
class Limits:
    """Calls of the running day."""

    daily: int = 100_000
    used: int = 0
    since: dt.datetime | None = None


class Service:
    """One org behind its APIs.

    Attributes:
        page_size: most rows on a page of a query.
        cursors: open queries, and how long they live.
        job_polls: how often a bulk job says it is not done.
        bulk_page: most rows of a page of bulk results when the client names no number.
        gzip: whether answers are packed for clients that take it.
        no_bulk: objects that the Bulk API refuses.
        unready_status: 204, or 412 as older versions said, where results are asked too early.
        prepared: objects whose bulk results are ready-made columns, see `prepared.Prepared`.
        row_rules: each may refuse a row that is written: (object, operation, values) → error or None.
    """

    def __init__(self, org: Org, apps: tuple[ConnectedApp, ...] = (), *, site: str = "https://localhost") -> None:
        self.org = org
        self.domain = "double.my.salesforce.com"
        self.apps = apps or (ConnectedApp(),)
        self.tokens = Tokens(org, self.apps, site, self.domain)
        self.faults = Faults()
        self.limits = Limits()
        self.page_size, self.bulk_page = 2000, 100_000
        self.job_polls = 1
        self.gzip = True
        self.cursors = Cursors(org)
        self.query_jobs: dict[str, bulk_query.QueryJob] = {}
        self.ingest_jobs: dict[str, bulk_ingest.IngestJob] = {}
        self.prepared: dict[str, Prepared] = {}
        self.no_bulk: set[str] = set()
        self.unready_status = 204
        self.row_rules: list[RowRule] = []
        self.served = 0

    def respond(self, request: Request, fault: str | None = None) -> Reply:
        """The answer to a request; a fault of the edge replaces it."""
        self.served += 1
        with self.org.lock:
            try:
                reply = edge(fault) if fault in EDGE else self._dispatch(request, fault)
            except ApiError as error:
                reply = Reply(error.body(), error.status)
            except TokenError as error:
                reply = Reply({"error": error.error, "error_description": error.description}, error.status)
        if _DATA.fullmatch(request.path):
            usage = f"api-usage={self.limits.used}/{self.limits.daily}; api-bursts=1/750"
            reply.headers.setdefault("Sforce-Limit-Info", usage)
        return reply

    def _dispatch(self, request: Request, fault: str | None) -> Reply:
        path = request.path
        if path == "/services/oauth2/token":
            return self.tokens.answer(request)
        if path.rstrip("/") == "/services/data":
            return rest.versions(VERSIONS)
        if path.startswith("/services/Soap/"):
            return Reply(raw=_SOAP_OFF.encode(), status=500, content_type="text/xml;charset=UTF-8")
        if path == "/services/oauth2/userinfo":
            self.tokens.check(request)
            return rest.user_info(self.org)
        hit = _DATA.fullmatch(path)
        if hit is None:
            raise not_found()
        if fault == "expire_token":
            self.tokens.expire_all()
        self.tokens.check(request)
        self._count_call()
        return self.route(request, hit[1], hit[2] or "/", fault)

    def route(self, request: Request, version: str, path: str, fault: str | None = None) -> Reply:
        """Hand a request to the route of its path below the version."""
        if not version.endswith(".0") or int(float(version)) not in VERSIONS:
            if float(version) < VERSIONS.start:
                raise ApiError("UNSUPPORTED_API_VERSION", f"Version {version} is not supported", 410)
            raise not_found()
        route, args = ROUTES.find(request.method, path)
        if fault == "not_ready":
            return Reply(status=204)
        call = Call(self, request, version, args)
        if fault == "expire_locator":
            self.cursors.open.clear()
        if fault == "job_failed" and args.get("job") in self.query_jobs:
            self.query_jobs[args["job"]].fail("InternalServerError : An internal server error occurred")
        if fault in PAGE:
            call.fault = fault
        return route.handler(call)

    def _count_call(self) -> None:
        limits, now = self.limits, self.org.clock.now()
        if limits.since is None or now - limits.since >= dt.timedelta(days=1):
            limits.since, limits.used = now, 0
        if limits.used >= limits.daily:
            raise ApiError("REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.", 403)
        limits.used += 1

    def refused(self, object_name: str, operation: str, values: dict[str, Any]) -> None:
        """Let the rules of this double refuse a row.

        Raises:
            ApiError: one of them does.
        """
        for rule in self.row_rules:
            error = rule(object_name, operation, values)
            if error is not None:
                raise error


def edge(kind: str | None) -> Reply:
    """What the edge answers instead of the org."""
    html = "text/html; charset=UTF-8"
    if kind == "concurrent":
        message = "ConcurrentRequests (Concurrent API Requests) Limit exceeded."
        return Reply(ApiError("REQUEST_LIMIT_EXCEEDED", message, 403).body(), 403)
    if kind == "daily":
        return Reply(ApiError("REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.", 403).body(), 403)
    if kind == "query_timeout":
        return Reply(ApiError("QUERY_TIMEOUT", "Your query request was running for too long.").body(), 400)
    if kind == "500":
        return Reply(
            ApiError("UNKNOWN_EXCEPTION", "An unexpected error occurred. Please include this ErrorId.").body(), 500
        )
    if kind == "503":
        return Reply(ApiError("SERVER_UNAVAILABLE", "Service Unavailable").body(), 503)
    if kind == "420":
        return Reply(raw=_HTML.format("We are setting things up").encode(), status=420, content_type=html)
    if kind == "406":
        return Reply(raw=b"", status=406, content_type=html)
    titles = {"429": "Too Many Requests", "502": "Bad Gateway", "503html": "Down for Maintenance"}
    return Reply(raw=_HTML.format(titles[str(kind)]).encode(), status=int(str(kind)[:3]), content_type=html)
