"""A view: one reader looking at one page of one snapshot."""

from __future__ import annotations

import datetime as dt
import time
import urllib.parse
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeVar, cast

from fastapi import Request
from fastapi.responses import HTMLResponse, Response

from leadline.address import Address
from leadline.errors import BusyError, OverLimitError, PendingError, SnapshotError
from leadline.metrics.dimensions import CAMPAIGN, PASS, WRITTEN
from leadline.results import Result
from leadline.web import locale, state
from leadline.web.access.masking import BY_OBJECT, PERSONAL, leads_to_person, masked, scrubbed
from leadline.web.charts import Block, block
from leadline.web.kept import NAME, TOKEN, filled, reading, taken_apart
from leadline.web.periods import ALL_TIME, Preset, presets
from leadline.web.state import Choice, State
from leadline.web.tables import Table, table
from leadline.web.templating import environment
from leadline.workspace.questions import addressed_question

if TYPE_CHECKING:
    from leadline.explain import Explanation
    from leadline.model.opened import Opened
    from leadline.web.access.who import Principal
    from leadline.web.answers import Answers
    from leadline.web.desk import Desk, Pin

T = TypeVar("T")

NAVIGATION = (
    ("overview", "/"),
    ("funnel", "/funnel"),
    ("velocity", "/velocity"),
    ("influence", "/influence"),
    ("trust", "/trust"),
    ("search", "/search"),
    ("definitions", "/definitions"),
    ("boards", "/boards"),
    ("data", "/data"),
)
"""Pages of the header, in order: name and path."""


@dataclass(frozen=True, slots=True)
class Links:
    """Where a number leads.

    Attributes:
        records, explain: pages; exports: ending → file.
    """

    records: str
    explain: str
    exports: Mapping[str, str]


class View:
    """One page for one reader; everything on it is asked of one snapshot.

    Attributes:
        request: as it came.
        who: the reader.
        site: the server's workspace, answers and store.
        state: what the address asks for.
        usual_period: name of the period that holds where the address names none.
        lasting: whether the page would read the same if it were asked for again.
        pending: whether something on it is still being worked out.
    """

    def __init__(self, request: Request, pin: Pin | None, page_state: State) -> None:
        self.request = request
        self._pin = pin
        self.state = page_state
        self.site: Any = request.app.state.site
        self.who: Principal = request.state.who
        self.notices: list[str] = list(page_state.notices)
        self.usual_period = ALL_TIME
        self._results: list[Result] = []
        self._touching: set[str] = set()
        self.lasting, self.pending = True, False
        self._until = _until(request)
        self._wanted = None if pin is None else reading(request)
        self._age = 0 if pin is None else self.answers.pages.age

    @classmethod
    def of(cls, request: Request, choices: Iterable[Choice] = ()) -> View:
        """The view a request asks for.

        Args:
            request: a GET of a page.
            choices: the parameters of the page beside those of every page.

        Raises:
            SnapshotError: nothing is published yet.
        """
        pin = request.app.state.site.answers.pin()
        known = [*state.common(pin.funnels), *choices]
        return cls(
            request, pin, state.read(request.url.path, request.query_params.multi_items(), known, dimensions(pin))
        )

    @staticmethod
    def blank(request: Request) -> State:
        """The state of what has none: files and forms."""
        return State(request.url.path)

    @property
    def pin(self) -> Pin:
        """The snapshot and what it says of itself.

        Raises:
            SnapshotError: this page is one without a snapshot.
        """
        if self._pin is None:
            raise SnapshotError("Nothing is published yet. Bring data in first.")
        return self._pin

    @property
    def answers(self) -> Answers:
        """What asks and keeps."""
        found: Answers = self.site.answers
        return found

    def ask(self, metric: Address | str, **arguments: Any) -> Result:
        """The answer of a metric.

        Args:
            metric: its name with arguments as the metric's own Python method takes them, or a whole address without any.

        Raises:
            LeadlineError: as the metric itself, or `OverLimitError`, `BusyError`.
        """
        wanted = metric if isinstance(metric, Address) else self.address(metric, **arguments)
        try:
            found = self.answers.ask(wanted, self.who, self.pin, self._until)
        except PendingError:
            self.pending, self.lasting = True, False
            raise
        except (OverLimitError, BusyError, SnapshotError):
            # The next reader may have more luck.
            self.lasting = False
            raise
        return self._shown(found)

    def address(self, metric: str, **arguments: Any) -> Address:
        """The address of a metric with arguments as its Python method takes them."""
        return addressed_question(metric, arguments)

    def ahead(self, *addresses: Address) -> None:
        """Begin with the questions of the page, so that they are worked on side by side."""
        self.answers.ahead(addresses, self.who, self.pin)

    def records(self, address: Address | str) -> Result:
        """The records behind a table or number; personal data hidden where the reader may not see it."""
        return self._shown(self.answers.records(address, self.who, self.pin))

    def _shown(self, found: Result) -> Result:
        """What the reader may see of an answer, which counts among those of the page."""
        found = masked(found, self.who)
        self._results.append(found)
        return found

    def explain(self, address: Address | str) -> Explanation:
        """Where a number comes from."""
        found = self.answers.explain(address, self.who, self.pin)
        if self.who.masked:
            # The statement and parts of the row may name persons; what the number means needs neither.
            row = {name: value for name, value in found.row.items() if name not in PERSONAL | BY_OBJECT}
            found = replace(found, row=row, sql="")
        self._touching |= {row["code"] for row in found.findings}
        return found

    def run(self, key: Hashable | None, work: Callable[[Opened], T]) -> T:
        """Any work on the opened snapshot, with the limits of questions, kept by its key."""
        return self._personal_hidden(self.answers.run(key, work, self.who, self.pin))

    def at_desk(self, key: Hashable | None, work: Callable[[Desk], T], *, aside: bool = False) -> T:
        """As `run` with the whole workspace, pinned: `desk.journey(…)`, `desk.metrics`, `desk.audit`.

        Args:
            key: under which it is kept.
            work: what to do.
            aside: short work that every page needs; nobody waits for questions ahead of it.
        """
        try:
            until = None if aside else self._until
            return self._personal_hidden(self.answers.at_desk(key, work, self.who, self.pin, until=until, aside=aside))
        except PendingError:
            self.pending, self.lasting = True, False
            raise

    def _personal_hidden(self, found: T) -> T:
        return cast("T", masked(found, self.who)) if isinstance(found, Result) else found

    def links(self, address: Address | str) -> Links:
        """Where an address leads: its records, its explanation, its files."""
        return links(str(address))

    def table(self, result: Result, **told: Any) -> Table:
        """A result as a table of the page: names filter the page, campaigns and people lead to theirs; see `tables.table`."""
        linked = told.get("linked")
        if self.who.masked and linked is not None:
            told["linked"] = lambda column, row: "" if leads_to_person(href := linked(column, row)) else href
        return table(result, filtered=self.state.filtered if self.state.path in FILTERED else None, **told)

    def chart(self, result: Result, name: str | None = None, **told: Any) -> Block | None:
        """A chart of a result with its table and files; None where there is nothing to draw."""
        return block(result, name, **told)

    @property
    def period_name(self) -> str:
        """Name of the period the address asks for."""
        pair = (self.state.get("from"), self.state.get("to"))
        if not any(pair):
            return self.usual_period
        return next((preset.name for preset in self.presets if preset.pair == pair), "Own period")

    @property
    def presets(self) -> Sequence[Preset]:
        """Periods to choose from; the one that holds without a choice has no days."""
        known = presets(self.today, self.pin.settings.workspace.fiscal_year_start)
        if self.usual_period == ALL_TIME:
            return known
        usual = Preset(self.usual_period, None, None)
        return [usual, *(one for one in known if one.name not in (ALL_TIME, self.usual_period))]

    @property
    def today(self) -> dt.date:
        """The last day of the snapshot, in its zone."""
        from leadline import dates

        return dates.in_zone(self.pin.as_of, self.pin.zone).date()

    def render(self, template: str, context: Mapping[str, Any] | None = None, *, status: int = 200) -> Response:
        """A page: what the template says, in the frame every page has."""
        language = locale.of(self.request.headers.get("accept-language"))
        told = {**self._frame(), **(context or {})}
        with locale.speaking(language):
            text = environment().get_template(template).render(language=language, **told)
        if self.who.masked:
            # Sentences quote ids too: those of findings, faults and what was typed.
            text = scrubbed(text)
        if status == 200 and self.lasting and self._wanted is not None:
            self.answers.pages.keep(self.pin, self._wanted, taken_apart(text), self._age)
        return HTMLResponse(filled(text, self.request), status_code=status)

    def _frame(self) -> dict[str, Any]:
        """What every page needs for its header, strip, chips and notices."""
        at = self.request.url.path
        return {
            "view": self,
            "state": self.state,
            "pin": self._pin,
            "who": self.who,
            "here_now": at + (f"?{self.request.url.query}" if self.request.url.query else ""),
            "csrf": TOKEN,
            "reader": NAME,
            "here": next(
                (name for name, path in NAVIGATION if at == path or (path != "/" and at.startswith(f"{path}/"))), ""
            ),
            "navigation": [
                (name, self.state.elsewhere(path) if name in CARRIED else path) for name, path in NAVIGATION
            ],
            "notices": [*self.notices, *(finding.message for finding in (self._pin.findings if self._pin else ()))],
            "dimensions": dimensions(self._pin) if self._pin else (),
            "findings": sorted(self._touching | {code for result in self._results for code in result.trust.findings}),
            "judged": bool(self._results or self._touching),
            "links": links,
        }


def _until(request: Request) -> float | None:
    """Up to when a page waits for its answers: all pages of numbers by themselves show what there is, and then the rest."""
    if request.url.path not in FILTERED:
        return None
    told = request.headers.get("x-patience")
    if told is not None:
        return time.monotonic() + PATIENCE_S * (4 if told == "more" else 1)
    shown = "hx-request" in request.headers or request.headers.get("sec-fetch-mode") == "navigate"
    return time.monotonic() + PATIENCE_S if shown else None


PATIENCE_S = 0.25
"""Seconds a page waits for answers before it shows what there is; whoever only fetches it gets it whole."""

FILTERED = frozenset({"/", "/funnel", "/velocity", "/influence"})
"""Paths of pages whose tables filter by a click."""

CARRIED = frozenset({"overview", "funnel", "velocity", "influence"})
"""Pages that take filters and period along."""


def links(address: str) -> Links:
    """Where an address leads."""
    told = urllib.parse.quote(address, safe="")
    exports = {ending: f"/export/{ending}?address={told}" for ending in ("csv", "xlsx", "parquet", "json")}
    return Links(f"/records?address={told}", f"/explain?address={told}", exports)


def dimensions(pin: Pin) -> tuple[str, ...]:
    """Names of the dimensions that can be filtered and split by."""
    own = [name for name in pin.fields if name not in CAMPAIGN]
    return tuple(
        dict.fromkeys([*("campaign_type", "campaign"), *own, *CAMPAIGN, *WRITTEN, *([PASS] if pin.of_people else [])])
    )
