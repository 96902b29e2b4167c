"""Calls to one org: with its token, again where it helps, counted against the budget.

A call is an answer that was understood: what cannot be parsed counts as cut short and is asked
for again. Waiting doubles from try to try, with a random part so that many callers spread.
"""

from __future__ import annotations

import datetime as dt
import email.utils
import json
import re
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final, TypeVar
from urllib.parse import urlencode

from leadline.errors import ApiLimitError, LoginError, OrgUnreachableError
from leadline.sources.salesforce.faults import Verdict, refusal, verdict
from leadline.sources.salesforce.grants import Login, Token
from leadline.sources.salesforce.transport import Request, Response, Transport
from leadline.sources.salesforce.waiting import TRIES, Waiting

T = TypeVar("T")

PINNED: Final = 67
"""Version of the API this is written for; an org that serves only older ones gets its newest."""
_LIMIT: Final = re.compile(r"api-usage=(\d+)/(\d+)")


@dataclass
class Usage:
    """API calls: what the org says of its day, and our own.

    Attributes:
        used: calls of all clients in the last 24 hours, as the org last said; None before.
        limit: how many it allows.
        own: calls made here.
        allowance: how many we may make; None for no limit of our own.
    """

    used: int | None = None
    limit: int | None = None
    own: int = 0
    allowance: int | None = None


@dataclass
class Calls:
    """API calls of one piece of work."""

    made: int = 0


def from_json(response: Response) -> Any:
    """The body of an answer; numbers stay the digits they came as.

    Raises:
        ValueError: it is no JSON.
    """
    return json.loads(response.body, parse_float=str, parse_int=str)


class Session:
    """One org, seen by all threads."""

    def __init__(
        self, login: Login, transport: Transport, *, waiting: Waiting | None = None, version: int | None = None
    ) -> None:
        self._login, self._transport = login, transport
        self.waiting = waiting or Waiting()
        self.usage = Usage()
        self.clock: dt.datetime | None = None
        self._version = version
        self._lock = threading.Lock()
        self._here = threading.local()

    @property
    def org_id(self) -> str:
        """Id of the org."""
        return self._login.token().org_id

    @property
    def user_id(self) -> str:
        """Id of the integration user."""
        return self._login.token().user_id

    @property
    def version(self) -> str:
        """Version of the API as in addresses, e.g. "67.0": ours, or the newest the org has."""
        with self._lock:
            known = self._version
        if known is None:
            served = self._call(Request("GET", "/services/data/"), from_json, "the versions of the API")
            known = min(PINNED, max(int(str(one["version"]).partition(".")[0]) for one in served))
            with self._lock:
                self._version = known
        return f"{known}.0"

    @contextmanager
    def counted(self) -> Iterator[Calls]:
        """Counts the calls that this thread makes in the block."""
        self._here.calls = Calls()
        try:
            yield self._here.calls
        finally:
            self._here.calls = None

    def data(self, path: str) -> str:
        """The address of a resource of the API."""
        return f"/services/data/v{self.version}/{path}"

    def get(self, path: str, what: str, **query: str) -> Any:
        """A resource as JSON; numbers are texts.

        Raises:
            SalesforceError: see `call`.
        """
        asked = f"{path}?{urlencode(query)}" if query else path
        return self.call("GET", asked, from_json, what)

    def call(
        self,
        method: str,
        path: str,
        parse: Callable[[Response], T],
        what: str,
        *,
        body: Any = None,
        headers: Mapping[str, str] | None = None,
    ) -> T:
        """Ask until an answer is understood.

        Args:
            path: below the org's host.
            parse: reads the answer; a `ValueError` means that it came broken. It also gets answers
                of status 204, which mean "not ready".
            what: what is asked, in words, for messages.

        Raises:
            ApiError: the org says no.
            ApiLimitError: the calls of the day or our share of them are used up.
            LoginError: the login was refused.
            OrgUnreachableError: no whole answer came, however often it was asked for.
        """
        return self._call(_request(method, path, body, headers), parse, what)

    def once(self, method: str, path: str, parse: Callable[[Response], T], what: str, *, body: Any = None) -> T:
        """Ask for a change a single time: without a whole answer nobody knows whether the org made it.

        A session that has ended is renewed first: such a request was not carried out.

        Raises:
            OrgUnreachableError: no whole answer came; the org has made the change, or has not.
            SalesforceError: otherwise as `call`; nothing was changed.
        """
        return self._call(_request(method, path, body, None), parse, what, tries=1)

    def _call(self, request: Request, parse: Callable[[Response], T], what: str, tries: int = TRIES) -> T:
        token, renewals, last = self._login.token(), 0, ""
        for number in range(tries + 1):
            if number - renewals >= tries:
                break
            if number > renewals:
                self.waiting.before_try(number - renewals)
            self._count(request.url)
            try:
                response = self._transport.send(_signed(request, token))
            except OrgUnreachableError as error:
                last = error.cause
                continue
            self._note(response)
            found = verdict(response)
            if found is Verdict.REFUSED:
                raise refusal(response, what)
            if found is Verdict.LOG_IN:
                if renewals:
                    raise LoginError(
                        f"The org does not accept the session it gave ({what}). See the app's session policy."
                    )
                token, renewals = self._login.renewed(token), 1
            elif found is Verdict.AGAIN:
                last = f"HTTP {response.status}"
            else:
                try:
                    return parse(response)
                except ValueError:
                    last = "an answer that cannot be read"
        raise OrgUnreachableError(f"The org, asked for {what},", f"{last}; {tries} {'tries' if tries > 1 else 'try'}")

    def _count(self, url: str) -> None:
        if url == "/services/data/":
            return
        with self._lock:
            usage = self.usage
            if usage.allowance is not None and usage.own >= usage.allowance:
                raise ApiLimitError(
                    f"The command has used its share of the org's API calls ({usage.own:,} of {usage.allowance:,} allowed "
                    "by api_share of [salesforce]). Run it again later: it goes on where it stopped."
                )
            usage.own += 1
        calls: Calls | None = getattr(self._here, "calls", None)
        if calls is not None:
            calls.made += 1

    def _note(self, response: Response) -> None:
        """What every answer tells beside what was asked: the calls of the day, and the time there."""
        told = _LIMIT.search(response.headers.get("sforce-limit-info", ""))
        moment = response.headers.get("date")
        with self._lock:
            if told:
                self.usage.used, self.usage.limit = int(told[1]), int(told[2])
            if moment:
                self.clock = email.utils.parsedate_to_datetime(moment)


def _request(method: str, path: str, body: Any, headers: Mapping[str, str] | None) -> Request:
    content = b"" if body is None else json.dumps(body).encode()
    given = dict(headers or {}) | ({"Content-Type": "application/json"} if content else {})
    return Request(method, path, given, content)


def _signed(request: Request, token: Token) -> Request:
    headers = {"Accept": "application/json", **request.headers, "Authorization": f"Bearer {token.access.reveal()}"}
    return Request(request.method, token.instance + request.url, headers, request.body)
