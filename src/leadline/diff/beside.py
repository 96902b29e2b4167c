"""What gives a state its numbers besides its records and settings: the lines of a costs file, the files of credit models."""

from __future__ import annotations

from collections import Counter
from dataclasses import astuple, replace
from pathlib import Path
from typing import TYPE_CHECKING

from leadline import engines
from leadline.config import FILE_NAME
from leadline.credit_models import FOLDER as MODELS
from leadline.snapshots import Snapshot
from leadline.snapshots.frozen import FOLDER, all_frozen
from leadline.sources import costs_file
from leadline.sources.costs_file import CostLine, CostsFile

if TYPE_CHECKING:
    from leadline.model.source import Source
    from leadline.model.store import Store

Lines = tuple[CostLine, ...]


def cost_lines(snapshot: Snapshot) -> Lines | None:
    """The costs a snapshot was built with, each with the id of its campaign; None if it does not say them.

    The id stands in place of a name, because a name is looked for among records that change on the way.
    """
    if costs_file.META not in snapshot.meta:
        return None
    lines = costs_file.from_text(snapshot.meta[costs_file.META])
    if not lines:
        return ()
    with engines.reader(snapshot.path) as con:
        rows = con.execute("SELECT line_no, campaign_id FROM campaign_costs WHERE line_no > 0").fetchall()
    placed = dict(rows)
    return tuple(replace(line, campaign=placed[line.line]) for line in lines)


def fitting(lines: Lines, store: Store, source: Source) -> CostsFile | None:
    """The lines whose campaign and currency are among the records: others belong to a later or an earlier step."""
    if not lines:
        return None
    campaigns = {row["Id"] for row in store.rows(source.table("Campaign").select("Id"))}
    kept = [line for line in lines if line.campaign in campaigns]
    if source.has("CurrencyType"):
        rated = {row["IsoCode"] for row in store.rows(source.table("CurrencyType").select("IsoCode"))}
        kept = [line for line in kept if line.currency is None or line.currency in rated]
    return CostsFile(costs_file.FILE_NAME, tuple(kept)) if kept else None


def lines_moved(before: Lines, after: Lines) -> int:
    """How many lines came or went; where they stand in the file changes nothing."""
    earlier, later = (Counter(astuple(line)[1:] for line in lines) for lines in (before, after))
    return (earlier - later).total() + (later - earlier).total()


def models_folder(workspace: Path, called: str, snapshot: Snapshot) -> Path:
    """The model files of a state: those frozen with it, else those of the workspace.

    Args:
        called: how the state is named; of several frozen names of one snapshot this one decides.
    """
    own = [one for one in all_frozen(workspace) if one.snapshot == snapshot.id and FILE_NAME in one.files]
    own.sort(key=lambda one: (one.name != called, one.name))
    return workspace / FOLDER / own[0].name / MODELS if own else workspace / MODELS
