"""Random orgs turned into other orgs of which the answer is known to be the same."""

from __future__ import annotations

import datetime as dt
import random
from typing import Any

from leadline.config import Settings
from leadline.model.opened import Opened
from tests.agreement import engine
from tests.oracle.batch import random_batch
from tests.oracle.records import Org, Row, eighteen

WEEKS = dt.timedelta(weeks=104)
"""A shift by whole weeks keeps the weekday."""

ORG_WIDE = ("Organization", "OpportunityStage", "CurrencyType", "DatedConversionRate")
"""Objects that describe the org as a whole."""

Case = tuple[Org, Settings, dt.datetime]


def drawn(seed: int, *, orgs: int = 6) -> Case:
    """A random org made of a few small ones, its settings and as-of."""
    return random_batch(random.Random(seed), orgs)


def opened(case: Case) -> Opened:
    """The engine's model of it, open for questions."""
    return engine.built(*case)


def shuffled(case: Case, rng: random.Random) -> Case:
    """The same records, rows and columns in another order."""
    org, settings, as_of = case
    mixed: Org = {}
    for name in rng.sample(list(org), len(org)):
        mixed[name] = [{key: row[key] for key in rng.sample(list(row), len(row))} for row in org[name]]
        rng.shuffle(mixed[name])
    return mixed, settings, as_of


def moved(case: Case, by: dt.timedelta) -> Case:
    """Everything later by `by`, in UTC, where no clock is ever put forward."""
    org, settings, as_of = case
    plain = settings.model_copy(update={"workspace": settings.workspace.model_copy(update={"timezone": "UTC"})})
    return {name: [_moved(row, by) for row in rows] for name, rows in org.items()}, plain, as_of + by


def with_later(case: Case, by: dt.timedelta) -> Case:
    """The org and, under other ids, a second time with all its events after as-of."""
    org, settings, as_of = case
    own = {str(row["Id"]): None for name, rows in org.items() if name not in ORG_WIDE for row in rows}
    names = dict.fromkeys([*own, *(eighteen(one) for one in own)])
    both: Org = {}
    for name, rows in org.items():
        later = [] if name in ORG_WIDE else [row for row in rows if not _timeless(name, row)]
        both[name] = [*rows, *(_relabelled(name, _renamed(_moved(row, by), names)) for row in later)]
    return both, settings, as_of


def _relabelled(name: str, row: Row) -> Row:
    """A campaign under another name: two of one name are told apart by their ids, in every label."""
    return row | {"Name": f"{row['Name']} again"} if name == "Campaign" and row.get("Name") else row


def _timeless(name: str, row: Row) -> bool:
    """An opportunity that does not say when it was created has no event that could lie after as-of."""
    return name == "Opportunity" and row.get("CreatedDate") is None


def _moved(row: Row, by: dt.timedelta) -> Row:
    return {key: _later(value, by) for key, value in row.items()}


def _later(value: Any, by: dt.timedelta) -> Any:
    if isinstance(value, str) and (found := _as_time(value)) is not None:
        value = found
    if isinstance(value, dt.date | dt.datetime):
        # A date no calendar goes beyond stays: it lies after every moment either way.
        return value + by if value.year < dt.MAXYEAR else value
    return value


def _as_time(text: str) -> dt.date | dt.datetime | None:
    """Dates in text columns (custom fields, old and new values of history)."""
    for read in (dt.date.fromisoformat, dt.datetime.fromisoformat):
        try:
            return read(text)
        except ValueError:
            continue
    return None


def _renamed(row: Row, names: dict[str, None]) -> Row:
    return {
        key: f"{value[:3]}~{value[4:]}" if isinstance(value, str) and value in names else value
        for key, value in row.items()
    }
