"""Why a summary formula and the cohort rate differ: every unit that only one of them counts, by reason.

Denominator and numerator of the one turn into those of the other by adding and leaving out the units
named here; the sentence is made of these numbers.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import reduce
from typing import Any

import ibis
import ibis.expr.types as ir

from leadline.metrics import units
from leadline.metrics.grouping import Grouping
from leadline.metrics.query import Asked
from leadline.metrics.rates import flags
from leadline.metrics.rates.steps import Transition

ONLY_DENOMINATOR = ("too_young", "out_of_order", "untimed", "entered_outside")
ONLY_NUMERATOR = ("skipped", "too_young", "out_of_order", "untimed", "late", "entered_outside")
ONLY_COHORT = ("opened_outside", "beyond")
"""Reasons, the first that applies: see `_REASONS`."""


@dataclass(frozen=True, slots=True)
class Bridge:
    """One transition by both conventions, over all groups and periods of the question.

    Attributes:
        summary: units with the later and with the earlier flag: (numerator, denominator).
        cohort: the same of the cohort.
        entries: first entries of the days asked for: (into the later stage, into the earlier one).
        denominator, numerator: reason → units that only the summary formula counts.
        cohort_denominator, cohort_numerator: reason → units that only the cohort counts.
    """

    transition: Transition
    summary: tuple[int, int]
    cohort: tuple[int, int]
    entries: tuple[int, int]
    denominator: dict[str, int]
    numerator: dict[str, int]
    cohort_denominator: dict[str, int]
    cohort_numerator: dict[str, int]


def bridges(asked: Asked, group: Grouping, wanted: list[Transition], date_field: str) -> list[Bridge]:
    """Both conventions and what lies between them, in one question."""
    if not wanted:
        return []
    wide = asked.opened.keep(group.of(_wide(asked, wanted, date_field)))
    parts = [_cases(asked, wide, one, number) for number, one in enumerate(wanted)]
    cases = ibis.union(*parts)
    found = cases.group_by(*_CASE).aggregate(units=cases.count())
    counts = [dict.fromkeys(_KEYS, 0) for _ in wanted]
    for row in asked.opened.arrow(found).to_pylist():
        for name in _names(row):
            counts[row["step"]][name] += row["units"]
    return [_bridge(one, own) for one, own in zip(wanted, counts, strict=True)]


_PAIRS = ("summary_to", "summary_from", "cohort_to", "cohort_from", "entries_to", "entries_from")
_KEYS = (
    *_PAIRS,
    *(f"denominator {reason}" for reason in ONLY_DENOMINATOR),
    *(f"numerator {reason}" for reason in ONLY_NUMERATOR),
    *(f"cohort_denominator {reason}" for reason in ONLY_COHORT[:1]),
    *(f"cohort_numerator {reason}" for reason in ONLY_COHORT),
)


def _bridge(transition: Transition, found: dict[str, int]) -> Bridge:
    def part(name: str) -> dict[str, int]:
        return {key.partition(" ")[2]: count for key, count in found.items() if key.startswith(f"{name} ")}

    return Bridge(
        transition,
        (found["summary_to"], found["summary_from"]),
        (found["cohort_to"], found["cohort_from"]),
        (found["entries_to"], found["entries_from"]),
        part("denominator"),
        part("numerator"),
        part("cohort_denominator"),
        part("cohort_numerator"),
    )


def _wide(asked: Asked, wanted: list[Transition], date_field: str) -> ir.Table:
    """One row per unit: day of the chosen date; per stage s: reached at a known time (s and day), later entry, flag."""
    numbers = sorted({number for one in wanted for number in (one.start, one.end)})
    reached, shown = units.passed(asked), flags.flags(asked)
    per_stage = {}
    for number in numbers:
        here = reached.stage_no == number
        for column in ("entered_s", "entered_day", "later_s", "later_day"):
            per_stage[f"{column}_{number}"] = ibis.ifelse(here, reached[column], ibis.null("int64")).max()
    stages = reached.group_by("unit_id").aggregate(**per_stage)
    marked = shown.group_by("unit_id").aggregate(
        **{f"flag_{number}": (shown.stage_no == number).cast("int64").max() for number in numbers}
    )
    every = flags.dates(asked, date_field).select("unit_id", dated_day="day")
    parts = [stages.rename(_a_id="unit_id"), marked.rename(_b_id="unit_id")]
    joined = reduce(lambda left, right: left.left_join(right, [("unit_id", right.columns[0])]), parts, every)
    return joined.drop("_a_id", "_b_id")


def _within(asked: Asked, day: ir.IntegerValue) -> ir.BooleanValue:
    """Whether a day is asked for; without a range every unit is, with a day or without."""
    kept = ibis.literal(True)
    if asked.start_day is not None:
        kept = kept & (day >= asked.start_day).fill_null(False)
    if asked.end_day is not None:
        kept = kept & (day < asked.end_day).fill_null(False)
    return kept


_CASE = ("step", "state", "on_time", "went_on", "dated", "entered", "flag_from", "flag_to", "timed_to")
_NEVER, _BACKWARDS, _YOUNG, _OLD = "never", "backwards", "young", "old"


def _cases(asked: Asked, wide: ir.Table, one: Transition, step: int) -> ir.Table:
    """What each unit is to a transition, in the few columns that both conventions look at.

    state: no timed entry into the earlier stage, out of order, too young, or old enough; on_time and
    went_on: entered the later stage or beyond within the window, at all; dated and entered: chosen date
    and first entry lie in the days asked for; flags; timed_to: first entry into the later stage does.
    """
    start, end = one.start, one.end
    first_s, first_day = wide[f"entered_s_{start}"], wide[f"entered_day_{start}"]
    later_s, later_day = wide[f"later_s_{end}"], wide[f"later_day_{end}"]
    state = ibis.cases(
        (first_s.isnull(), _NEVER),
        ((later_s < first_s).fill_null(False), _BACKWARDS),
        (first_day + one.window >= asked.opened.as_of.day, _YOUNG),
        else_=_OLD,
    )
    return wide.select(
        step=ibis.literal(step, "int64"),
        state=state,
        on_time=((later_day - first_day) <= one.window).fill_null(False),
        went_on=later_day.notnull(),
        dated=_within(asked, wide.dated_day),
        entered=first_s.notnull() & _within(asked, first_day),
        flag_from=wide[f"flag_{start}"].fill_null(0) == 1,
        flag_to=wide[f"flag_{end}"].fill_null(0) == 1,
        timed_to=wide[f"entered_s_{end}"].notnull() & _within(asked, wide[f"entered_day_{end}"]),
    )


def _names(case: dict[str, Any]) -> Iterator[str]:
    """The numbers of a bridge that units of this case count in."""
    if case["timed_to"]:
        yield "entries_to"
    if case["entered"]:
        yield "entries_from"
    in_cohort = case["state"] == _OLD and case["entered"]
    yield from _side(case, "from", in_summary=case["dated"] and case["flag_from"], in_cohort=in_cohort)
    yield from _side(case, "to", in_summary=case["dated"] and case["flag_to"], in_cohort=in_cohort and case["on_time"])


def _side(case: dict[str, Any], side: str, *, in_summary: bool, in_cohort: bool) -> Iterator[str]:
    """Numerator ("to") or denominator ("from"): in which conventions, and if in one only, why."""
    name = "numerator" if side == "to" else "denominator"
    if in_summary:
        yield f"summary_{side}"
    if in_cohort:
        yield f"cohort_{side}"
    if in_summary and not in_cohort:
        yield f"{name} {_only_summary(case, side)}"
    if in_cohort and not in_summary:
        # Whoever entered the earlier stage at a known time has it on record.
        yield f"cohort_{name} {'beyond' if case['dated'] else 'opened_outside'}"


def _only_summary(case: dict[str, Any], side: str) -> str:
    if side == "to" and not case["flag_from"]:
        return "skipped"
    if case["state"] != _OLD:
        return {_NEVER: "untimed", _BACKWARDS: "out_of_order", _YOUNG: "too_young"}[case["state"]]
    if not case["entered"]:
        return "entered_outside"
    return "late" if case["went_on"] else "untimed"


_REASONS = {
    "denominator too_young": "{n} that had {start} less than {days} days ago",
    "denominator out_of_order": "{n} that were in {end} or beyond before {start}",
    "denominator untimed": "{n} whose {start} has no time",
    "denominator entered_outside": "{n} that entered {start} on other days than asked for",
    "numerator skipped": "{n} with {end} but no {start} on record",
    "numerator too_young": "{n} converted too early to be judged",
    "numerator out_of_order": "{n} that had {end} before {start}",
    "numerator untimed": "{n} without a time",
    "numerator late": "{n} later than {days} days",
    "numerator entered_outside": "{n} that entered {start} on other days",
    "cohort_denominator opened_outside": "{n} that entered {start} then but whose chosen date lies on other days",
    "cohort_numerator opened_outside": "{n} whose chosen date lies on other days",
    "cohort_numerator beyond": "{n} that went on without {end} on record",
}


def sentences(asked: Asked, group: Grouping, wanted: list[Transition], date_field: str) -> list[str]:
    """One sentence per transition: both rates, the period ratio, and the units between them by reason."""
    return [_sentence(asked, one) for one in bridges(asked, group, wanted, date_field)]


def _sentence(asked: Asked, bridge: Bridge) -> str:
    one = bridge.transition
    names = {"start": asked.stage_name(one.start), "end": asked.stage_name(one.end), "days": one.window}
    rates = (
        f"{names['start']} > {names['end']}: the summary formula shows {_rate(*bridge.summary)}, "
        f"the cohort {_rate(*bridge.cohort)}, the period ratio {_rate(*bridge.entries)}"
    )
    parts = []
    for lead, side in (
        ("the formula also divides by ", "denominator"),
        ("it also counts as converted ", "numerator"),
        ("only the cohort divides by ", "cohort_denominator"),
        ("only the cohort counts as converted ", "cohort_numerator"),
    ):
        counts: dict[str, int] = getattr(bridge, side)
        told = [
            _REASONS[f"{side} {reason}"].format(n=f"{count:,}", **names)
            for reason, count in sorted(counts.items(), key=lambda item: -item[1])
            if count
        ]
        if told:
            parts.append(lead + ", ".join(told))
    why = "; ".join(parts) if parts else "both rest on the same units"
    return f"{rates}, because {why}." if parts else f"{rates}; {why}."


def _rate(part: int, whole: int) -> str:
    return f"{part / whole:.1%} ({part:,} ÷ {whole:,})".replace("%", " %", 1) if whole else f"nothing ({part:,} ÷ 0)"
