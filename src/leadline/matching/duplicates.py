"""People the org may have twice: which pairs are compared, what makes them alike, and groups of them."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import ibis
import ibis.expr.types as ir
import numpy as np
import pyarrow as pa

from leadline import engines
from leadline.config import MatchingSettings
from leadline.matching import linkage
from leadline.model.store import Store

LARGEST_BLOCK: Final = 200
"""A key that more people share says too little to compare them all: 20,000 pairs and more each."""

SCHEMA: Final = pa.schema(
    [
        ("person_id", pa.string()),
        ("other_id", pa.string()),
        ("probability_parts", pa.int64()),
        ("reason", pa.string()),
        ("same_email", pa.bool_()),
        ("group_id", pa.string()),
    ]
)
"""Columns of `possible_duplicates`."""


BESIDE: Final = "2GB"
"""Memory of the snapshot's own engine while `linkage` has its own beside it."""


def find(store: Store, settings: MatchingSettings, matches: ir.Table, spill: Path | None = None) -> pa.Table:
    """Pairs of people that may be one, as `SCHEMA` says; needs the steps of `parties`.

    Args:
        matches: person_id and account_id of the leads that belong to an account, those placed by hand included.
        spill: folder for what does not fit into memory.
    """
    if not settings.duplicates:
        return SCHEMA.empty_table()
    records = store.backend.to_pyarrow(prepare(store, matches))
    if not records.num_rows:
        return SCHEMA.empty_table()
    people = store.count(store.steps["match_keyed"])
    with engines.room_for_another(store.backend.con, BESIDE):
        found = linkage.pairs(records, people, settings.duplicate_probability, spill)
    return _described(found) if found.num_rows else SCHEMA.empty_table()


def prepare(store: Store, matches: ir.Table) -> ir.Table:
    """The step `match_counted`: who is to be compared by `linkage`, and how many people share each value."""
    keyed = store.step("match_keyed", _keyed(store, matches))
    blocked = store.step("match_blocked", _blocked(keyed))
    for column in linkage.COMPARED:
        shared = keyed.filter(keyed[column].notnull()).group_by(column).aggregate(**{f"n_{column}": ibis._.count()})
        blocked = blocked.left_join(shared, column).drop(f"{column}_right")
    return store.step("match_counted", blocked)


def _keyed(store: Store, matches: ir.Table) -> ir.Table:
    """People with a last name, their employer and the keys of `linkage`.

    The employer is the name of the account, their own or the one they are matched to, else the
    company they give, else the domain.
    """
    matched = matches.select("person_id", matched_id="account_id")
    people = store.steps["match_people"].left_join(matched, "person_id").drop("person_id_right")
    placed = people.mutate(at_id=ibis.coalesce(people.account_id, people.matched_id))
    names = store.steps["match_accounts"].select("name_key", at_id="account_id")
    told = placed.left_join(names, "at_id")
    employer = ibis.coalesce(told.name_key, told.company, told.host, told.at_id)
    named = told.filter(told["last"].notnull()).select(
        "person_id", "first", "last", "email", "local", "host", account_id="at_id", employer=employer
    )
    return named.mutate(
        key_email=named.email,
        key_name=_joined(named.employer, named["last"]),
        key_given=_joined(named.employer, named["first"]),
        key_host=_joined(named.host, named["last"]),
    )


def _joined(place: ir.StringValue, name: ir.StringValue) -> ir.StringValue:
    """Both with a mark between them that names have not; null if one is null."""
    return place.concat("|", name)


def _blocked(keyed: ir.Table) -> ir.Table:
    """People with a key that two to `LARGEST_BLOCK` share; keys that fewer or more share are null."""
    kept = keyed
    for key in linkage.KEYS:
        sizes = keyed.filter(keyed[key].notnull()).group_by(key).aggregate(people=ibis._.count())
        fit = sizes.filter((sizes.people > 1) & (sizes.people <= LARGEST_BLOCK)).select(**{f"fit_{key}": key})
        kept = kept.left_join(fit, [(key, f"fit_{key}")])
    columns = [name for name in keyed.columns if name not in linkage.KEYS]
    found = kept.select(*columns, **{key: kept[f"fit_{key}"] for key in linkage.KEYS})
    return found.filter(ibis.or_(*[found[key].notnull() for key in linkage.KEYS]))


def _described(found: pa.Table) -> pa.Table:
    """Pairs with words and groups."""
    texts = [_words(found[name], linkage.words(name)) for name in linkage.RESPECTS]
    reasons = [", ".join(filter(None, parts)) for parts in zip(*texts, strict=True)]
    best = max(linkage.words("mail"))
    return pa.table(
        {
            "person_id": found["person_id"],
            "other_id": found["other_id"],
            "probability_parts": found["probability_parts"],
            "reason": pa.array(reasons, pa.string()),
            "same_email": pa.array(found["mail"].to_numpy() == best),
            "group_id": _groups(found),
        },
        schema=SCHEMA,
    )


def _words(levels: pa.ChunkedArray, words: dict[int, str]) -> list[str]:
    return [words.get(level, "") for level in levels.to_pylist()]


def _groups(found: pa.Table) -> pa.Array:
    """Per pair the least id of all people that pairs connect with its two."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    ends = pa.concat_arrays([*found["person_id"].chunks, *found["other_id"].chunks])
    ids = np.unique(ends.to_numpy(zero_copy_only=False).astype(str))
    left, right = (np.searchsorted(ids, found[name].to_numpy().astype(str)) for name in ("person_id", "other_id"))
    linked = coo_array((np.ones(len(left), np.int8), (left, right)), shape=(len(ids), len(ids)))
    _, labels = connected_components(linked, directed=False)
    # Ids are sorted, so that the first of each label is its least.
    _, first = np.unique(labels, return_index=True)
    return pa.array(ids[first][labels[left]], pa.string())
