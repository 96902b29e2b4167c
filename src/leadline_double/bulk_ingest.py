"""Bulk API 2.0 ingest jobs."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass, field
from typing import Any, Final

from leadline_double.bulk_query import DELIMITERS, ENDINGS, choice
from leadline_double.problems import ApiError, not_found
from leadline_double.rendered import quoted
from leadline_double.schema import ObjectType
from leadline_double.values import json_value
from leadline_double.web import ROUTES, Call, Reply
from leadline_double.writes import create_row, delete_row, find_external, update_row

OPERATIONS: Final = frozenset({"insert", "update", "upsert", "delete", "hardDelete"})
MOST_BYTES: Final = 150_000_000
CLEAR: Final = "#N/A"
_CREATED: Final = {True: "true", False: "false"}


@dataclass
class IngestJob:
    """One job: the rows sent, and what became of them."""

    id: str
    operation: str
    object: str
    external: str | None
    version: str
    created_at: Any
    created_by: str
    polls_left: int
    ending: str
    delimiter: str
    state: str = "Open"
    error: str | None = None
    header: list[str] = field(default_factory=list)
    rows: list[list[str]] = field(default_factory=list)
    succeeded: list[list[str]] = field(default_factory=list)
    failed: list[list[str]] = field(default_factory=list)
    next_row: int = 0

    def info(self) -> dict[str, Any]:
        """The job as the API shows it."""
        moment = json_value(self.created_at)
        info = {
            "id": self.id, "operation": self.operation, "object": self.object, "createdById": self.created_by,
            "createdDate": moment, "systemModstamp": moment, "state": self.state, "concurrencyMode": "Parallel",
            "contentType": "CSV", "apiVersion": float(self.version), "lineEnding": self.ending,
            "columnDelimiter": self.delimiter,
        }  # fmt: skip
        if self.external:
            info["externalIdFieldName"] = self.external
        if self.state in {"Open"}:
            info["contentUrl"] = f"services/data/v{self.version}/jobs/ingest/{self.id}/batches"
        else:
            info |= {
                "jobType": "V2Ingest", "numberRecordsProcessed": len(self.succeeded) + len(self.failed),
                "numberRecordsFailed": len(self.failed), "retries": 0, "totalProcessingTime": 10,
                "apiActiveProcessingTime": 5, "apexProcessingTime": 0,
            }  # fmt: skip
        return info | ({"errorMessage": self.error} if self.error else {})


@ROUTES.add("POST", "/jobs/ingest")
def create(call: Call) -> Reply:
    """A new job, open for one upload."""
    wish = call.request.object()
    if wish.get("operation") not in OPERATIONS or wish.get("contentType", "CSV") != "CSV":
        raise ApiError("INVALIDJOB", f"Unable to parse Job: operation {wish.get('operation')}")
    if wish["operation"] == "upsert" and not wish.get("externalIdFieldName"):
        raise ApiError("INVALIDJOB", "Unable to create job without externalIdFieldName")
    try:
        entity = call.org.object(str(wish.get("object")))
    except ApiError:
        raise ApiError("INVALIDENTITY", f"Unable to find object: {wish.get('object')}") from None
    if entity.name in call.service.no_bulk:
        raise ApiError("INVALIDENTITY", f"Entity '{entity.name}' is not supported by the Bulk API.")
    job = IngestJob(
        call.org.numbering.new("750"), wish["operation"], entity.name, wish.get("externalIdFieldName"), call.version,
        call.org.clock.now(), call.org.user_id, call.service.job_polls, wish.get("lineEnding", "LF"),
        wish.get("columnDelimiter", "COMMA"),
    )  # fmt: skip
    choice(ENDINGS, job.ending)
    choice(DELIMITERS, job.delimiter)
    call.service.ingest_jobs[job.id] = job
    return Reply(job.info())


def _job(call: Call) -> IngestJob:
    job = call.service.ingest_jobs.get(call.args["job"])
    if job is None:
        raise not_found()
    return job


@ROUTES.add("PUT", "/jobs/ingest/{job}/batches")
def upload(call: Call) -> Reply:
    """The rows: once per job."""
    job = _job(call)
    if job.state != "Open" or job.header:
        raise ApiError("INVALIDJOBSTATE", "Found multiple contents for job, or the job is not open")
    if len(call.request.body) > MOST_BYTES:
        raise ApiError("INVALIDBATCH", "The upload is too large", 413)
    try:
        text = call.request.body.decode("utf-8")
    except UnicodeDecodeError:
        raise ApiError("INVALIDBATCH", "The upload is not UTF-8") from None
    if job.ending == "LF" and text.partition("\n")[0].endswith("\r"):
        job.error = "LineEnding is invalid on user data. Current LineEnding setting is LF"
    try:
        rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=DELIMITERS[job.delimiter], strict=True))
    except csv.Error as error:
        raise ApiError("INVALIDBATCH", f"The upload is not CSV: {error}") from None
    if not rows:
        raise ApiError("INVALIDBATCH", "The upload is empty")
    job.header, job.rows = rows[0], rows[1:]
    return Reply(status=201, raw=b"")


@ROUTES.add("PATCH", "/jobs/ingest/{job}")
def change_state(call: Call) -> Reply:
    """Close it for processing, or abort it."""
    job, wish = _job(call), str(call.request.object().get("state"))
    allowed = {"UploadComplete": {"Open"}, "Aborted": {"Open", "UploadComplete", "InProgress"}}
    if job.state not in allowed.get(wish, ()):
        raise ApiError("INVALIDJOBSTATE", f"Job state {job.state} cannot be changed to {wish}")
    job.state = wish
    return Reply(job.info())


@ROUTES.add("GET", "/jobs/ingest/{job}")
def poll(call: Call) -> Reply:
    """How far it is: each look moves it on."""
    job = _job(call)
    if job.state in {"UploadComplete", "InProgress"}:
        if job.polls_left > 0:
            job.polls_left -= 1
            job.state = "InProgress"
        else:
            _process(call, job)
    return Reply(job.info())


@ROUTES.add("GET", "/jobs/ingest")
def listed(call: Call) -> Reply:
    """All jobs."""
    records = [job.info() for job in call.service.ingest_jobs.values()]
    return Reply({"done": True, "records": records, "nextRecordsUrl": None})


@ROUTES.add("DELETE", "/jobs/ingest/{job}")
def delete(call: Call) -> Reply:
    """Forget it."""
    job = _job(call)
    if job.state in {"Open", "InProgress"}:
        raise ApiError("INVALIDJOBSTATE", f"Job in state {job.state} cannot be deleted")
    del call.service.ingest_jobs[job.id]
    return Reply(status=204)


def _process(call: Call, job: IngestJob) -> None:
    entity = call.org.object(job.object)
    known = {name.lower() for name in entity.visible()}
    unknown = [name for name in job.header if name.lower() not in known]
    if unknown and not job.error:
        job.error = f"InvalidBatch : Field name not found : {unknown[0]}"
    if job.error:
        job.state = "Failed"
        return
    # Batches run side by side: results do not come in the order sent.
    for row in reversed(job.rows):
        _one(call, job, entity, row)
        job.next_row += 1
    job.state = "JobComplete"


def _one(call: Call, job: IngestJob, entity: ObjectType, row: list[str]) -> None:
    record_id = ""
    try:
        if len(row) != len(job.header):
            raise ApiError("INVALID_CSV", f"expected {len(job.header)} values, found {len(row)}")
        sent = dict(zip(job.header, row, strict=True))
        record_id = sent.get("Id", sent.get("id", ""))
        made, created = _apply(call, job, entity, sent)
        job.succeeded.append([made, _CREATED[created], *row])
    except ApiError as error:
        fields = f":{','.join(error.fields)} --" if error.fields else ":--"
        job.failed.append([record_id, f"{error.code}:{error.message}{fields}", *row])


def _apply(call: Call, job: IngestJob, entity: ObjectType, sent: dict[str, str]) -> tuple[str, bool]:
    """Do one row; an empty value changes nothing, `#N/A` clears."""
    service = call.service
    values = {name: None if value == CLEAR else value for name, value in sent.items() if value != ""}
    key = values.get("Id", values.get("id"))
    if job.operation == "insert":
        return create_row(service, entity, values), True
    if job.operation == "upsert":
        present = find_external(call.org, entity, str(job.external), values.get(str(job.external)))
        if present is None:
            return create_row(service, entity, values), True
        return update_row(service, entity, present, values), False
    if key is None:
        raise ApiError("MISSING_ARGUMENT", "Id not specified", fields=["Id"])
    if job.operation == "update":
        return update_row(service, entity, key, values), False
    return delete_row(service, entity, key, hard=job.operation == "hardDelete"), False


def _sheet(job: IngestJob, header: list[str], rows: list[list[str]]) -> Reply:
    ending = ENDINGS[job.ending]
    text = "".join(quoted(row) + ending for row in [header, *rows])
    return Reply(raw=text.encode(), content_type="text/csv")


@ROUTES.add("GET", "/jobs/ingest/{job}/successfulResults", page=True)
def successful(call: Call) -> Reply:
    """Rows that were written."""
    job = _job(call)
    return _sheet(job, ["sf__Id", "sf__Created", *job.header], job.succeeded)


@ROUTES.add("GET", "/jobs/ingest/{job}/failedResults", page=True)
def failed(call: Call) -> Reply:
    """Rows that were refused, with the reason."""
    job = _job(call)
    return _sheet(job, ["sf__Id", "sf__Error", *job.header], job.failed)


@ROUTES.add("GET", "/jobs/ingest/{job}/unprocessedrecords", page=True)
def unprocessed(call: Call) -> Reply:
    """Rows that a failed or aborted job did not come to."""
    job = _job(call)
    left = job.rows[: len(job.rows) - job.next_row] if job.state in {"Failed", "Aborted"} else []
    return _sheet(job, job.header, left)
