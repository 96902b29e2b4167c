"""Trust: faults of the data by what they move, their records, sources and their age, frozen states, what changed."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Depends, Form, HTTPException, Request
from fastapi.responses import RedirectResponse, Response

from leadline import dates
from leadline.audit.moved import Move
from leadline.errors import LeadlineError, UsageError
from leadline.render import delimited
from leadline.web import tomltext
from leadline.web.access.who import GRANT, Principal, needs
from leadline.web.state import Choice
from leadline.web.view import View

if TYPE_CHECKING:
    from collections.abc import Mapping

    from leadline.results import Result
    from leadline.web.desk import Desk
    from leadline.web.tables import Table

router = APIRouter()

MOVES = 4
"""Numbers shown of what a finding moves."""

ROLES_SHOWN = 25
"""Suggestions shown on the page."""

RECORDS_SHOWN = 200
"""Records of a finding, or rows of a comparison, shown on the page; files have all of them."""

STATES = (Choice("before", kind="name", default="previous"), Choice("after", kind="name", default="current"))
DIFF = (
    *STATES,
    Choice("metric", kind="name"),
    Choice("show", ("numbers", "records")),
    Choice("own_moments", ("", "true")),
)


@router.get("/trust")
def page(request: Request) -> Response:
    """Findings by effect, sources, suggested roles, frozen states."""
    view = View.of(request)
    if view.who.records:
        return view.render("trust.html", {"locked": GRANT})
    told = view.at_desk("trust", _told)
    roles = _roles(view)
    accepted = [one for one in told["findings"] if one["accepted"]]
    return view.render(
        "trust.html",
        {
            **told,
            "locked": "",
            "standing": [one for one in told["findings"] if not one["accepted"]],
            "accepted": accepted,
            "roles": roles,
            "sources": _sources(view),
            "may_write": view.who.may("analyst"),
        },
    )


@router.get("/trust/finding/{code}")
def finding(request: Request, code: str) -> Response:
    """One finding: its sentence, what it moves, what to do, and its records."""
    view = View.of(request)
    if view.who.records:
        raise HTTPException(403, f"Findings are shown to readers of all records. {GRANT}")
    told = view.at_desk("trust", _told)
    own = [one for one in told["findings"] if one["code"] == code]
    records = view.at_desk(("finding", code), lambda desk: desk.audit.records(code))
    return view.render(
        "finding.html",
        {
            "code": code,
            "own": own,
            "records": _records(view, records),
            "may_write": view.who.may("analyst"),
        },
    )


@router.get("/trust/finding/{code}/records.csv")
def finding_file(request: Request, code: str) -> Response:
    """All records of a finding as a file."""
    view = View.of(request)
    if view.who.records:
        raise HTTPException(403, f"Findings are shown to readers of all records. {GRANT}")
    found = view.at_desk(("finding", code), lambda desk: desk.audit.records(code))
    request.app.state.site.activity.note(request, "export", name=f"finding {code}", count=found.table.num_rows)
    head = {"content-disposition": f'attachment; filename="{tomltext.file_name(code)}.csv"'}
    return Response(delimited.csv_text(found), media_type="text/csv; charset=utf-8", headers=head)


@router.post("/trust/accept")
def accept(
    request: Request,
    who: Annotated[Principal, Depends(needs("analyst"))],
    code: Annotated[str, Form()],
    reason: Annotated[str, Form()],
    until: Annotated[str, Form()],
) -> Response:
    """Accept a finding for a while; it counts in every grade as before."""
    day = dates.parse_day(until, "until")
    site = request.app.state.site
    site.workspace.audit.accept(code, reason=reason, until=day)
    site.activity.note(request, "accepted", name=code)
    # What is accepted stands in a file beside the snapshot.
    site.answers.forget()
    return RedirectResponse("/trust", status_code=303)


@router.post("/trust/freeze")
def freeze(
    request: Request,
    who: Annotated[Principal, Depends(needs("analyst"))],
    name: Annotated[str, Form()],
    note: Annotated[str, Form()] = "",
) -> Response:
    """Keep the snapshot that is shown for good, under a name."""
    site = request.app.state.site
    kept = site.workspace.freeze(name, note=note, snapshot=site.answers.pin().key)
    site.activity.note(request, "frozen", name=f"{kept.name}: {kept.snapshot}")
    site.answers.forget()
    return RedirectResponse("/trust#states", status_code=303)


@router.get("/trust/diff")
def diff(request: Request) -> Response:
    """What changed every number between two states, in parts that add up."""
    view = View.of(request, DIFF)
    if view.who.records:
        raise HTTPException(403, f"States are compared for readers of all records. {GRANT}")
    before, after, metric = view.state["before"], view.state["after"], view.state.get("metric")
    listing, own = view.state["show"] == "records", view.state.get("own_moments") == "true"

    def work(desk: Desk) -> Result:
        return desk.diff(before, after, metrics=[metric] if metric else (), listing=listing, own_moments=own)

    found, fault = None, ""
    states = view.at_desk("states", _states)
    if len(states) > 1 or "before" in view.state.values:
        try:
            found = view.at_desk(("diff", before, after, metric, listing, own), work)
        except UsageError as error:
            fault = str(error)
    return view.render(
        "diff.html", {"found": found, "fault": fault, "states": states, "before": before, "after": after}
    )


def _told(desk: Desk) -> dict[str, Any]:
    """What the audit says, the worst by what it moves first."""
    audit = desk.audit
    measured = audit.digest(wait=False) is not None
    table = audit.table(effects=measured)
    rows = [_finding(row, table.currency) for row in table.plain().to_pylist()]
    rows.sort(key=lambda one: (-one["size"], one["rank"], -one["rows"], one["code"], one["object"]))
    return {"findings": rows, "measured": measured, "states": _states(desk), "audit_moment": table.as_of}


_RANK = {"error": 0, "warning": 1, "info": 2}


def _finding(row: Mapping[str, Any], currency: str) -> dict[str, Any]:
    moves = [_move(one) for one in row["moves"] if one["number"]]
    changed = sorted((one for one in moves if one["changed"]), key=lambda one: -one["size"])
    return {
        **row,
        "currency": currency,
        "rank": _RANK[row["severity"]],
        "size": changed[0]["size"] if changed else 0.0,
        "metrics": list(dict.fromkeys(one["metric"] for one in row["moves"])),
        "changed": changed[:MOVES],
        "more": max(0, len(changed) - MOVES),
        "known": bool(moves),
        "trend": None if row["rows_before"] is None else row["rows"] - row["rows_before"],
    }


def _move(one: Mapping[str, Any]) -> dict[str, Any]:
    kept = Move(one["metric"], one["number"], one["kind"], one["from"], one["to"], one["low"], one["high"])
    return {
        "metric": one["metric"],
        "number": one["number"],
        "kind": one["kind"],
        "before": one["from"],
        "after": one["to"],
        "judged": one["low"] != one["high"],
        "changed": one["from"] != one["to"],
        "size": kept.size,
    }


def _roles(view: View) -> Table | None:
    """Who probably took part in opportunities without a role; None where roles are unknown."""
    try:
        found = view.ask("suggested_roles")
    except LeadlineError as fault:
        view.notices.append(str(fault))
        return None
    ids = found.table.column("opportunity_id").to_pylist()
    people = found.table.column("contact_id").to_pylist()
    ways = {"opportunity": lambda row: f"/deal/{ids[row]}", "contact_id": lambda row: f"/journey/{people[row]}"}
    return view.table(found, limit=ROLES_SHOWN, linked=lambda column, row: ways[column](row) if column in ways else "")


def _records(view: View, found: Result) -> Table:
    """Records of a finding; each leads to the person or deal it moves."""
    people, deals = (found.table.column(name).to_pylist() for name in ("person_id", "opportunity_id"))

    def linked(column: str, row: int) -> str:
        if column == "person_id" and people[row]:
            return f"/journey/{people[row]}"
        return f"/deal/{deals[row]}" if column == "opportunity_id" and deals[row] else ""

    return view.table(found, limit=RECORDS_SHOWN, linked=linked)


def _sources(view: View) -> list[dict[str, Any]]:
    """The loads the snapshot rests on, the newest first, each with its age when the snapshot looks."""
    loads = view.run("loads", lambda opened: json.loads(opened.meta.get("loads", "[]")))
    found = []
    for load in reversed(loads):
        taken = dates.parse_as_of(load["extracted_at"], "UTC")
        age = (view.pin.known_at - taken).total_seconds() / 86400
        objects = sorted(load["objects"].items())
        found.append(
            {**load, "taken": taken, "age": age, "objects": objects, "rows": sum(count for _, count in objects)}
        )
    return found


def _states(desk: Desk) -> list[dict[str, Any]]:
    """Published states, the newest first, with the names they are kept under."""
    from leadline.snapshots.frozen import names_of

    return [
        {
            "id": one.id,
            "as_of": one.as_of,
            "known_at": one.known_at,
            "names": names_of(desk.folder, one.id),
            "current": one.id == desk.pin.key,
        }
        for one in desk.snapshots.list()
    ]
