"""The campaign hierarchy in rows: below each campaign with others under it, one row for all of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

PATH = "campaign_path"
"""The dimension that is rolled up."""

SEPARATOR = " > "
ALL_BELOW = f"{SEPARATOR}*"
"""Ending of a row that holds a campaign and everything below it; such rows are in no total."""

Key = tuple[Any, ...]


def holders(by: Sequence[str], keys: Iterable[Key]) -> dict[Key, list[Key]]:
    """For each row the rolled-up rows it is part of: its own, if others are below it, and those above.

    Args:
        by: the dimensions, in the order of the first parts of a key.
        keys: values of the dimensions, and whatever follows them.
    """
    if PATH not in by:
        return {}
    place = list(by).index(PATH)
    known = list(keys)
    held = {key: [_at(key, place, path + ALL_BELOW) for path in _paths(key[place])] for key in known}
    tops = {top for key, tops in held.items() for top in tops[:-1]}
    return {key: [top for top in held[key] if top in tops] for key in known}


def is_rolled_up(by: Sequence[str], key: Key) -> bool:
    """Whether a row holds others."""
    return PATH in by and str(key[list(by).index(PATH)] or "").endswith(ALL_BELOW)


def rolled_up(by: Sequence[str], cells: dict[Key, dict[str, Any]], largest: Sequence[str] = ()) -> None:
    """Add the rolled-up rows to the counts of single campaigns.

    Args:
        by: the dimensions.
        cells: key → counts, extended in place; counts add up.
        largest: names of which the largest value counts, in place of the sum.
    """
    for key, tops in holders(by, cells).items():
        for top in tops:
            _add(cells.setdefault(top, {}), cells[key], largest)


def _paths(path: str | None) -> list[str]:
    """ "A > B" as "A", "A > B"."""
    names = (path or "").split(SEPARATOR)
    return [SEPARATOR.join(names[:depth]) for depth in range(1, len(names) + 1)]


def _at(key: Key, place: int, value: str) -> Key:
    return (*key[:place], value, *key[place + 1 :])


def _add(total: dict[str, Any], counts: dict[str, Any], largest: Sequence[str]) -> None:
    for name, value in counts.items():
        before = total.get(name)
        if value is None or before is None:
            total[name] = value if before is None else before
        else:
            total[name] = max(before, value) if name in largest else before + value
