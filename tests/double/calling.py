"""Asking a double without a network: the shortest way for tests of its answers."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlencode

from leadline_double.org import Org
from leadline_double.service import Service
from leadline_double.web import Request

VERSION: Final = "67.0"


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    headers: dict[str, str]
    text: str
    content_type: str

    @property
    def data(self) -> Any:
        """The body as JSON."""
        return json.loads(self.text)

    @property
    def rows(self) -> list[dict[str, str]]:
        """The body as CSV."""
        return list(csv.DictReader(io.StringIO(self.text, newline=""), strict=True))

    @property
    def error(self) -> tuple[int, str]:
        """Status and error code."""
        return self.status, self.data[0]["errorCode"]


class Caller:
    """A client with a session; paths are below the version unless they begin with /services."""

    def __init__(self, org: Org | None = None, service: Service | None = None) -> None:
        self.service = service or Service(org or Org())
        self.org = self.service.org
        self.token = ""
        self.login()

    def login(self) -> None:
        """A new session."""
        self.token = self.service.tokens.session_for(self.service.apps[0])

    def __call__(self, method: str, path: str, body: Any = None, version: str = VERSION, **query: str) -> Answer:
        """One request; a body that is not text or bytes is sent as JSON."""
        path = path if path.startswith("/services") else f"/services/data/v{version}{path}"
        raw = body if isinstance(body, bytes) else body.encode() if isinstance(body, str) else b""
        if body is not None and not isinstance(body, str | bytes):
            raw = json.dumps(body).encode()
        headers = {"authorization": f"Bearer {self.token}", "host": "localhost"}
        request = Request(method, path, urlencode(query), headers, raw)
        target = f"{path}?{request.query_string}" if query else path
        reply = self.service.respond(request, self.service.faults.next(method, target))
        return Answer(reply.status, reply.headers, reply.body.decode(), reply.content_type)

    def query(self, soql: str, *, everything: bool = False) -> list[dict[str, Any]]:
        """Rows of a query, all pages."""
        page = self("GET", "/queryAll" if everything else "/query", q=soql).data
        rows = list(page["records"])
        while not page["done"]:
            page = self("GET", page["nextRecordsUrl"]).data
            rows += page["records"]
        return rows

    def bulk(self, soql: str, *, operation: str = "query", **query: str) -> list[Answer]:
        """Pages of a bulk query."""
        job = self("POST", "/jobs/query", {"operation": operation, "query": soql}).data["id"]
        while self("GET", f"/jobs/query/{job}").data["state"] not in {"JobComplete", "Failed"}:
            pass
        pages = [self("GET", f"/jobs/query/{job}/results", **query)]
        while pages[-1].headers.get("Sforce-Locator", "null") != "null":
            pages.append(
                self("GET", f"/jobs/query/{job}/results", **query, locator=pages[-1].headers["Sforce-Locator"])
            )
        return pages

    def ingest(self, operation: str, object_name: str, text: str, **more: str) -> str:
        """A bulk job with these rows, run to its end; returns its id."""
        job = str(self("POST", "/jobs/ingest", {"operation": operation, "object": object_name, **more}).data["id"])
        self("PUT", f"/jobs/ingest/{job}/batches", text)
        self("PATCH", f"/jobs/ingest/{job}", {"state": "UploadComplete"})
        while self("GET", f"/jobs/ingest/{job}").data["state"] not in {"JobComplete", "Failed"}:
            pass
        return job
