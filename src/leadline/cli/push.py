"""`leadline push`: results back into the live org; a plan first, then that plan, then its undoing."""

from __future__ import annotations

import json
import sys
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from leadline.cli.console import progress, say, stdout
from leadline.cli.options.credit import Scope
from leadline.cli.options.question import FunnelOf, Place
from leadline.errors import UsageError

if TYPE_CHECKING:
    from leadline.cli.console import Shown
    from leadline.workspace.push import Push
    from leadline.writeback.applying import Applied
    from leadline.writeback.plan import Plan

_SHOWN = 20
"""Rows of a plan, and refusals, that are shown; --rows and the JSON have all."""

What = Annotated[
    Literal["influence", "members"],
    typer.Argument(
        metavar="WHAT", help="influence: rows of an own influence model; members: custom fields of campaign members."
    ),
]
PushModel = Annotated[str | None, typer.Option("--model", metavar="NAME", help="Credit model of ours (influence).")]
OwnModel = Annotated[
    str | None,
    typer.Option(
        "--org-model",
        metavar="NAME",
        help="Custom influence model of the org that is Leadline's own. Default: org_model of [salesforce.push].",
    ),
]
ApplyPlan = Annotated[str | None, typer.Option("--apply", metavar="PLAN", help="Do this plan, and nothing else.")]
UndoPlan = Annotated[
    str | None, typer.Option("--undo", metavar="PLAN", help="Put back what stood before this plan was applied.")
]
Yes = Annotated[
    bool, typer.Option("--yes", help="Make a plan and do it at once; for schedules, where nobody looks at it.")
]
ListPlans = Annotated[bool, typer.Option("--plans", help="List the plans there are and how far each is.")]
RowsFile = Annotated[
    Path | None, typer.Option("--rows", metavar="FILE", help="Write every row of the plan, old and new, into this CSV.")
]
PushFormat = Annotated[Literal["table", "json"], typer.Option("--format", help="Form of the result.")]
StrictPush = Annotated[bool, typer.Option("--strict", help="End with exit code 3 if the org refuses a row.")]


def push(
    place: Place,
    what: What,
    model: PushModel = None,
    scope: Scope = None,
    org_model: OwnModel = None,
    funnel: FunnelOf = None,
    apply: ApplyPlan = None,
    undo: UndoPlan = None,
    yes: Yes = False,
    plans: ListPlans = False,
    rows: RowsFile = None,
    format: PushFormat = "table",
    strict: StrictPush = False,
) -> None:
    """Write results back into the live org: makes a plan; nothing is written before --apply PLAN or --yes."""
    from leadline import workspace

    if sum((apply is not None, undo is not None, yes, plans)) > 1:
        raise UsageError("Give one of --apply, --undo, --yes and --plans.")
    writing = workspace.open(place.workspace).push
    if plans:
        _list(writing, what)
        return
    name = apply or undo
    with progress() as shown:
        plan = _known(writing, name, what) if name else _made(writing, what, model, scope, org_model, funnel, shown)
        if rows is not None:
            plan.write_rows(rows)
        done = writing.undo(plan.id, progress=shown) if undo else None
        if apply or (yes and plan.counts.written):
            done = writing.apply(plan.id, progress=shown)
    _show(plan, done, format, undone=undo is not None)
    if done is not None and (done.differences or (strict and done.refused)):
        raise typer.Exit(1 if done.differences else 3)


def _made(
    writing: Push,
    what: str,
    model: str | None,
    scope: str | None,
    org_model: str | None,
    funnel: str | None,
    shown: Shown,
) -> Plan:
    if what == "members":
        if model or scope or org_model:
            raise UsageError("--model, --scope and --org-model belong to `leadline push influence`.")
        return writing.members(funnel=funnel, progress=shown)
    if model is None or funnel is not None:
        raise UsageError(
            "`leadline push influence` needs --model NAME (see `leadline influence --models`), and no --funnel."
        )
    return writing.influence(model, scope=scope, org_model=org_model, progress=shown)


def _known(writing: Push, name: str, what: str) -> Plan:
    plan = writing.plan(name)
    if plan.what != what:
        raise UsageError(f"Plan {plan.id} is one of {plan.what}: leadline push {plan.what} …")
    return plan


def _list(writing: Push, what: str) -> None:
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, header_style="dim")
    for name in ("plan", "state", "create", "change", "delete", "about"):
        table.add_column(name, justify="right" if name in ("create", "change", "delete") else "left")
    for plan in map(writing.plan, writing.plans()):
        if plan.what == what:
            counts = plan.counts
            numbers = (f"{counts.create:,}", f"{counts.change:,}", f"{counts.delete:,}")
            table.add_row(plan.id, plan.state, *numbers, plan.about)
    stdout().print(table)


def _show(plan: Plan, done: Applied | None, form: str, *, undone: bool) -> None:
    if form == "json":
        sys.stdout.write(json.dumps(_told(plan, done), indent=2, ensure_ascii=False) + "\n")
        return
    _show_plan(plan)
    if done is not None:
        _show_done(plan, done, undone=undone)
    elif plan.counts.written:
        say(f"Nothing was written. To do it: leadline push {plan.what} --apply {plan.id}")
    else:
        say("The org stands as it should; there is nothing to write.")


def _told(plan: Plan, done: Applied | None) -> dict[str, Any]:
    from dataclasses import asdict

    told: dict[str, Any] = {
        "plan": plan.id, "state": plan.state, "what": plan.what, "about": plan.about, "org": plan.org,
        "snapshot": plan.snapshot, **asdict(plan.counts), "api_calls": plan.calls, "currency": plan.currency,
        "amount_before": plan.amounts and plan.amounts[0], "amount_after": plan.amounts and plan.amounts[1],
    }  # fmt: skip
    if done is not None:
        told |= {"done": done.done, "resumed": done.resumed, "differences": done.differences}
        told["refused"] = [{"row": row, "code": one.code, "message": one.message} for row, one in done.refused]
    return told


def _show_plan(plan: Plan) -> None:
    from rich import box
    from rich.table import Table

    say(f"Plan {plan.id}: {plan.about}.")
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, header_style="dim")
    for name in ("action", "record", "old", "new"):
        table.add_column(name, overflow="fold")
    for action, record, old, new in plan.first_rows(_SHOWN):
        table.add_row(action, record, old, new)
    if plan.counts.written:
        stdout().print(table, highlight=False)
    counts = plan.counts
    say(
        f"{counts.create:,} to create, {counts.change:,} to change, {counts.delete:,} to delete, {counts.unchanged:,} "
        f"unchanged; at least {plan.calls:,} API calls."
    )
    if plan.amounts is not None:
        before, after = (f"{Decimal(amount).scaleb(-plan.digits):,f}" for amount in plan.amounts)
        say(f"Amount these rows claim: {before} before, {after} after {plan.currency}.".rstrip())


def _show_done(plan: Plan, done: Applied, *, undone: bool) -> None:
    from leadline.render.present import clean

    how = "Went on with a run that was cut short. " if done.resumed else ""
    say(f"{how}{done.done:,} rows {'put back' if undone else 'written'}, {len(done.refused):,} refused by the org.")
    for row, one in done.refused[:_SHOWN]:
        say(f"  {clean(row)}: {one.code} {clean(one.message)}".rstrip())
    if len(done.refused) > _SHOWN:
        say(f"  … all of them with --format json, and in {plan.folder}")
    if done.differences:
        say(
            f"{done.differences:,} records do not stand as they should afterwards: somebody else writes them, or the org did "
            f"late what was sent. Make a new plan: leadline push {plan.what}"
        )
    elif not undone:
        say(f"To put back what stood before: leadline push {plan.what} --undo {plan.id}")
