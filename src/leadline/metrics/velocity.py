"""Velocity: how long units stand in each stage, open ones included, and where they wait.

Kaplan–Meier for leaving a stage by any exit, Aalen–Johansen for moving up; both on counts per
distinct length that the engine delivers.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from leadline.errors import UnknownNameError, UsageError
from leadline.metrics.assemble import Assembly
from leadline.metrics.grouping import grouping
from leadline.metrics.query import NO_PERIOD, Asked, Query, ask
from leadline.metrics.times import bottleneck, detours, distribution, overstay, slow, standing, stuck, waiting
from leadline.metrics.times.figures import HORIZON, NEEDED, Figures, agreed, figures, is_thin
from leadline.metrics.times.lengths import NOTHING, Lengths, counted
from leadline.metrics.times.measures import MEASURES, OF_STANDING, TEXTS, Times, excluded, measure_times
from leadline.metrics.times.spans import day_count
from leadline.model.opened import Opened
from leadline.results import Column, Result

COLUMNS = (
    Column("period", "text", help="Period of the first entry into the stage"),
    Column("stage", "text", help="Stage of the funnel; where the clock starts"),
    Column("to_stage", "text", help="Where it stops, for measures between two points"),
    Column("measure", "text", help="sum, first, elapsed, cycle or first-response"),
    Column("n", "integer", help="Units with a known time"),
    Column("open", "integer", help="Of these, still waiting (censored)"),
    Column("excluded", "integer", help="Units left out: the stage is only implied, or the time is negative"),
    Column("median_days", "number", "days", "Half have left by then; absent: not reached"),
    Column("median_low", "number", "days", "Lower end of its 95 % interval"),
    Column("median_high", "number", "days", "Upper end of its 95 % interval"),
    Column("p75_days", "number", "days", "Three quarters have left by then"),
    Column("p90_days", "number", "days", "Nine in ten have left by then"),
    Column("advance_share", "rate", help="Share that moves up in the end, other exits competing"),
    Column("advance_median_days", "number", "days", "Half of those that move up have done so by then"),
    Column("waiting_share", "rate", help="Part of all days stood in waiting stages in the period"),
    Column("stuck", "integer", help="Open visits older than nine in ten of those that moved up"),
    Column("sla_share", "rate", help="Share that left within the agreed time, of those of which it is known"),
    Column("p75_low", "number", "days", "Lower end of the 95 % interval of p75_days"),
    Column("p75_high", "number", "days", "Upper end of it"),
    Column("p90_low", "number", "days", "Lower end of the 95 % interval of p90_days"),
    Column("p90_high", "number", "days", "Upper end of it"),
    Column("advance_low", "rate", help="Lower end of the 95 % interval of advance_share"),
    Column("advance_high", "rate", help="Upper end of it"),
    Column(
        "restricted_mean_days",
        "number",
        "days",
        f"Mean of the days up to {HORIZON}, whoever took longer counts {HORIZON}",
    ),
    Column("horizon_days", "integer", "days", "Up to which day that mean counts"),
    Column("sla_days", "integer", "days", "The agreed time"),
    Column("sla_known", "integer", help="Units of which it is known whether they kept it"),
    Column("sla_too_young", "integer", help="Units still waiting within it"),
    Column("thin", "boolean", help=f"Fewer than {NEEDED} units, or none that has left: nothing is estimated"),
)

SHOWN = ("times", "distribution", "bottleneck", "slow", "detours")


def velocity(
    opened: Opened,
    query: Query,
    *,
    measure: str = "sum",
    days: str = "calendar",
    show: str = "times",
    stuck: bool = False,
    from_stage: str | None = None,
    to_stage: str | None = None,
) -> Result:
    """Time in each stage; rows as the public contract lists them.

    Args:
        measure: sum (all visits of a unit in a stage together), first (the first visit), elapsed (first
            entry to first entry of a later stage), cycle (start to close), first-response (entry to the
            first completed task or event).
        days: calendar, or working days of the workspace's calendar.
        show: times (the table), distribution (the curves), bottleneck, slow (transitions by segment
            against the rest), detours (regressions, re-entries, skips, reopened deals).
        stuck: the list of stuck records in place of the table; with dimensions their comparison with
            the rest.
        from_stage, to_stage: only stages between these two, both included; of elapsed the stages
            between which time is taken; of first-response the stage the clock starts in.

    Raises:
        UnknownNameError: measure, stage, unit, funnel or dimension that does not exist.
        UsageError: a unit that does not stand in stages, or options that exclude each other.
        SnapshotError: first responses of a snapshot without activities.
    """
    for what, given, known in (("measure", measure, MEASURES), ("view of velocity", show, SHOWN)):
        if given not in known:
            raise UnknownNameError(what, given, known)
    if stuck and show != "times":
        raise UsageError(f"Stuck records and {show} are two questions; ask them one by one.")
    asked = ask(opened, query, numbered=True)
    standing.require_standing(asked)
    if stuck:
        kind = "velocity-stuck-segments" if asked.by else "velocity-stuck"
        return replace(_stuck(asked, from_stage, to_stage), kind=kind)
    others: dict[str, Callable[[], Result]] = {
        "bottleneck": lambda: bottleneck.bottleneck(asked, day_count(asked, days)),
        "slow": lambda: slow.slow(asked, from_stage, to_stage),
        "detours": lambda: detours.detours(asked),
    }
    if show in others:
        return replace(others[show](), kind=f"velocity-{show}")
    times = measure_times(asked, measure, day_count(asked, days), from_stage, to_stage)
    if show == "distribution":
        return replace(distribution.distribution(times), kind="velocity-distribution")
    return _Table(times).result()


def _stuck(asked: Asked, start: str | None, end: str | None) -> Result:
    if asked.by:
        return overstay.compared(asked, start, end)
    made = Assembly(asked, "velocity", f"Stuck {asked.unit}", stuck.text(asked))
    visits = asked.opened.keep(standing.measured(asked))
    own = visits.filter(visits.stage_no.isin(stuck.between(asked, start, end)))
    return stuck.listed(asked, made, own, grouping(asked))


class _Table:
    """The table of one measure, made of parts that share a key (dimensions, period, stage)."""

    def __init__(self, times: Times) -> None:
        self.times = times
        self.asked = times.asked
        self.cells = counted(self.asked, times.marks, [*self.asked.by, "period_day", "stage_no"])
        self.excluded = excluded(times)
        self.waiting: dict[tuple, float] = {}
        self.stuck: dict[tuple, int] = {}
        self.limits: dict[int, int] = {}
        if times.measure in OF_STANDING:
            self._standing()

    def _standing(self) -> None:
        """What rests on visits rather than on the measure: waiting shares, stuck units."""
        times = self.times
        self.waiting = waiting.shares(waiting.stood(self.asked, times.visits, times.group, times.count))
        self.stuck = stuck.counts(self.asked, times.calendar_visits, times.group)
        self.limits = stuck.limits(self.asked)

    def result(self) -> Result:
        """Rows, list, notes."""
        asked, times = self.asked, self.times
        # A stage can be stood in, skipped or stuck in where nobody entered it.
        parts = (self.cells, self.excluded, self.waiting, self.stuck)
        found = {key for part in parts for key in part if key[-1] in times.stages}
        made = Assembly(asked, "velocity", f"Velocity of {asked.unit}", f"{TEXTS[times.measure]} Unit: {asked.unit}.")
        marks = times.marks
        cells = {key: (self.cells.get(key, NOTHING), agreed(asked, times.measure, key[-1])) for key in found}
        estimated = figures(cells)
        return made.result(
            COLUMNS,
            [self._row(key, estimated[key]) for key in sorted(found, key=_sortable)],
            query=times.question,
            units=marks,
            records=lambda: times.records(made),
            notes=self._notes(),
        )

    def _row(self, key: tuple, estimated: Figures) -> dict:
        asked, times = self.asked, self.times
        *dims, period_day, stage_no = key
        cell = self.cells.get(key, NOTHING)
        return {
            **dict(zip(asked.by, dims, strict=True)),
            "period": asked.period_label(None if period_day == NO_PERIOD else period_day),
            "stage": asked.stage_name(stage_no),
            "to_stage": times.goals.get(stage_no),
            "measure": times.measure,
            "excluded": self.excluded.get(key, 0) + cell.negative,
            **estimated,
            "waiting_share": self.waiting.get(key),
            "stuck": self.stuck.get(key, 0) if stage_no in self.limits else None,
        }

    def _notes(self) -> list[str]:
        notes = [*self.times.notes, *thin_notes(self.asked, self.cells)]
        implied = self._mostly_implied()
        if implied:
            notes.append(
                f"Most {self.asked.unit} have no time of their own in {', '.join(implied)}: the figures show a minority."
            )
        return notes + (stuck.notes(self.asked) if self.times.measure in OF_STANDING else [])

    def _mostly_implied(self) -> list[str]:
        timed, left_out = dict.fromkeys(self.times.stages, 0), dict.fromkeys(self.times.stages, 0)
        for key, cell in self.cells.items():
            timed[key[-1]] += cell.units
        for key, units in self.excluded.items():
            if key[-1] in left_out:
                left_out[key[-1]] += units
        return [self.asked.stage_name(stage) for stage in self.times.stages if left_out[stage] > timed[stage]]


def thin_notes(asked: Asked, cells: dict[tuple, Lengths]) -> list[str]:
    """Which rows hold too little to estimate from."""
    few = sum(0 < cell.units < NEEDED for cell in cells.values())
    waiting_still = [key for key, cell in cells.items() if cell.units >= NEEDED and is_thin(cell)]
    notes = []
    if few:
        notes.append(
            f"{few} of {len(cells)} rows have fewer than {NEEDED} {asked.unit}: they are counted, not estimated."
        )
    if waiting_still:
        stages = ", ".join(sorted({asked.stage_name(key[-1]) for key in waiting_still}))
        notes.append(
            f"Nobody has left yet in {len(waiting_still)} of {len(cells)} rows ({stages}): no time can be said."
        )
    return notes


def _sortable(key: tuple) -> tuple:
    *dims, period_day, stage_no = key
    return (*[(value is None, value or "") for value in dims], period_day, stage_no)
