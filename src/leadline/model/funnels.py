"""Facts about a funnel that several tables need."""

from __future__ import annotations

from dataclasses import dataclass

import ibis
import ibis.expr.types as ir
import pyarrow as pa

from leadline.config import Funnel

OUTCOMES = ("won", "lost", "closed")


@dataclass(frozen=True, slots=True)
class ClosedStage:
    """A stage that opportunities enter by closing.

    Attributes:
        number: its number.
        outcomes: won, lost, closed: the ways of closing that enter it.
        values: values of StageName that enter it, where they stand for something closed.
    """

    number: int
    outcomes: tuple[str, ...]
    values: tuple[str, ...]


def closed_stages(funnel: Funnel) -> list[ClosedStage]:
    """Every stage that a close may enter."""
    found = []
    for number, stage in enumerate(funnel.stages):
        own = [source for source in stage.sources if source.object == "Opportunity"]
        outcomes = tuple(source.milestone for source in own if source.milestone in OUTCOMES)
        values = tuple(value for source in own if source.field == "StageName" for value in source.values or ())
        if outcomes or values:
            found.append(ClosedStage(number, outcomes, values))
    return found


def outcome_stages(funnel: Funnel) -> list[int]:
    """Numbers of the stages that stand for an outcome (won, lost, closed); nothing waits in them."""
    return [stage.number for stage in closed_stages(funnel) if stage.outcomes]


def stage_numbers(funnel: Funnel) -> ir.Table:
    """The table of stage numbers of a funnel: stage_no 0, 1, …"""
    return ibis.memtable(pa.table({"stage_no": pa.array(range(len(funnel.stages)), pa.int64())}))


def opportunity_stages(funnel: Funnel) -> list[int]:
    """Numbers of the stages that an opportunity by itself can be seen in (decision D16)."""
    return [
        number
        for number, stage in enumerate(funnel.stages)
        if any(source.object == "Opportunity" for source in stage.sources)
    ]


def waiting_stages(funnel: Funnel) -> list[int]:
    """Stages records wait in: all but Inquiry and outcomes; without people all open stages."""
    ends = outcome_stages(funnel)
    first = 1 if funnel.of_people else 0
    return [number for number in range(first, len(funnel.stages)) if number not in ends]
