"""What every renderer of one block needs: ids, users, currencies, moments."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from leadline.demo import ids
from leadline.demo.clock import NO_DAY
from leadline.demo.columns import Ints, Mask, choice, instants
from leadline.demo.disguise import Disguise
from leadline.demo.params import CURRENCIES, CURRENCY_OF_COUNTRY
from leadline.demo.stories import Stories
from leadline.demo.world import INTEGRATIONS, Columns, World


class Scene:
    """One block being written down.

    Attributes:
        base: first running number of the block's records.
        key: per person the number names and e-mails come from; twins share it.
        disguise: who is somebody else again, under another spelling and address.
    """

    def __init__(self, world: World, stories: Stories) -> None:
        self.world, self.stories, self.clock = world, stories, world.clock
        self.base = stories.block * ids.BLOCK_STRIDE
        people = stories.people
        self.count = len(people["kind"])
        self.key = np.where(people["twin_of"] >= 0, people["twin_of"], np.arange(self.count)) + self.base
        self.disguise = Disguise(world, stories)

    def ids(self, object_name: str, rows: Ints, valid: Mask | None = None) -> pa.Array:
        """Ids of rows of this block; not `valid` is a null."""
        numbers = rows + self.base
        return ids.text(object_name, numbers if valid is None else np.where(valid, numbers, -1))

    def owner(self, humans: Ints) -> pa.Array:
        """Ids of users by the number of the human."""
        return self.user(humans + INTEGRATIONS)

    def user(self, rows: Ints) -> pa.Array:
        """Ids of users, the integrations first."""
        count = int(rows.max(initial=0)) + 1
        return ids.text("User", np.arange(count)).take(pa.array(rows))

    def currency(self, account: Ints) -> pa.Array:
        """Currency of each account's country."""
        country = self.stories.accounts["country"][account]
        return choice(np.array(CURRENCY_OF_COUNTRY)[country], CURRENCIES)

    def moment(self, table: Columns, prefix: str = "") -> Ints:
        """UTC seconds of a table's day and second; 1970 where there is no day."""
        day = table[f"{prefix}day"]
        return np.where(day == NO_DAY, 0, self.clock.utc(np.where(day == NO_DAY, 0, day), table[f"{prefix}second"]))

    def when(self, table: Columns, prefix: str = "") -> pa.Array:
        """The same as a column, null where there is no day."""
        return instants(self.moment(table, prefix), table[f"{prefix}day"] != NO_DAY)
