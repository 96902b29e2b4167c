"""Requests, replies and the table of routes."""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qsl, unquote

from leadline_double.problems import ApiError
from leadline_double.state import Record

if TYPE_CHECKING:
    from leadline_double.org import Org
    from leadline_double.service import Service

JSON: Final = "application/json;charset=UTF-8"


@dataclass
class Request:
    """What a client sent. Header names are lower case."""

    method: str
    path: str
    query_string: str
    headers: dict[str, str]
    raw: bytes = b""

    @cached_property
    def query(self) -> dict[str, str]:
        """Parameters of the URL."""
        return dict(parse_qsl(self.query_string, keep_blank_values=True))

    @cached_property
    def body(self) -> bytes:
        """The body, unpacked where it was gzipped."""
        if self.headers.get("content-encoding") == "gzip":
            return gzip.decompress(self.raw)
        return self.raw

    def json(self) -> Any:
        """The body as JSON.

        Raises:
            ApiError: JSON_PARSER_ERROR.
        """
        try:
            return json.loads(self.body)
        except ValueError as error:
            raise ApiError("JSON_PARSER_ERROR", f"Unexpected character at [line:1, column:1]: {error}") from None

    def object(self) -> dict[str, Any]:
        """The body as a JSON object.

        Raises:
            ApiError: JSON_PARSER_ERROR.
        """
        found = self.json()
        if not isinstance(found, dict):
            raise ApiError("JSON_PARSER_ERROR", "The HTTP entity body must be an object")
        return found

    def form(self) -> dict[str, str]:
        """The body as a form."""
        return dict(parse_qsl(self.body.decode(), keep_blank_values=True))


@dataclass
class Reply:
    """What the org answers. `data` is written as JSON unless `raw` holds the body."""

    data: Any = None
    status: int = 200
    raw: bytes | None = None
    content_type: str = JSON
    headers: dict[str, str] = field(default_factory=dict)
    packed: Callable[[], bytes] | None = None
    """Gives the gzipped body where it is kept ready."""

    @cached_property
    def body(self) -> bytes:
        """The body as bytes."""
        if self.raw is not None:
            return self.raw
        return b"" if self.status == 204 else json.dumps(self.data, ensure_ascii=False, separators=(",", ":")).encode()


@dataclass
class Call:
    """A request on its way through the org."""

    service: Service
    request: Request
    version: str = ""
    args: dict[str, str] = field(default_factory=dict)
    fault: str | None = None

    @property
    def org(self) -> Org:
        """The org that is asked."""
        return self.service.org

    @property
    def base(self) -> str:
        """`/services/data/v67.0`."""
        return f"/services/data/v{self.version}"

    def url_of(self, object_name: str, record_id: str) -> str:
        """The address of a record."""
        return f"{self.base}/sobjects/{object_name}/{record_id}"

    def attributes(self, object_name: str, record: Record) -> dict[str, str]:
        """The `attributes` of a record in an answer."""
        return {"type": object_name, "url": self.url_of(object_name, record["Id"])}


Handler = Callable[[Call], Reply]


@dataclass(frozen=True)
class Route:
    """A method and path, and who answers. `page` marks answers that hold a page of rows."""

    method: str
    pattern: re.Pattern[str]
    handler: Handler
    page: bool = False


class Routes:
    """Routes below /services/data/vXX.X, in the order they were added."""

    def __init__(self) -> None:
        self._all: list[Route] = []

    def add(self, method: str, path: str, *, page: bool = False) -> Callable[[Handler], Handler]:
        """Register a handler; `{name}` in the path is one step of it."""

        def keep(handler: Handler) -> Handler:
            pattern = re.compile(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", path) + "/?")
            self._all.append(Route(method, pattern, handler, page))
            return handler

        return keep

    def find(self, method: str, path: str) -> tuple[Route, dict[str, str]]:
        """The route of a path below the version.

        Raises:
            ApiError: NOT_FOUND, or METHOD_NOT_ALLOWED.
        """
        known = False
        for route in self._all:
            hit = route.pattern.fullmatch(path)
            if hit and route.method == method:
                return route, {key: unquote(value) for key, value in hit.groupdict().items()}
            known = known or bool(hit)
        if known:
            raise ApiError("METHOD_NOT_ALLOWED", f"HTTP Method '{method}' not allowed.", 405)
        raise ApiError("NOT_FOUND", "The requested resource does not exist", 404)


ROUTES: Final = Routes()
"""All routes of the double; modules add theirs when they are imported."""
