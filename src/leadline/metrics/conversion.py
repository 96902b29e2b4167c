"""Conversion: what share of the units that reached a stage goes on to the next one.

Cohort convention: each unit that reached A falls into one class (implied, out of order, too young,
started); the rate is started units that entered B or later within N days, over started units. The
other conventions keep the shape of the table and change who counts (`ANSWERS`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import ibis
import ibis.expr.types as ir

from leadline.dates import day_of
from leadline.errors import UnknownNameError, UsageError
from leadline.metrics import periods, rollup, units
from leadline.metrics.assemble import Assembly
from leadline.metrics.grouping import Grouping, grouping
from leadline.metrics.query import Asked, Query, ask
from leadline.metrics.rates import cells, eventual, firsts, orders, steps
from leadline.metrics.rates.cells import NO_RATE, SMALL, Cell, Key
from leadline.metrics.rates.steps import CLASSES, Transition, transitions
from leadline.metrics.times import numbers
from leadline.model.opened import Opened
from leadline.results import Column, Result

__all__ = ["ANSWERS", "CLASSES", "COLUMNS", "CONVENTIONS", "SMALL", "Transition", "conversion", "transitions"]

TEXT = {
    "cohort": "Share of the units that reached a stage and entered the next one or a later one within the window, "
    "of all units that reached it long enough ago; younger ones stand apart",
    "eventual": "Probability that a unit that reached a stage comes to the next one or a later one by as-of, the end "
    "of its journey competing (Aalen–Johansen); units still waiting are in it as censored",
    "period": "Entries into the later stage divided by entries into the earlier one in the same period "
    "(different units, so it can exceed 100 %)",
    "touched": "Share of the units that ever reached a stage and ever reached the next one, with or without a known "
    "time and however young",
    "in-order": "Cohort share of the units that entered the next stage within the window, with every stage on the way "
    "entered in its turn and none skipped but optional ones",
}

COLUMNS = (
    Column("period", "text", help="Period of the first entry into the earlier stage"),
    Column("from_stage", "text", help="The earlier stage"),
    Column("to_stage", "text", help="The later stage"),
    Column("convention", "text", help="Which rate it is: " + ", ".join(TEXT)),
    Column("window_days", "integer", "days", "Days a unit has to go on"),
    Column("started", "integer", help="Denominator: units old enough, with a known time"),
    Column("converted", "integer", help="Numerator: of these, entered the later stage or beyond within the window"),
    Column("too_young", "integer", help="Units whose window has not passed yet; in no rate"),
    Column("implied", "integer", help="Units seen only beyond the earlier stage; in no rate"),
    Column("out_of_order", "integer", help="Units that were in the later stage first; in no rate"),
    Column("undated", "integer", help="Units without any time; in no rate and no period"),
    Column("rate", "rate", help="Converted divided by started; eventual: the estimated probability"),
    Column("rate_low", "rate", help="Lower end of the 95 % interval (Wilson; eventual: log-log)"),
    Column("rate_high", "rate", help="Upper end of the 95 % interval"),
    Column("rate_of_first", "rate", help="Share of the units of the first stage that came this far in time"),
    Column("period_ratio", "rate", help="Entries into the later stage per entry into the earlier one, same period"),
    Column("small", "boolean", help=f"Fewer than {SMALL} units started"),
    Column("waiting", "integer", help="Of the started, neither converted nor gone by as-of (eventual only)"),
    Column("mature_on", "date", help="First day on which the window of the youngest unit has passed"),
    Column("immature", "boolean", help="That day has not come by as-of: the rate will still move"),
)

LIST_EXTRA = (
    Column("to_stage", "text", help="The later stage"),
    Column("in_numerator", "boolean", help="Counts in the numerator"),
)

Marks = Callable[[Asked, Sequence[Transition]], ir.Table]
"""Units of transitions with class, converted, reached_s, day and period_day."""


@dataclass(frozen=True, slots=True)
class Posed:
    """A question about conversion, made definite: what every convention is handed."""

    asked: Asked
    convention: str
    wanted: list[Transition]
    group: Grouping

    def assembly(self) -> Assembly:
        """What makes the result."""
        unit = self.asked.unit
        text = f"{TEXT[self.convention]}. Unit: {unit}."
        return Assembly(self.asked, "conversion", f"Conversion of {unit}", text)


def conversion(
    opened: Opened,
    query: Query,
    *,
    convention: str = "cohort",
    window_days: int | None = None,
    from_stage: str | None = None,
    to_stage: str | None = None,
) -> Result:
    """Conversion per transition; rows as the public contract lists them.

    Args:
        convention: one of `CONVENTIONS`.
        window_days: N for every transition; default: learned per transition, else 90.
        from_stage, to_stage: one transition; default: each stage to the next.

    Raises:
        UnknownNameError: convention, stage, unit, funnel or dimension that does not exist.
        UsageError: a transition backwards, a window below 0 or for a convention that has none.
    """
    if convention not in ANSWERS:
        raise UnknownNameError("convention", convention, CONVENTIONS)
    if window_days is not None and convention in ENDLESS:
        raise UsageError(f"--convention {convention} has no window; leave out --window-days, or ask for cohort.")
    asked = ask(opened, query, numbered=True)
    wanted = transitions(asked, window_days, from_stage, to_stage)
    return ANSWERS[convention](Posed(asked, convention, wanted, grouping(asked)))


def cohort(asked: Asked, wanted: Sequence[Transition]) -> ir.Table:
    """Every unit of every transition with its class, its period and whether it converted in time."""
    return steps.classified(asked, steps.paired(asked, wanted))


Came = Callable[[Asked, Sequence[Transition], ir.Table], dict[Key, float]]
"""Share of the first stage per (dimensions, period_day, stage), for the stages beyond the second."""


def _counted(made: Marks, further: Came, posed: Posed) -> Result:
    """A rate of counts: converted ÷ started of the marks a convention makes."""
    asked = posed.asked
    question = posed.group.of(made(asked, posed.wanted))
    marks = asked.opened.keep(question)
    found = cells.counted(asked, marks)
    for cell in found.values():
        cell |= cells.rated(cell["converted"], cell["started"])
    return _result(posed, question, marks, found, further(asked, posed.wanted, marks))


def _in_order_further(asked: Asked, wanted: Sequence[Transition], marks: ir.Table) -> dict[Key, float]:
    further = firsts.beyond(wanted)
    return firsts.cohort(asked, wanted, marks, orders.broken(asked, further)) if further else {}


def _eventual(posed: Posed) -> Result:
    """The Aalen–Johansen estimate in place of a quotient."""
    asked = posed.asked
    question = posed.group.of(eventual.marked(asked, posed.wanted))
    marks = asked.opened.keep(question)
    found = cells.counted(asked, marks)
    shares = eventual.estimates(asked, marks)
    for key, cell in found.items():
        one = shares.get(key)
        cell |= {"rate": one.share, "rate_low": one.low, "rate_high": one.high} if one else NO_RATE
        cell["waiting"] = one.waiting if one else 0
    return _result(posed, question, marks, found, eventual.shares_of_first(asked, posed.wanted, marks))


ANSWERS: dict[str, Callable[[Posed], Result]] = {
    "cohort": partial(_counted, cohort, firsts.cohort),
    "eventual": _eventual,
    "period": partial(_counted, cohort, firsts.cohort),
    "touched": partial(_counted, orders.touched, firsts.touched),
    "in-order": partial(_counted, orders.in_order, _in_order_further),
}
"""Convention → what answers it. A convention of another shape takes its place here with its own function."""

CONVENTIONS = tuple(ANSWERS)

WINDOWED = ("cohort", "in-order")
"""Conventions with a window, whose young units stand apart until it has passed."""

ENDLESS = ("eventual", "touched")
"""Conventions that wait without limit."""


def _result(
    posed: Posed, question: ir.Table, marks: ir.Table, found: dict[Key, Cell], came: dict[Key, float]
) -> Result:
    asked, made = posed.asked, posed.assembly()
    entries = _entries(posed, marks)
    first = {(one.start, one.end) for one in posed.wanted[:1]}
    came |= {(*key[:-2], key[-1]): cell["rate"] for key, cell in found.items() if key[-2:] in first}
    keys = cells.ordered(list(found))
    rows = [_row(posed, key, found[key], came, entries) for key in keys]
    own = [row for key, row in zip(keys, rows, strict=True) if not rollup.is_rolled_up(asked.by, key)]
    return made.result(
        COLUMNS,
        rows,
        totals=() if asked.query.touched else _totals(posed, own),
        query=question,
        units=marks,
        records=lambda: denominators(made, posed.group, marks),
        notes=_notes(posed, own),
    )


def _row(posed: Posed, key: Key, cell: Cell, came: dict[Key, float], entries: dict[Key, int]) -> Cell:
    asked = posed.asked
    *place, start, end = key
    window = next(one.window for one in posed.wanted if (one.start, one.end) == (start, end))
    of_period = cells.ratio(entries.get((*place, end), 0), entries.get((*place, start), 0))
    windowed = posed.convention in WINDOWED
    mature = cells.mature_day(asked, place[-1], cell["youngest"], window) if windowed else None
    return {
        **cells.named(asked, key),
        "convention": posed.convention,
        "window_days": None if posed.convention in ENDLESS else window,
        **{name: cell[name] for name in (*CLASSES, "converted", *NO_RATE)},
        **({**NO_RATE, "rate": of_period} if posed.convention == "period" else {}),
        "rate_of_first": came.get((*place, end)),
        "period_ratio": of_period,
        "small": cell["started"] < SMALL,
        "waiting": cell.get("waiting"),
        "mature_on": None if mature is None else day_of(mature),
        "immature": None if mature is None else mature > asked.opened.as_of.day,
    }


def _entries(posed: Posed, marks: ir.Table) -> dict[Key, int]:
    """First timed entries per period and stage: what the period ratio divides.

    Those into the earlier stages are marks with a time; only the last stages have to be looked up.
    """
    asked = posed.asked
    chosen = {one.start: one.end for one in posed.wanted}
    firsts_only = ibis.or_(*[(marks.from_no == start) & (marks.to_no == end) for start, end in chosen.items()])
    timed = marks.filter(firsts_only & marks.reached_s.notnull()).rename(stage_no="from_no")
    reached = units.stages(asked)
    others = [one.end for one in posed.wanted if one.end not in chosen]
    last = reached.filter(reached.stage_no.isin(others) & (reached.known == "observed"))
    placed = periods.with_period(asked, periods.within(asked, last, "entered_day"), "entered_day")
    keys = [*asked.by, "period_day", "stage_no"]
    found: dict[Key, Cell] = {}
    for entries in (timed, posed.group.of(placed.select("unit_id", "stage_no", "period_day"))):
        rows = asked.opened.arrow(entries.group_by(*keys).aggregate(entries=entries.count())).to_pylist()
        found |= {tuple(row[key] for key in keys): {"entries": row["entries"]} for row in rows}
    rollup.rolled_up(asked.by, found)
    return {key: cell["entries"] for key, cell in found.items()}


def _totals(posed: Posed, rows: list[dict]) -> tuple[dict, ...]:
    sums: dict[tuple, dict] = {}
    for row in rows:
        key = (row["period"], row["from_stage"], row["to_stage"])
        total = sums.setdefault(key, {"period": key[0], "from_stage": key[1], "to_stage": key[2]})
        for name in (*CLASSES, "converted"):
            total[name] = total.get(name, 0) + row[name]
    for total in sums.values():
        # An estimate with censored units is no quotient of sums: of all together it is asked without --by.
        rated = posed.convention != "eventual"
        total["rate"] = cells.ratio(total["converted"], total["started"]) if rated else None
    return tuple(sums.values())


def denominators(made: Assembly, group: Grouping, marks: ir.Table) -> Result:
    """The units of the denominator, each with whether it converted."""
    started = marks.filter(marks["class"] == "started")
    listed = started.mutate(
        stage_no=started.from_no,
        evidence=started["class"],
        at_s=started.reached_s,
        to_stage=ibis.cases(
            *[(started.to_no == number, made.asked.stage_name(number)) for number in made.asked.stages]
        ),
        in_numerator=started.converted,
    )
    return made.list_of(group, listed, "conversion", extra=LIST_EXTRA)


def _notes(posed: Posed, rows: list[dict]) -> list[str]:
    asked, notes = posed.asked, []
    if not posed.wanted:
        (only,) = asked.stages
        notes.append(
            f"{asked.stage_name(only)} is the only stage of {asked.funnel_name}, so nothing goes from stage to stage. "
            "Map more stages in leadline.toml; `leadline init --propose` shows what the data offers."
        )
    windowed = posed.convention in (*WINDOWED, "period")
    default = [one for one in posed.wanted if windowed and not numbers.has_window(asked, one.start, one.end)]
    if default:
        names = ", ".join(f"{asked.stage_name(one.start)} > {asked.stage_name(one.end)}" for one in default)
        notes.append(f"Too few old units to learn a window for {names}: {numbers.DEFAULT_WINDOW} days per step.")
    undated = sum(row["undated"] for row in rows)
    if undated:
        notes.append(f"{undated} cases have no time at all and stand in no period.")
    young = [row for row in rows if row["immature"]]
    if young and asked.query.grain is not None:
        labels = list(dict.fromkeys(str(row["period"]) for row in young))
        notes.append(f"Still immature, their rates will move: {', '.join(labels)}.")
    if rollup.PATH in asked.by:
        notes.append(f"Rows that end in{rollup.ALL_BELOW} hold a campaign with all below it; they are in no total.")
    return notes
