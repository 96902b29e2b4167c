"""The credit models that can be asked for by name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from leadline import credit_models
from leadline.metrics.assemble import Assembly
from leadline.metrics.query import Query, ask
from leadline.model.opened import Opened
from leadline.results import Column, Result

COLUMNS = (
    Column("name", "text", help="Name to ask for"),
    Column("kind", "text", help="What the model does with touches"),
    Column("title", "text", help="What it is"),
    Column("touches", "text", help="What can earn credit: responses, or campaign members of any status"),
    Column("from", "text", help="File of the workspace, or shipped with Leadline"),
)


def model_list(opened: Opened, known: Mapping[str, credit_models.Model]) -> Result:
    """All credit models of a workspace, one row each."""
    shipped = credit_models.load()
    rows = [
        {
            "name": name,
            "kind": model.kind,
            "title": model.title or None,
            "touches": "responses" if model.touches == "responses" else "members",
            "from": "shipped" if shipped.get(name) == model else f"{credit_models.FOLDER}/{name}.toml",
        }
        for name, model in sorted(known.items())
    ]
    made = Assembly(ask(opened, Query()), "influence", "Credit models", "Credit models that can be asked for by name.")
    return replace(made.result(COLUMNS, rows, by=()), kind="influence-models")
