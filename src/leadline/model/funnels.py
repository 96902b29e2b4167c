"""Facts about a funnel that several tables need."""

from __future__ import annotations

import ibis
import ibis.expr.types as ir
import pyarrow as pa

from leadline.config import Funnel

_OUTCOMES = ("won", "lost", "closed")


def outcome_stages(funnel: Funnel) -> dict[str, int]:
    """Outcome (won, lost, closed) → number of the stage that stands for it."""
    found: dict[str, int] = {}
    for number, stage in enumerate(funnel.stages):
        for source in stage.sources:
            if source.object == "Opportunity" and source.milestone in _OUTCOMES:
                found.setdefault(source.milestone, number)
    return found


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
    ends = set(outcome_stages(funnel).values())
    first = 1 if funnel.of_people else 0
    return [number for number in range(first, len(funnel.stages)) if number not in ends]
