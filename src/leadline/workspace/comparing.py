"""Two snapshots of a workspace compared."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from leadline import dates
from leadline.address import parse
from leadline.errors import UsageError
from leadline.workspace.explaining import Home, ask_on

if TYPE_CHECKING:
    from leadline.ledger import Ledger
    from leadline.progress import Progress
    from leadline.results import Result
    from leadline.snapshots import Snapshot
    from leadline.workspace.metrics import AsOf


class Kept(Home, Protocol):
    """What comparing needs of its workspace besides."""

    ledger: Ledger


def compared(
    home: Kept,
    before: Snapshot,
    after: Snapshot,
    *,
    called: tuple[str, str],
    addresses: Sequence[str],
    moment: AsOf,
    own: bool,
    listing: bool,
    progress: Progress,
) -> Result:
    """The change of numbers from one snapshot to another, or the records behind it."""
    from leadline import credit_models
    from leadline.diff import States, as_list, as_table, differences
    from leadline.diff.beside import models_folder
    from leadline.diff.states import usual

    if own and moment is not None:
        raise UsageError("--own-moments looks from each state's own moment; leave out --as-of.")
    if before.id == after.id:
        raise UsageError(f"{called[0]} and {called[1]} are the same snapshot, {before.id}; nothing can differ.")
    last = home.open_at(after.path, None, None)
    asked = tuple(parse(text) for text in addresses or usual(last.funnel(None)[1].of_people))
    if taken := [str(one) for one in asked if one.values("as_of") or one.values("snapshot")]:
        raise UsageError(f"{taken[0]} names its own moment or snapshot; give the moment of a comparison by --as-of.")
    zone = before.meta["zone"]
    own_models, their_models = (
        models_folder(home.folder, name, snapshot) for name, snapshot in zip(called, (before, after), strict=True)
    )
    other_models = credit_models.load(own_models) != credit_models.load(their_models)
    states = States(
        earlier=before,
        later=after,
        ledger=home.ledger,
        ask=lambda address, opened: ask_on(home, address, opened, own_models),
        ask_later=(lambda address, opened: ask_on(home, address, opened, their_models)) if other_models else None,
        open_at=lambda path, at: home.open_at(path, at, None),
        addresses=asked,
        listing=listing,
        moment=None
        if moment is None
        else dates.parse_as_of(moment if isinstance(moment, str) else moment.isoformat(), zone),
        own=own,
        progress=progress,
    )
    found = differences(states)
    if listing:
        return as_list(found, last, *called, {str(one.table): one for one in asked})
    sides = ((called[0], before, own_models), (called[1], after, their_models))
    return as_table(found, last, *called, [todays_models(name) for name in _without_models(home, sides)])


def _without_models(home: Kept, sides: Sequence[tuple[str, Snapshot, Path]]) -> list[str]:
    """Names of older states that are asked with the model files of today, because none were frozen with them."""
    from leadline import credit_models

    newest, today = home.snapshots.current().snapshot.id, home.folder / credit_models.FOLDER
    return [
        name for name, state, models in sides if state.id != newest and models == today and any(models.glob("*.toml"))
    ]


def todays_models(name: str) -> str:
    """What is said of a state that is asked with the model files of today."""
    return f"No model files were frozen with {name}: credit models of models/ are those of today."
