"""What the passes of one block write down."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from leadline.demo.world import Columns, take

Days = NDArray[np.int64]
Mask = NDArray[np.bool_]


@dataclass
class Book:
    """What the passes of one block wrote down, each a list of tables to be put together."""

    responses: list[Columns] = field(default_factory=list)
    changes: list[Columns] = field(default_factory=list)
    deals: list[Columns] = field(default_factory=list)
    causes: list[Columns] = field(default_factory=list)
    mqls: list[Columns] = field(default_factory=list)
    deal_count: int = 0

    def change(self, person: Days, day: Days, second: Days, status: int, rows: Mask) -> None:
        """Lead.Status was set; the previous value follows from the order of the changes."""
        part = {"person": person, "day": day, "second": second, "status": np.full(len(person), status, np.int64)}
        self.changes.append(take(part, rows))
