"""Definitions: what every number means, made from the definitions that run, with the fields each rests on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from leadline.config import schema
from leadline.explain.fields import FORMS, metric_fields
from leadline.model import catalogue
from leadline.web.view import View
from leadline.workspace.explaining import ask_on

if TYPE_CHECKING:
    from leadline.address import Address
    from leadline.config import Funnel
    from leadline.model.opened import Opened
    from leadline.results import Result
    from leadline.web.desk import Desk

router = APIRouter()

MORE = ("roi", "goals", "problems", "suggested_roles")
"""Metrics beside those whose fields the command line tells."""

BY_RECORDS = ("influence", "roi")
"""Metrics whose words depend on what the records hold."""

PAGE_OF = {
    "velocity": "/velocity",
    "influence": "/influence",
    "roi": "/influence",
    "goals": "/",
    "suggested_roles": "/trust",
}
"""Page that shows a metric; the funnel for all others."""


@router.get("/definitions")
def page(request: Request) -> Response:
    """Metrics, stages, formulas, credit models, dimensions, settings and tables as they run now."""
    view = View.of(request)
    told = view.at_desk("definitions", _metrics)
    return view.render(
        "definitions.html",
        {
            "metrics": told,
            "version": next((one["version"] for one in told), ""),
            "funnels": [(name, _stages(funnel)) for name, funnel in view.pin.settings.funnel.items()],
            "formulas": view.table(view.ask("formulas"), limit=200),
            "models": view.table(view.ask("models"), limit=200),
            "settings": _settings(view),
            "tables": [(one.name, one.text, ", ".join(one.key)) for one in (*catalogue.PUBLISHED, *catalogue.EXTRA)],
        },
    )


def _metrics(desk: Desk) -> list[dict[str, Any]]:
    """Each metric with its words, the version of their meaning, and the fields of the source it rests on."""
    opened = desk.opened()
    said: dict[str, Result] = {}

    def ask(address: Address, memory: Opened) -> Result:
        said[str(address)] = found = ask_on(desk, address, memory)
        return found

    fields = metric_fields(opened, ask, (*FORMS, *MORE))
    # Without records nothing was created: only the records themselves say which day counts.
    said |= {form: desk.metrics.ask(form) for form in BY_RECORDS if form in said}
    return [
        {
            "address": form,
            "title": said[form].title,
            "text": said[form].definition.text,
            "version": said[form].definition.version,
            "unit": said[form].unit,
            "columns": [(one.name, one.help) for one in said[form].columns if one.help],
            "fields": _by_object(rests),
            "page": PAGE_OF.get(form.partition("?")[0], "/funnel"),
        }
        for form, rests in fields.items()
    ]


def _by_object(fields: frozenset[tuple[str, str]]) -> list[tuple[str, list[str]]]:
    """Object → its fields, both in order."""
    names = sorted({held for held, _ in fields})
    return [(name, sorted(field for held, field in fields if held == name and field)) for name in names]


def _stages(funnel: Funnel) -> list[tuple[str, list[str]]]:
    """Stages in order with what shows that they were reached."""
    return [
        (stage.name, [_source(one.model_dump(exclude_none=True, exclude_defaults=True)) for one in stage.sources])
        for stage in funnel.stages
    ]


def _source(told: dict[str, Any]) -> str:
    name = ".".join(str(told.pop(part)) for part in ("object", "field") if part in told)
    rest = ", ".join(f"{key} {', '.join(value) if isinstance(value, list) else value}" for key, value in told.items())
    return f"{name} ({rest})" if rest else name


def _settings(view: View) -> list[tuple[str, list[tuple[str, str, str]]]]:
    """Tables of leadline.toml: key, value that holds, what it is for."""
    whole = schema()
    shown: list[tuple[str, list[tuple[str, str, str]]]] = []
    values = view.pin.settings.model_dump(mode="json", by_alias=True)
    for name, table in whole["properties"].items():
        target = table.get("$ref", "").rpartition("/")[2]
        known = whole.get("$defs", {}).get(target, {}).get("properties", {})
        if not known:
            shown.append((name, [("", _value(values.get(name)), table.get("description", ""))]))
            continue
        own = values.get(name) or {}
        shown.append(
            (name, [(key, _value(own.get(key)), field.get("description", "")) for key, field in known.items()])
        )
    return shown


def _value(value: Any) -> str:
    if value in (None, "", [], {}):
        return ""
    if isinstance(value, dict):
        return ", ".join(
            f"{key} = {_value(one) if not isinstance(one, dict) else '…'}" for key, one in list(value.items())[:12]
        )
    if isinstance(value, list):
        return ", ".join(str(one) for one in value[:12])
    return str(value)
