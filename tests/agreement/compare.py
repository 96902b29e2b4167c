"""What differs between two answers, in few words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

SHOWN = 5
"""Differences a message holds; the rest are only counted."""


def differences(what: str, expected: Mapping[Any, Any], found: Mapping[Any, Any]) -> list[str]:
    """Keys that only one side has, and values that differ; `expected` is the oracle's side."""
    lines = [f"{what} {key}: only the oracle has it: {expected[key]}" for key in expected if key not in found]
    lines += [f"{what} {key}: only the engine has it: {found[key]}" for key in found if key not in expected]
    for key in expected:
        if key in found and expected[key] != found[key]:
            lines += [f"{what} {key}{text}" for text in _inside(expected[key], found[key])]
    return sorted(lines)


def _inside(expected: Any, found: Any) -> Iterator[str]:
    """The fields that differ of two records, or the two values."""
    if isinstance(expected, dict) and isinstance(found, dict):
        for name in [*expected, *(name for name in found if name not in expected)]:
            if expected.get(name) != found.get(name):
                yield f".{name}: oracle {expected.get(name)!r}, engine {found.get(name)!r}"
    else:
        yield f": oracle {expected!r}, engine {found!r}"


def assert_same(seed: int, lines: list[str]) -> None:
    """Fails with the first differences and how to see the case."""
    rest = f"\n… and {len(lines) - SHOWN} more" if len(lines) > SHOWN else ""
    shown = "\n".join(lines[:SHOWN])
    assert not lines, f"batch {seed} (python -m tests.agreement.show {seed} [ID]):\n{shown}{rest}"
