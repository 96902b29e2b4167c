"""Bulk API 2.0 query jobs."""

from __future__ import annotations

import base64
import binascii
import datetime as dt
from dataclasses import dataclass, field
from typing import Any, Final

from leadline_double.problems import ApiError, not_found
from leadline_double.query import Resolver, answer
from leadline_double.rendered import Rendered, render
from leadline_double.soql import Query, parse
from leadline_double.values import json_value
from leadline_double.web import ROUTES, Call, Reply

ENDINGS: Final = {"LF": "\n", "CRLF": "\r\n"}
DELIMITERS: Final = {
    "COMMA": ",", "BACKQUOTE": "`", "CARET": "^", "PIPE": "|", "SEMICOLON": ";", "TAB": "\t",
}  # fmt: skip
LIFE: Final = dt.timedelta(days=7)
"""How long a job and its results are kept."""


@dataclass
class QueryJob:
    """One job; `rendered` holds its rows once it has run, `state` only goes forward."""

    id: str
    operation: str
    query: Query
    version: str
    created_at: dt.datetime
    created_by: str
    polls_left: int
    ending: str = "LF"
    delimiter: str = "COMMA"
    state: str = "UploadComplete"
    error: str | None = None
    rendered: Rendered | None = None
    repeated: set[int] = field(default_factory=set)

    @property
    def done(self) -> bool:
        """Whether it will not change any more."""
        return self.state in {"JobComplete", "Failed", "Aborted"}

    def fail(self, message: str) -> None:
        """Fail now, unless it has ended; what it had is lost."""
        if not self.done:
            self.state, self.error, self.rendered = "Failed", message, None

    def info(self) -> dict[str, Any]:
        """The job as the API shows it."""
        moment = json_value(self.created_at)
        info = {
            "id": self.id, "operation": self.operation, "object": self.query.object, "createdById": self.created_by,
            "createdDate": moment, "systemModstamp": moment, "state": self.state, "concurrencyMode": "Parallel",
            "contentType": "CSV", "apiVersion": float(self.version), "lineEnding": self.ending,
            "columnDelimiter": self.delimiter,
        }  # fmt: skip
        if self.state != "UploadComplete":
            rows = len(self.rendered) if self.rendered is not None else 0
            info |= {"jobType": "V2Query", "numberRecordsProcessed": rows, "retries": 0, "totalProcessingTime": 12}
            # LIMIT and ORDER BY switch the division by primary key off.
            info["isPkChunkingSupported"] = not self.query.orders and self.query.limit is None
        return info | ({"errorMessage": self.error} if self.error else {})


def choice(values: dict[str, str], wish: str) -> str:
    """A named line ending or delimiter."""
    if wish not in values:
        raise ApiError("INVALIDJOB", f"Unable to parse Job: {wish} is not one of {', '.join(values)}")
    return wish


def _refuse_unsupported(call: Call, query: Query, resolver: Resolver) -> None:
    name = resolver.root.name
    if name in call.service.no_bulk:
        raise ApiError("INVALIDENTITY", f"Entity '{name}' is not supported by the Bulk API.")
    if query.counts_rows or query.aggregates:
        raise ApiError("API_ERROR", "Aggregate Relationships not supported in Bulk Query")
    if query.offset:
        raise ApiError("API_ERROR", "OFFSET not supported in Bulk Query")
    if any(resolver.path(one.path, one.at).field.type == "address" for one in query.columns):
        raise ApiError("API_ERROR", "Selecting compound data not supported in Bulk Query")


@ROUTES.add("POST", "/jobs/query")
def create(call: Call) -> Reply:
    """A new job; the query is read and its names are checked at once."""
    wish = call.request.object()
    operation = wish.get("operation")
    if operation not in {"query", "queryAll"} or not isinstance(wish.get("query"), str):
        raise ApiError("INVALIDJOB", "Unable to find a query, or the operation is neither query nor queryAll")
    if wish.get("contentType", "CSV") != "CSV":
        raise ApiError("INVALIDJOB", "Unable to parse Job: contentType must be CSV")
    try:
        query = parse(wish["query"])
        resolver = Resolver(call.org, query)
        _refuse_unsupported(call, query, resolver)
        answer(call.org, Query(**{**vars(query), "limit": 0}), everything=True)
    except ApiError as error:
        if error.code == "INVALIDENTITY":
            raise
        raise ApiError("API_ERROR", error.message) from error
    service = call.service
    job = QueryJob(
        call.org.numbering.new("750"), operation, query, call.version, call.org.clock.now(), call.org.user_id,
        service.job_polls, choice(ENDINGS, wish.get("lineEnding", "LF")),
        choice(DELIMITERS, wish.get("columnDelimiter", "COMMA")),
    )  # fmt: skip
    service.query_jobs[job.id] = job
    return Reply(job.info())


def _job(call: Call) -> QueryJob:
    job = call.service.query_jobs.get(call.args["job"])
    if job is None or call.org.clock.now() - job.created_at > LIFE:
        raise not_found()
    return job


def run(call: Call, job: QueryJob) -> None:
    """Read the rows as they are now; a field that went meanwhile fails the job."""
    ready = call.service.prepared.get(job.query.object)
    try:
        if ready is not None:
            resolver = Resolver(call.org, job.query)
            names = tuple(".".join(resolver.path(one.path, one.at).steps) for one in job.query.columns)
            job.rendered = ready.rendered(names, ENDINGS[job.ending])
        else:
            found = answer(call.org, job.query, everything=job.operation == "queryAll")
            if not job.query.orders and job.query.limit is None:
                # No order is promised: rows come in two parts, the younger first.
                half = len(found.rows) // 2
                found.rows = found.rows[half:] + found.rows[:half]
            job.rendered = render(found, ENDINGS[job.ending], DELIMITERS[job.delimiter])
        job.state = "JobComplete"
    except ApiError as error:
        job.fail(f"InvalidBatch : Failed to process query: {error.code}: {error.message}")


@ROUTES.add("GET", "/jobs/query/{job}")
def poll(call: Call) -> Reply:
    """How far it is: each look moves it on."""
    job = _job(call)
    if not job.done:
        if job.polls_left > 0:
            job.polls_left -= 1
            job.state = "InProgress"
        else:
            run(call, job)
    return Reply(job.info())


@ROUTES.add("GET", "/jobs/query")
def listed(call: Call) -> Reply:
    """All jobs."""
    records = [job.info() for job in call.service.query_jobs.values()]
    return Reply({"done": True, "records": records, "nextRecordsUrl": None})


@ROUTES.add("PATCH", "/jobs/query/{job}")
def abort(call: Call) -> Reply:
    """Stop it."""
    job = _job(call)
    if call.request.object().get("state") != "Aborted":
        raise ApiError("INVALIDJOBSTATE", "The only state a query job can be set to is Aborted")
    if job.done:
        raise ApiError("INVALIDJOBSTATE", f"Job state {job.state} cannot be changed to Aborted")
    job.state = "Aborted"
    return Reply(job.info())


@ROUTES.add("DELETE", "/jobs/query/{job}")
def delete(call: Call) -> Reply:
    """Forget it and its results."""
    job = _job(call)
    if not job.done:
        raise ApiError("INVALIDJOBSTATE", f"Job in state {job.state} cannot be deleted")
    del call.service.query_jobs[job.id]
    return Reply(status=204)


def locator_of(start: int) -> str:
    """The opaque mark of a row."""
    return base64.b64encode(str(start).encode()).decode().rstrip("=")


def start_of(locator: str, rows: int) -> int:
    """The row of a mark.

    Raises:
        ApiError: it is none of this job.
    """
    try:
        start = int(base64.b64decode(locator + "=" * (-len(locator) % 4), validate=True))
    except (ValueError, binascii.Error):
        start = -1
    if not 0 < start < rows:
        raise ApiError("INVALID_QUERY_LOCATOR", f"invalid locator: {locator}")
    return start


@ROUTES.add("GET", "/jobs/query/{job}/results", page=True)
def results(call: Call) -> Reply:
    """A page of rows; the locator of the next one is in a header, the word `null` at the end."""
    job = _job(call)
    if job.version != call.version:
        raise ApiError("CONFLICT", f"The job was created with API version {job.version}", 409)
    if job.state in {"Failed", "Aborted"}:
        raise ApiError("INVALIDJOBSTATE", f"Results of a job in state {job.state} are not available")
    if job.rendered is None:
        if call.service.unready_status == 204:
            return Reply(status=204)
        raise ApiError("JOB_NOT_COMPLETE", "The job is not complete", call.service.unready_status)
    wish, mark = call.request.query.get("maxRecords", ""), call.request.query.get("locator")
    count = int(wish) if wish.isdigit() and int(wish) > 0 else call.service.bulk_page
    start = start_of(mark, len(job.rendered)) if mark else 0
    if call.fault == "short_page":
        count = max(1, count // 3)
    return _page(call, job, job.rendered, start, count)


def _page(call: Call, job: QueryJob, rendered: Rendered, start: int, count: int) -> Reply:
    stop = min(start + count, len(rendered))
    following = locator_of(stop) if stop < len(rendered) else "null"
    if call.fault == "repeat_page" and start and start not in job.repeated:
        job.repeated.add(start)
        following = locator_of(start)
    headers = {"Sforce-NumberOfRecords": str(stop - start), "Sforce-Locator": following}
    if call.fault == "no_locator" and following == "null":
        del headers["Sforce-Locator"]
    return Reply(
        raw=rendered.page(start, stop - start),
        content_type="text/csv",
        headers=headers,
        packed=rendered.packer(start, stop - start),
    )
