"""Large results over the Bulk API 2.0: a query job, then its pages of CSV."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from leadline.errors import ApiError, IncompleteError, SalesforceError
from leadline.sources.salesforce import faults, typed
from leadline.sources.salesforce.session import Session, from_json
from leadline.sources.salesforce.task import Task
from leadline.sources.salesforce.transport import Response

if TYPE_CHECKING:
    import pyarrow as pa

PAGE_ROWS: Final = 50_000
_STARTS: Final = 3
_FIRST_LOOK: Final = 0.25
_LONGEST_LOOK: Final = 15.0
_PATIENCE: Final = 6 * 3600.0
"""Seconds a job may take before the pull gives up; the job goes on, and so does the next pull."""
_LOST_JOB: Final = frozenset(
    {faults.MISSING, "INVALIDJOB", "INVALIDJOBSTATE", faults.NO_LOCATOR, "INVALID_LOCATOR", "404"}
)
NO_BULK: Final = frozenset({"INVALIDENTITY", "FUNCTIONALITY_NOT_ENABLED", "API_ERROR", "FEATURENOTENABLED"})
"""Codes by which an org says that an object cannot be asked for in bulk."""


@dataclass(frozen=True, slots=True)
class _Page:
    texts: pa.Table
    locator: str


def read(session: Session, task: Task) -> None:
    """Read a query to its end, from the last whole page where a job is under way.

    A job that fails, or is gone, is begun anew; so is one whose pages do not add up.

    Raises:
        ApiError: the org refuses the query.
        IncompleteError: the pages never add up to what the job says it has.
        SalesforceError: as calls do; a job failed again and again.
    """
    why = ""
    for _ in range(_STARTS):
        if not task.job:
            task.start_over()
            task.begin_job(_create(session, task))
        try:
            job = _finished(session, task)
            if job is None:
                why = "the job failed in the org"
            else:
                _pages(session, task)
                announced = int(job.get("numberRecordsProcessed", task.rows))
                if task.rows == announced:
                    _delete(session, task.job)
                    task.finish()
                    return
                why = f"the job has {announced:,} records, its pages {task.rows:,}"
        except ApiError as error:
            if error.code not in _LOST_JOB:
                raise
            why = f"the job was lost ({error.code})"
        task.start_over()
    raise IncompleteError(
        f"{task.shape.name} could not be read in bulk: {why}, {_STARTS} times over. Nothing was changed; run the pull again."
    )


def _create(session: Session, task: Task) -> str:
    asked = {
        "operation": "queryAll",
        "query": task.soql,
        "contentType": "CSV",
        "columnDelimiter": "COMMA",
        "lineEnding": "LF",
    }
    made = session.call("POST", session.data("jobs/query"), _job, f"a bulk query of {task.shape.name}", body=asked)
    return str(made["id"])


def _finished(session: Session, task: Task) -> dict[str, Any] | None:
    """The job once it is complete; None if it failed."""
    waited, look = 0.0, _FIRST_LOOK
    while True:
        path = session.data(f"jobs/query/{task.job}")
        job = session.call("GET", path, _job, f"the bulk job of {task.shape.name}")
        if job["state"] == "JobComplete":
            return job
        if job["state"] in ("Failed", "Aborted"):
            return None
        if waited > _PATIENCE:
            raise SalesforceError(
                f"The bulk job of {task.shape.name} is still {job['state']} after {waited / 3600:.0f} hours. Run the pull "
                "again later: it goes on with this job."
            )
        session.waiting.sleep(look)
        waited, look = waited + look, min(_LONGEST_LOOK, 1.5 * look)


def _job(response: Response) -> dict[str, Any]:
    told = from_json(response)
    if not isinstance(told, dict) or not told.get("id") or not told.get("state"):
        raise ValueError("not a job")
    return told


def _pages(session: Session, task: Task) -> None:
    """Keep the pages from where the task stands; the header of the last one ends it."""
    for number in itertools.count():
        if number == 0 and task.rows and not task.locator:
            # All pages were kept before; only their sum is still to be compared.
            return
        asked = f"&locator={quote(task.locator)}" if task.locator else ""
        path = session.data(f"jobs/query/{task.job}/results?maxRecords={PAGE_ROWS}{asked}")
        page = session.call("GET", path, _parser(task), f"a page of {task.shape.name}", headers={"Accept": "text/csv"})
        task.add(typed.typed(page.texts, task.shape), page.locator)
        if not page.locator:
            return


def _parser(task: Task) -> Callable[[Response], _Page]:
    """Reads one page; what is not whole, or leads back to itself, is no page."""

    def parse(response: Response) -> _Page:
        if response.status == 204:
            raise ValueError("not ready")
        texts = typed.from_csv(response.body, task.fields)
        said = response.headers.get("sforce-numberofrecords")
        if said is not None and int(said) != texts.num_rows:
            raise ValueError("fewer rows than the header says")
        locator = response.headers.get("sforce-locator", "")
        locator = "" if locator == "null" else locator
        if locator and locator == task.locator:
            raise ValueError("a page that leads to itself")
        return _Page(texts, locator)

    return parse


def _delete(session: Session, job: str) -> None:
    """Free the result in the org; that it is gone already is as good."""
    try:
        session.call("DELETE", session.data(f"jobs/query/{job}"), lambda response: None, "the end of a bulk job")
    except ApiError as error:
        if error.code not in _LOST_JOB | {"INSUFFICIENT_ACCESS", "INSUFFICIENT_ACCESS_OR_READONLY"}:
            raise
