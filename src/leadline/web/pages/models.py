"""Credit models: those that can be asked for, and an editor for points with a preview on real deals."""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Depends, HTTPException, Request
from fastapi.responses import RedirectResponse, Response

from leadline import credit_models
from leadline.errors import UnknownNameError, UsageError
from leadline.web import points
from leadline.web.access.who import Principal, needs
from leadline.web.points import Draft
from leadline.web.seen import seer
from leadline.web.state import Choice
from leadline.web.view import View, dimensions
from leadline.workspace.imports import write_config

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from leadline.credit_models import Model
    from leadline.model.opened import Opened

router = APIRouter()

Writer = Annotated[Principal, Depends(needs("analyst"))]

SAVED = (Choice("saved", kind="name"),)

EXAMPLE = Draft(
    title="",
    rules=(
        {"on": "status", "way": "points", "values": "Attended = 10\nRegistered = 2", "other": "1", "to": "goal"},
        {"on": "touch", "way": "points", "values": "first = 5", "other": "0", "to": "goal"},
    ),
)
"""What the editor shows at first."""


async def _form(request: Request) -> dict[str, str]:
    """The fields of a form that are text."""
    form = await request.form()
    return {name: value for name, value in form.items() if isinstance(value, str)}


Form = Annotated[dict[str, str], Depends(_form)]


@router.get("/models")
def page(request: Request) -> Response:
    """The models that can be asked for by name, and those of the workspace to edit."""
    view = View.of(request, SAVED)
    known = view.site.workspace.metrics.known_models()
    own = [name for name in sorted(known) if (_folder(view) / f"{name}.toml").is_file()]
    editable = [name for name in own if isinstance(known[name], credit_models.Points)]
    table = view.table(view.ask("models"), limit=200)
    return view.render(
        "models.html",
        {"here": "influence", "models": table, "own": own, "editable": editable, "may_write": view.who.may("analyst")},
    )


@router.get("/models/new")
def new(request: Request) -> Response:
    """The editor with an example."""
    view = View.of(request)
    return _editor(view, EXAMPLE, {}, "")


@router.get("/models/{name}/edit")
def edit(request: Request, name: str) -> Response:
    """The editor with a model of points, shipped or own."""
    view = View.of(request)
    known = view.site.workspace.metrics.known_models()
    if name not in known:
        raise UnknownNameError("model", name, known)
    model = known[name]
    if not isinstance(model, credit_models.Points):
        raise UsageError(
            f"The model {name!r} is no model of points; change its file models/{name}.toml, or write one of points."
        )
    path = _folder(view) / f"{name}.toml"
    if path.is_file():
        return _editor(view, points.of_model(name, model), {}, _version(path))
    # A shipped model is the start of one under another name.
    draft = points.of_model("", model)
    return _editor(view, draft, {}, "")


@router.post("/models/preview")
def preview(request: Request, who: Writer, form: Form) -> Response:
    """The draft on real deals; nothing is written."""
    view = View.of(request)
    return _editor(view, points.from_form(form), form, form.get("version", ""))


@router.post("/models/save")
def save(request: Request, who: Writer, form: Form) -> Response:
    """Write the file of a draft that has no faults, for everybody to review."""
    view = View.of(request)
    draft, version = points.from_form(form), form.get("version", "")
    path = _folder(view) / f"{draft.file_name}.toml"
    if (_version(path) if path.is_file() else "") != version:
        raise UsageError(
            f"models/{path.name} is there already, or was changed meanwhile; give another name, or open it anew."
        )
    checked = points.checked(draft, _others(view, draft, version))
    if checked.model is None or not draft.title:
        return _editor(view, draft, form, version, status=400)
    path.parent.mkdir(exist_ok=True)
    write_config(path.parent, checked.text, path.name)
    request.app.state.site.activity.note(request, "model saved", name=path.name)
    # What a model's file says holds at once, so answers that rest on the old one must go.
    view.answers.forget()
    return RedirectResponse(f"/models?saved={draft.file_name}", status_code=303)


@router.get("/models/{name}/file")
def file(request: Request, name: str) -> Response:
    """The file of a model of the workspace."""
    folder: Path = request.app.state.site.workspace.folder / credit_models.FOLDER
    path = folder / f"{name}.toml"
    if not re.fullmatch(r"[a-z][a-z0-9_]*", name) or not path.is_file():
        raise HTTPException(404)
    head = {"content-disposition": f'attachment; filename="{path.name}"'}
    return Response(path.read_bytes(), media_type="text/plain; charset=utf-8", headers=head)


def _editor(view: View, draft: Draft, form: Mapping[str, str], version: str, *, status: int = 200) -> Response:
    known = _others(view, draft, version)
    checked = points.checked(draft, known)
    other = form.get("other_model") or view.pin.settings.influence.models[0]
    asked = [one for one in re.split(r"[\s,;]+", form.get("deals", "")) if one]
    deals = _preview(view, draft, checked.model, known, other, asked) if checked.model is not None else ()
    spare = max(points.BLANK, 0)
    rules = [*draft.rules, *({"on": "", "way": "points", "values": "", "other": "0", "to": "goal"},) * spare]
    return view.render(
        "model_edit.html",
        {
            "here": "influence",
            "draft": draft,
            "rules": rules[: points.MOST_RULES],
            "checked": checked,
            "deals": deals,
            "asked": " ".join(asked),
            "other": other,
            "others": [name for name, model in known.items() if model.kind not in ("markov", "shapley")],
            "subjects": points.subjects(dimensions(view.pin)),
            "ways": points.WAYS,
            "version": version,
            "may_write": view.who.may("analyst"),
        },
        status=status,
    )


def _preview(view: View, draft: Draft, model: Model, known: Mapping[str, Model], other: str, asked: list[str]) -> Any:
    models = {**known, draft.file_name: model}
    if other not in models:
        raise UnknownNameError("model", other, models)

    def work(opened: Opened) -> Any:
        sees = seer(opened, view.who)
        wanted = [one for one in asked if sees("opportunities", one)] or points.telling_deals(opened, sees)
        return points.preview(opened, wanted, draft.file_name, other, models)

    return view.run(None, work)


def _others(view: View, draft: Draft, version: str) -> dict[str, Model]:
    """Models beside a draft: all but the one that is edited."""
    known = dict(view.site.workspace.metrics.known_models())
    if version and not draft.replaces:
        known.pop(draft.file_name, None)
    return known


def _folder(view: View) -> Path:
    folder: Path = view.site.workspace.folder / credit_models.FOLDER
    return folder


def _version(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()[:16]
