"""Lead.Status over time: what history recorded, what stands there now."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from leadline.demo.clock import NO_DAY
from leadline.demo.params import S_MQL, S_OPEN, S_QUALIFIED
from leadline.demo.world import Columns, take


def first_status(people: Columns) -> NDArray[np.int64]:
    """The status a lead was created with, as far as its history can tell."""
    return np.where(people["created_as_mql"], S_MQL, people["untracked_status"])


def previous_status(people: Columns, changes: Columns) -> tuple[Columns, NDArray[np.int64]]:
    """Changes in order of time with the value before each, and every lead's present status.

    Setting the value that is there already leaves no trace in history.
    """
    order = np.lexsort((changes["second"], changes["day"], changes["person"]))
    changes = take(changes, order)
    same = np.zeros(len(order), bool)
    same[1:] = changes["person"][1:] == changes["person"][:-1]
    before = np.concatenate([[S_OPEN], changes["status"][:-1]])
    first = first_status(people)
    changes["before"] = np.where(same, before, first[changes["person"]])
    status = first.copy()
    status[changes["person"]] = changes["status"]
    converted = people["converted_day"] != NO_DAY
    changes = take(changes, changes["before"] != changes["status"])
    return changes, np.where(converted, S_QUALIFIED, status)
