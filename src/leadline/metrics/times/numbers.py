"""Learned numbers: conversion windows and stuck limits, set at the first publish that can.

They are stored with the snapshot and carried on, so that a later publish changes no definition by
itself. Until a number can be learned the window is 90 days and stuck needs a configured limit.
"""

from __future__ import annotations

from itertools import pairwise

from leadline.metrics.query import Asked

DEFAULT_WINDOW = 90
NEEDED = 30
"""Units that must be old enough before a number is learned."""


def _learner(asked: Asked) -> str:
    """The unit whose numbers this unit uses: units of people use those of journeys."""
    return "opportunities" if asked.unit == "opportunities" else "journeys"


def window_key(asked: Asked, start: int, end: int) -> str:
    """Name of the learned window of one transition."""
    return f"window:{asked.funnel_name}:{_learner(asked)}:{asked.stage_name(start)}>{asked.stage_name(end)}"


def stuck_key(asked: Asked, stage: int) -> str:
    """Name of the learned stuck limit of one stage, in seconds."""
    return f"stuck:{asked.funnel_name}:{_learner(asked)}:{asked.stage_name(stage)}"


def _step(asked: Asked, start: int, end: int) -> int | None:
    name = f"{asked.stage_name(start)}>{asked.stage_name(end)}"
    configured = asked.funnel.window_days.get(name)
    return configured if configured is not None else asked.opened.numbers.get(window_key(asked, start, end))


def has_window(asked: Asked, start: int, end: int) -> bool:
    """Whether every step of a transition has a configured or learned window."""
    return all(_step(asked, one, two) is not None for one, two in _steps(asked, start, end))


def window(asked: Asked, start: int, end: int) -> int:
    """Days a unit has from one stage to another: the windows of the steps between, added."""
    direct = asked.funnel.window_days.get(f"{asked.stage_name(start)}>{asked.stage_name(end)}")
    if direct is not None:
        return direct
    found = [_step(asked, one, two) for one, two in _steps(asked, start, end)]
    return sum(DEFAULT_WINDOW if days is None else days for days in found)


def _steps(asked: Asked, start: int, end: int) -> list[tuple[int, int]]:
    between = [number for number in asked.stages if start <= number <= end]
    return list(pairwise(between))


def stuck_seconds(asked: Asked, stage: int) -> int | None:
    """Age in seconds beyond which an open visit of a stage is stuck, or None if it is not known."""
    configured = asked.funnel.stuck_days.get(asked.stage_name(stage))
    if configured is not None:
        return configured * 86_400
    return asked.opened.numbers.get(stuck_key(asked, stage))
