"""What a check is, what it is given and what it hands back."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

import ibis.expr.types as ir

from leadline.config import Settings
from leadline.findings import Severity
from leadline.model.build import Built
from leadline.model.source import Source
from leadline.model.store import Store

ALL_METRICS = ("volume", "conversion", "velocity", "influence")
LINKS = ("person_id", "opportunity_id")


@dataclass(frozen=True, slots=True)
class Audited:
    """What is looked at: the records of the source and the tables built from them."""

    store: Store
    source: Source
    settings: Settings
    built: Built

    def __getitem__(self, name: str) -> ir.Table:
        return self.store[name]


@dataclass(frozen=True, slots=True)
class Hits:
    """Records of one object with a fault.

    Attributes:
        object: Salesforce object of the records.
        records: one row per record: record_id, and where it is not the usual one (see `run`) the
            person_id and opportunity_id whose numbers the fault can move; null moves nothing.
            Of several records that are one person also into_id, the person they are.
        among: the records looked at; the share of hits among them makes the severity.
        says: the sentence, with {rows} and {among}.
        concerned: opportunity_id of the opportunities whose amounts are at stake; None: those the records name.
    """

    object: str
    records: ir.Table
    among: ir.Table
    says: str
    concerned: ir.Table | None = None


@dataclass(frozen=True, slots=True)
class Whole:
    """A fault of the data as a whole, without records of its own.

    Attributes:
        object: Salesforce object it is about, or an empty string.
        says: the sentence.
        share: 0 to 1, how much of the data it concerns; it makes the severity.
    """

    object: str
    says: str
    share: float = 1.0


Find = Callable[[Audited], Iterator[Hits | Whole]]

Treatment = Literal["leave out", "merge", "date by creation", "credit"]
"""What is done to the records of a finding to see by how much they move a number:

leave out         as if they were deleted
merge             the persons of one `into_id` are one person
date by creation  responses take the moment their member was created
credit            their whole amount is credited
"""


@dataclass(frozen=True, slots=True)
class Mend:
    """How the records of a check are mended to measure what they move.

    Attributes:
        treatment: what is done to them.
        judged: nobody knows whether the mended records would look like that: the number lies
            somewhere between as it is and as it would be.
    """

    treatment: Treatment
    judged: bool = True


@dataclass(frozen=True, slots=True)
class Check:
    """One check.

    Attributes:
        code: its stable name.
        moves: metrics whose numbers it can move.
        find: looks for it; yields nothing where the source lacks what it rests on.
        remedy: what to do about it.
        warning_above, error_above: share above which a hit is a warning or an error; None never.
            A share of 0 as bound means: any hit.
        mend: how to measure what it moves; None where that cannot be said.
    """

    code: str
    moves: tuple[str, ...]
    find: Find
    remedy: str
    warning_above: float | None = 0.0
    error_above: float | None = None
    mend: Mend | None = None

    def severity(self, share: float, threshold: float | None) -> Severity:
        """How bad hits of this share are; a configured `threshold` takes the place of `error_above`."""
        error_above = self.error_above if threshold is None else threshold
        if error_above is not None and share > error_above:
            return "error"
        if self.warning_above is not None and share > self.warning_above:
            return "warning"
        return "info"
