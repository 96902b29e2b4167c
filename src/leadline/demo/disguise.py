"""Planted second records: leads that are somebody else again, under another spelling and address.

They are people who were only ever sent things, so that no count of the org depends on them. What
is planted is hidden from e-mail addresses on purpose; `twins` of `people` share theirs.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from leadline.demo import ids, names
from leadline.demo.columns import Ints, choice, numbered
from leadline.demo.params import CONTACT, LEAD, SENT_ONLY
from leadline.demo.stories import Stories
from leadline.demo.world import Columns, World, rng_for

FREE_MAIL: Final = "freemail.example"
"""Where some of them have their address; the workspace's settings name it as a provider."""

_SAME, _INITIAL, _TYPO, _UPPER = range(4)
_OTHER_LOCAL, _BLANK, _FREE = range(3)
_ENDINGS: Final = (None, " Inc.", " GmbH", ", LLC")


class Disguise:
    """Who of a block is somebody else again, and how it is written.

    Attributes:
        of: per person the number of the person it really is, or −1.
    """

    def __init__(self, world: World, stories: Stories) -> None:
        people = stories.people
        count = len(people["kind"])
        rng = rng_for(world.parameters.seed, stories.block, "disguise")
        chosen = (people["kind"] == SENT_ONLY) & (rng.random(count) < world.parameters.disguised)
        self.of: Ints = np.where(chosen, _colleague(rng, people), -1)
        self._spelling = rng.choice(4, count, p=(0.4, 0.2, 0.25, 0.15))
        self._address = rng.choice(3, count, p=(0.4, 0.3, 0.3))
        self._ending = rng.integers(0, len(_ENDINGS), count)

    def people(self, person: Ints, key: Ints, title: Ints, titles: Ints) -> dict[str, pa.Array]:
        """FirstName, LastName, Name and Title of records of these people.

        Args:
            key: per person of the block, what names come from.
            title: of these records; titles: of all people of the block.
        """
        original = np.where(self.of[person] >= 0, self.of[person], person)
        spelling = np.where(self.of[person] >= 0, self._spelling[person], _SAME)
        first, last = names.given_names(key[original]), names.family_names(key[original])
        initial = pc.binary_join_element_wise(pc.utf8_slice_codeunits(first, 0, 1), ".", "")
        # A letter left out, the commonest slip of the pen.
        slipped = pc.binary_join_element_wise(
            pc.utf8_slice_codeunits(last, 0, 2), pc.utf8_slice_codeunits(last, 3, 99), ""
        )
        first = pc.if_else(pa.array(spelling == _INITIAL), initial, first)
        last = pc.if_else(pa.array(spelling == _TYPO), slipped, last)
        last = pc.if_else(pa.array(spelling == _UPPER), pc.utf8_upper(last), last)
        return {
            "FirstName": first,
            "LastName": last,
            "Name": pc.binary_join_element_wise(first, last, " "),
            "Title": choice(np.where(self.of[person] >= 0, titles[original], title), names.TITLES),
        }

    def company(self, person: Ints, company: pa.Array) -> pa.Array:
        """The company of lead records, with a legal form the account's name lacks where disguised."""
        ending = choice(np.where(self.of[person] >= 0, self._ending[person], 0), _ENDINGS)
        return pc.binary_join_element_wise(company, pc.fill_null(ending, ""), "")

    def email(self, person: Ints, number: Ints, email: pa.Array) -> pa.Array:
        """The address of lead records: another one, none, or one of a free provider where disguised."""
        how = np.where(self.of[person] >= 0, self._address[person], -1)
        other = pc.binary_join_element_wise("second", email, ".")
        free = pc.binary_join_element_wise("p", numbered(number), f"@{FREE_MAIL}", "")
        email = pc.if_else(pa.array(how == _OTHER_LOCAL), other, email)
        email = pc.if_else(pa.array(how == _FREE), free, email)
        return pc.if_else(pa.array(how == _BLANK), pa.scalar(None, pa.string()), email)


def _colleague(rng: np.random.Generator, people: Columns) -> Ints:
    """Per person somebody who responded and is of the same account, or −1."""
    pool = np.flatnonzero(np.isin(people["kind"], (LEAD, CONTACT)) & ~people["deleted"])
    order = pool[np.argsort(people["account"][pool], kind="stable")]
    accounts = people["account"][order]
    low = np.searchsorted(accounts, people["account"], side="left")
    size = np.searchsorted(accounts, people["account"], side="right") - low
    place = low + (size * rng.random(len(size))).astype(np.int64)
    if len(order) == 0:
        return np.full(len(size), -1, np.int64)
    return np.where(size > 0, order[np.minimum(place, len(order) - 1)], -1)


def same_people(world: World, stories: Stories) -> Iterator[tuple[str, str]]:
    """Truth: pairs of a person of this block and the one it really is, by id of the surviving record.

    Twins, who share their address with the original, are pairs too; deleted people are in none.
    """
    people = stories.people
    of = np.maximum(Disguise(world, stories).of, people["twin_of"])
    rows = np.flatnonzero((of >= 0) & ~people["deleted"])
    own, original = surviving_ids(stories, rows), surviving_ids(stories, of[rows])
    yield from zip(own.to_pylist(), original.to_pylist(), strict=True)


def accounts_of_leads(stories: Stories) -> Iterator[tuple[str, str]]:
    """Truth: each lead that is there and was not converted, and the account it works for."""
    people = stories.people
    rows = np.flatnonzero(people["has_lead"] & ~people["has_contact"] & ~people["deleted"])
    base = stories.block * ids.BLOCK_STRIDE
    account = ids.text("Account", people["account"][rows] + base)
    yield from zip(surviving_ids(stories, rows).to_pylist(), account.to_pylist(), strict=True)


def surviving_ids(stories: Stories, rows: Ints) -> pa.Array:
    """Id of the record that stands for each of these people: the contact where there is one, else the lead."""
    numbers = rows + stories.block * ids.BLOCK_STRIDE
    contact = pa.array(stories.people["has_contact"][rows])
    return pc.if_else(contact, ids.text("Contact", numbers), ids.text("Lead", numbers))
