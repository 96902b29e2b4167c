"""The factors between revenue and responses: how each is measured, and how one is set by hand."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import ibis.expr.types as ir
import numpy as np
import pyarrow.compute as pc

from leadline.dates import day_of
from leadline.errors import UnknownNameError, UsageError
from leadline.maths.intervals import Z95, wilson
from leadline.metrics import units
from leadline.metrics.conversion import conversion
from leadline.metrics.grouping import grouping
from leadline.metrics.query import Asked, Query, ask
from leadline.metrics.velocity import velocity
from leadline.results import Trust

YEAR_DAYS = 365
MONTHS = 12
FEWEST = 30
"""Units a factor must rest on to be used."""

_NUMBER = re.compile(r"\d+(\.\d+)?")


@dataclass(frozen=True, slots=True)
class Factor:
    """One factor.

    Attributes:
        name: as `--set` takes it.
        value: a share, ratio, number of days, or minor units; None if it is not known.
        low, high: its 95 % interval.
        n: units it rests on.
        source: where it comes from, in words.
        reason: why it is not known.
    """

    name: str
    value: float | None
    low: float | None = None
    high: float | None = None
    n: int | None = None
    source: str = ""
    reason: str = ""
    of_money: bool = False


@dataclass(frozen=True, slots=True)
class Measured:
    """Factors by name, and the trust of the results they were taken from."""

    by_name: dict[str, Factor]
    trusts: tuple[Trust, ...]


def enough(factor: Factor, n: int) -> Factor:
    """The factor, or without its value if it rests on fewer than 30 units."""
    if n >= FEWEST:
        return factor
    told = f"{factor.name} rests on {n}, fewer than {FEWEST}" if n else f"nothing shows {factor.name}"
    return replace(factor, value=None, low=None, high=None, n=n, source="", reason=f"{told}; give it with --set")


class Factors:
    """Measures the factors of a chain of stages, the won one first."""

    def __init__(self, asked: Asked, chain: Sequence[int]) -> None:
        self._asked = asked
        self._chain = list(chain)
        self._trusts: list[Trust] = []
        self._kept: ir.Table | None = None
        self._first_day = asked.opened.as_of.day - YEAR_DAYS + 1
        self._year = f"{day_of(self._first_day)} to {day_of(asked.opened.as_of.day)}"

    def measured(self) -> Measured:
        """Every factor of the chain."""
        found = [self._deal_size(), *self._rates(), *self._throughs(), *self._days()]
        if self._asked.unit == "journeys":
            found += self._ratios(found[0].n or 0)
        return Measured({factor.name: factor for factor in found}, tuple(self._trusts))

    def _query(self, unit: str, *, year: bool = True, grain: str | None = None) -> Query:
        start = day_of(self._first_day) if year else None
        return Query(where=self._asked.query.where, unit=unit, funnel=self._asked.funnel_name, start=start, grain=grain)

    def _pairs(self) -> list[tuple[int, int]]:
        """(earlier, later), in the order of the funnel."""
        return list(pairwise(reversed(self._chain)))

    def _pair_name(self, earlier: int, later: int) -> str:
        return f"{self._asked.stage_name(earlier)}>{self._asked.stage_name(later)}"

    def _entries(self, asked: Asked) -> ir.Table:
        """Timed first visits of the units asked for."""
        reached = units.stages(asked)
        return grouping(asked).of(
            reached.filter(reached.known == "observed").select("unit_id", "stage_no", "entered_s", "entered_day")
        )

    def _deal_size(self) -> Factor:
        """Mean amount of the deals won in the year; the interval by the normal approximation."""
        opened = self._asked.opened
        entries = self._entries(ask(opened, self._query("opportunities")))
        won = entries.filter((entries.stage_no == self._chain[0]) & (entries.entered_day >= self._first_day))
        column = opened.arrow(won.select("amount"))["amount"]
        amounts = pc.drop_null(column).to_numpy().astype(np.float64)
        n = len(amounts)
        mean = float(amounts.mean()) if n else 0.0
        half = Z95 * float(amounts.std(ddof=1)) / math.sqrt(n) if n > 1 else 0.0
        source = f"mean of {n:,} deals won {self._year}"
        factor = Factor("deal_size", mean, mean - half, mean + half, n, source, of_money=True)
        return enough(factor, n if mean > 0 else 0)

    def _rates(self) -> list[Factor]:
        """Cohort rates of the newest months in which units are old enough."""
        result = conversion(self._asked.opened, self._query(self._asked.unit, year=False, grain="month"))
        self._trusts.append(result.trust)
        rows = [row for row in result.table.to_pylist() if row["period"] is not None and row["started"]]
        return [self._rate(self._pair_name(*pair), pair, rows) for pair in self._pairs()]

    def _rate(self, name: str, pair: tuple[int, int], rows: list[dict]) -> Factor:
        stages = tuple(map(self._asked.stage_name, pair))
        own = sorted(
            (row for row in rows if (row["from_stage"], row["to_stage"]) == stages), key=lambda row: row["period"]
        )[-MONTHS:]
        started, converted = sum(row["started"] for row in own), sum(row["converted"] for row in own)
        if not converted:
            return enough(Factor(name, None), 0 if not started else min(started, FEWEST - 1))
        low, high = wilson([converted], [started])
        months = f"{own[0]['period']} to {own[-1]['period']}"
        source = f"{converted:,} of {started:,} within {own[0]['window_days']} days, {months}"
        return enough(Factor(name, converted / started, float(low[0]), float(high[0]), started, source), started)

    def _journeys(self) -> ir.Table:
        """The entries of the units of the chain, asked for once."""
        if self._kept is None:
            self._kept = self._asked.opened.keep(self._entries(self._asked))
        return self._kept

    def _throughs(self) -> list[Factor]:
        """Of the units that entered a stage in the year, the share that had entered the one before by then."""
        return [self._through(self._journeys(), *pair) for pair in self._pairs()]

    def _through(self, entries: ir.Table, earlier: int, later: int) -> Factor:
        name = f"through:{self._pair_name(earlier, later)}"
        came = entries.filter((entries.stage_no == later) & (entries.entered_day >= self._first_day))
        before = entries.filter(entries.stage_no == earlier).select(before_id="unit_id", before_s="entered_s")
        joined = came.left_join(before, [came.unit_id == before.before_id])
        counted = joined.aggregate(
            n=joined.count(), through=(joined.before_s <= joined.entered_s).fill_null(False).cast("int64").sum()
        )
        row = self._asked.opened.arrow(counted).to_pylist()[0]
        share = row["through"] / row["n"] if row["n"] else None
        return enough(Factor(name, share, n=row["n"]), row["n"])

    def _days(self) -> list[Factor]:
        """Median days from a stage to the next of those that go on."""
        result = velocity(self._asked.opened, self._query(self._asked.unit))
        self._trusts.append(result.trust)
        rows = {row["stage"]: row for row in result.table.to_pylist()}
        found = []
        for earlier, later in self._pairs():
            row = rows.get(self._asked.stage_name(earlier), {"n": 0, "advance_median_days": None})
            days = row["advance_median_days"]
            factor = Factor(f"days:{self._pair_name(earlier, later)}", days, n=row["n"])
            found.append(enough(factor, 0 if days is None else row["n"]))
        return found

    def _ratios(self, deals: int) -> list[Factor]:
        """Journeys won per deal won, responses per journey that began with one, both in the year."""
        asked, entries = self._asked, self._journeys()
        since = entries.filter(entries.entered_day >= self._first_day)
        counted = asked.opened.arrow(since.group_by("stage_no").aggregate(count=since.count())).to_pylist()
        came = {row["stage_no"]: row["count"] for row in counted}
        responses = self._entries(ask(asked.opened, self._query("responses")))
        own = responses.filter((responses.stage_no == self._chain[-1]) & (responses.entered_day >= self._first_day))
        answered = asked.opened.arrow(own.aggregate(count=own.count())).to_pylist()[0]["count"]
        first = asked.stage_name(self._chain[-1])
        return [
            self._ratio("journeys_per_deal", came.get(self._chain[0], 0), deals, "journeys won", "deals won"),
            self._ratio(
                "responses_per_journey", answered, came.get(self._chain[-1], 0), "responses", f"journeys in {first}"
            ),
        ]

    def _ratio(self, name: str, part: int, whole: int, parts: str, wholes: str) -> Factor:
        value = part / whole if whole else None
        source = f"{part:,} {parts} per {whole:,} {wholes}, {self._year}"
        return enough(Factor(name, value, n=whole, source=source), whole if part else 0)


def with_set(measured: Measured, written: Sequence[str], digits: int) -> Measured:
    """The factors with some replaced by hand.

    Args:
        measured: all factors.
        written: `NAME=VALUE`; shares above 0 and at most 1, days of 0 or more, all else above 0.
        digits: decimal places of the currency, for the deal size.

    Raises:
        UsageError: no `=`, a value that is no number, or one that cannot be.
        UnknownNameError: no such factor.
    """
    factors = dict(measured.by_name)
    folded = {name.casefold(): name for name in factors}
    seen: set[str] = set()
    for text in written:
        name, sign, value = (part.strip() for part in text.partition("="))
        if not sign or not _NUMBER.fullmatch(value):
            raise UsageError(
                f"--set {text!r} sets nothing; write NAME=VALUE with a point before decimals, e.g. deal_size=20000."
            )
        if name.casefold() not in folded:
            raise UnknownNameError("factor", name, factors)
        key = folded[name.casefold()]
        if key in seen:
            raise UsageError(f"--set gives {key!r} twice; give each factor one value.")
        seen.add(key)
        factors[key] = _given(factors[key], float(value), digits)
    return replace(measured, by_name=factors)


def _given(factor: Factor, value: float, digits: int) -> Factor:
    name = factor.name
    is_share = ">" in name and not name.startswith("days:")
    if (value == 0 and not name.startswith("days:")) or (is_share and value > 1):
        allowed = "a share above 0 and at most 1" if is_share else "a number above 0"
        raise UsageError(f"--set {name}={value:g} cannot be: {name} is {allowed}.")
    return Factor(
        name, value * 10**digits if factor.of_money else value, source=f"{name} set", of_money=factor.of_money
    )
