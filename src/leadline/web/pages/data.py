"""Data: the three ways to begin, files sent and looked at before they are imported, and how an import goes."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any, cast, get_args

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import RedirectResponse, Response
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile

from leadline import config
from leadline.demo.org import CONFIG_TOML, generate
from leadline.errors import LeadlineError, SnapshotError, UsageError
from leadline.sources.dates_in import DateOrder
from leadline.sources.staged import Coverage
from leadline.web.access.who import Principal, needs
from leadline.web.jobs import Jobs
from leadline.web.state import State
from leadline.web.uploads import Uploads
from leadline.web.view import View
from leadline.workspace.imports import write_config

if TYPE_CHECKING:
    from pathlib import Path

    from leadline.progress import Progress
    from leadline.workspace import ImportReport, Workspace

router = APIRouter()

DEMO_PEOPLE = 5_000
"""People of the demo org that the first page offers: some seconds to make and to import."""

DEMO_SEED = 7
AGAIN_SECONDS = 2
"""How often the page of a running import is asked for anew."""

Admin = Annotated[Principal, Depends(needs("admin"))]
Text = Annotated[str, Form()]


@router.get("/data")
def page(request: Request) -> Response:
    """Where data comes from; without any yet, the ways to begin."""
    pin = _pin(request)
    view = View(request, pin, State("/data"))
    job = _jobs(request).last
    context = {
        "first": pin is None,
        "may_import": view.who.may("admin"),
        "job": job,
        "job_fault": job.fault.replace(str(request.app.state.site.workspace.folder), "the workspace") if job else "",
        "report": job.report if job and not job.running else None,
        "upload_mb": request.app.state.site.settings.upload_mb,
        "demo_people": DEMO_PEOPLE,
        "may_demo": not _has_records(request.app.state.site.workspace),
    }
    response = view.render("data.html", context)
    if job and job.running:
        response.headers["Refresh"] = str(AGAIN_SECONDS)
    return response


@router.post("/data/upload")
async def upload(request: Request, who: Admin) -> Response:
    """Keep the files of a form; what they are is looked at on the next page."""
    form = await request.form()
    files = [one for one in form.getlist("files") if isinstance(one, UploadFile) and one.filename]
    try:
        key = await run_in_threadpool(_uploads(request).take, [(one.filename or "", one.file) for one in files])
    finally:
        await form.close()
    return RedirectResponse(f"/data/upload/{key}", status_code=303)


@router.get("/data/upload/{key}")
def look(
    request: Request, key: str, who: Admin, date_order: str = "", timezone: str = "", coverage: str = ""
) -> Response:
    """The account of what was sent, before any of it is imported."""
    view = View(request, _pin(request), State(request.url.path))
    uploads = _uploads(request)
    paths, within = uploads.paths(key), uploads.place(key) / "look"
    reading = _reading(date_order, timezone, coverage)
    plan, fault = None, ""
    try:
        plan = request.app.state.site.workspace.sources.preview_files(paths, within=within, **reading)
    except LeadlineError as error:
        # Where the files lie is of no use to the reader.
        fault = str(error).replace(f"{within}/", "").replace(f"{uploads.folder}/{key}/files/", "")
        fault = fault.replace(f"{uploads.folder}/{key}/files", "what was sent")
    finally:
        shutil.rmtree(within, ignore_errors=True)
    return view.render(
        "upload.html",
        {
            "key": key,
            "plan": plan,
            "fault": fault,
            "date_order": date_order,
            "timezone": timezone,
            "coverage": coverage,
            "orders": get_args(DateOrder),
        },
        status=400 if fault else 200,
    )


@router.post("/data/upload/{key}/import")
def commit(
    request: Request,
    key: str,
    who: Admin,
    date_order: Text = "",
    timezone: Text = "",
    coverage: Text = "",
    allow_vanish: Text = "",
) -> Response:
    """Import what was sent, as it was looked at."""
    uploads, workspace = _uploads(request), request.app.state.site.workspace
    paths, reading = uploads.paths(key), _reading(date_order, timezone, coverage)

    def work(progress: Progress) -> ImportReport:
        report: ImportReport = workspace.sources.import_files(
            paths, **reading, allow_vanish=bool(allow_vanish), progress=progress
        )
        uploads.drop(key)
        return report

    _start(request, "Import", key, work)
    return RedirectResponse("/data", status_code=303)


@router.post("/data/upload/{key}/drop")
def drop(request: Request, key: str, who: Admin) -> Response:
    """Throw away what was sent."""
    _uploads(request).drop(key)
    return RedirectResponse("/data", status_code=303)


@router.post("/data/demo")
def demo(request: Request, who: Admin) -> Response:
    """Make a demo org and import it, where there are no records yet."""
    workspace = request.app.state.site.workspace
    if _has_records(workspace):
        raise UsageError(
            "This workspace has records; a demo org would be mixed with them. Make a workspace of its own."
        )

    def work(progress: Progress) -> ImportReport:
        return _demo(workspace, progress)

    _start(request, "Demo org", "demo", work)
    return RedirectResponse("/data", status_code=303)


def _demo(workspace: Workspace, progress: Progress) -> ImportReport:
    files: Path = workspace.folder / "demo-files"
    generate(files, people=DEMO_PEOPLE, seed=DEMO_SEED, progress=progress)
    if not workspace.settings.funnel:
        write_config(workspace.folder, CONFIG_TOML, config.FILE_NAME)
    try:
        return workspace.sources.import_files(files, progress=progress)
    finally:
        shutil.rmtree(files, ignore_errors=True)


def _start(request: Request, title: str, what: str, work: Callable[[Progress], Any]) -> None:
    site = request.app.state.site

    def shown(progress: Progress) -> Any:
        report = work(progress)
        # Whoever imports wants to see it, be the pages worked out already or not.
        site.answers.show(None)
        return report

    _jobs(request).start(title, shown)
    site.activity.note(request, "import", name=what)


def _jobs(request: Request) -> Jobs:
    state = request.app.state
    if not hasattr(state, "jobs"):
        state.jobs = Jobs(state.site.workspace.folder.name)
    return cast(Jobs, state.jobs)


def _uploads(request: Request) -> Uploads:
    return Uploads(request.app.state.site.workspace.folder)


def _has_records(workspace: Workspace) -> bool:
    return (workspace.folder / "ledger.duckdb").exists() or bool(workspace.snapshots.list())


def _reading(date_order: str, timezone: str, coverage: str) -> dict[str, Any]:
    """How files are to be read, as `import_files` takes it.

    Raises:
        UsageError: an order or coverage that does not exist.
    """
    for value, allowed, name in (
        (date_order, get_args(DateOrder), "date order"),
        (coverage, get_args(Coverage), "coverage"),
    ):
        if value and value not in allowed:
            raise UsageError(f"{value!r} is no {name}; there are {', '.join(allowed)}.")
    return {"date_order": date_order or None, "timezone": timezone.strip() or None, "coverage": coverage or None}


def _pin(request: Request) -> Any:
    """The published snapshot, or None where there is none yet."""
    try:
        return request.app.state.site.answers.pin()
    except SnapshotError:
        return None
