"""Lift: whether those who responded to a campaign went on more often than comparable others. Association, not proof.

Both sides are journeys of one month of entry and one segment that were still without the stage on
the landmark, some days after their start: who responded by then is compared with who did not, by
what came after. Comparing ever-responders with never-responders would reward waiting long enough
to respond (Anderson, Cain & Gelber 1983).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import ibis
import ibis.expr.types as ir
import numpy as np

from leadline import credit_models
from leadline.credit_models import Model
from leadline.errors import UnknownNameError, UsageError
from leadline.maths.intervals import benjamini_hochberg
from leadline.maths.strata import mantel_haenszel
from leadline.metrics import dimensions, periods, units
from leadline.metrics.assemble import Assembly
from leadline.metrics.credit import lift_columns
from leadline.metrics.credit.placing import is_of_campaign
from leadline.metrics.credit.returned import Returned
from leadline.metrics.listing import listed
from leadline.metrics.query import Asked, Query, ask
from leadline.metrics.rates.cells import SMALL
from leadline.model.funnels import opportunity_stages
from leadline.model.opened import Opened
from leadline.model.responses import COUNTED_FATES
from leadline.results import Result


def lift(
    opened: Opened,
    query: Query,
    *,
    match: Sequence[str] | None = None,
    to_stage: str | None = None,
    landmark_days: int = lift_columns.LANDMARK_DAYS,
    window_days: int = lift_columns.WINDOW_DAYS,
    model: str | None = None,
    known: Mapping[str, Model] | None = None,
) -> Result:
    """Conversion of responders against comparable others, per campaign, beside its sourced credit.

    Args:
        query: its days are those of the start of journeys; filters choose journeys.
        match: dimensions of journeys that both sides share, or `none` for the month alone; default: lead_source.
        to_stage: the stage to be entered; default: the first one of opportunities.
        landmark_days: days after the start by which a response counts.
        window_days: days after the landmark within which the stage is to be entered.
        model: of the credit beside it; default: the first of the settings.
        known: the models there are; default: those that Leadline ships.

    Raises:
        UnknownNameError: a dimension, stage or model that does not exist.
        UsageError: a funnel without people, another unit, periods, or campaigns among what is matched.
    """
    if query.unit not in (None, "journeys") or query.grain is not None or query.touched:
        raise UsageError("Lift compares journeys over all days asked for; leave out --unit, --grain and --touched.")
    if query.by:
        raise UsageError("Lift has a row per campaign; name what both sides share by --match in place of --by.")
    asked = ask(opened, replace(query, unit="journeys"))
    if match is not None and not match:
        raise UsageError(
            f"Name what both sides share, or {lift_columns.MONTH_ALONE!r} for the month of their start alone."
        )
    wanted = tuple(
        lift_columns.MATCH if match is None else (name for name in match if [*match] != [lift_columns.MONTH_ALONE])
    )
    for name in wanted:
        if name not in dimensions.names(asked):
            raise UnknownNameError("dimension", name, dimensions.names(asked), f"unit {asked.unit}")
        if is_of_campaign(asked, name):
            raise UsageError(f"--match {name}: responders and others differ by campaign; match by what people have.")
    return _Lift(asked, wanted, _stage(asked, to_stage), landmark_days, window_days).result(
        model or opened.settings.influence.models[0], credit_models.load() if known is None else known
    )


def _stage(asked: Asked, name: str | None) -> int:
    if name is not None:
        number = asked.stage_number(name)
        if number == 0:
            raise UsageError(f"Every journey begins with {name!r} or beyond; name a later stage.")
        return number
    return min([*opportunity_stages(asked.funnel), len(asked.funnel.stages) - 1])


class _Lift:
    """One question about lift."""

    def __init__(self, asked: Asked, match: tuple[str, ...], stage: int, landmark_days: int, window_days: int) -> None:
        self.asked, self.match, self.stage = asked, match, stage
        self.landmark, self.window = landmark_days, window_days
        self.journeys = asked.opened.keep(self._journeys())
        self.responded = asked.opened.keep(self._responded())

    def result(self, model: str, known: Mapping[str, Model]) -> Result:
        """One row per campaign."""
        asked = self.asked
        strata = self._strata()
        found = asked.opened.arrow(strata).to_pydict()
        rows = self._rows(
            {name: np.array(values) for name, values in found.items()}, self._sourced(model, known), model
        )
        text = lift_columns.TEXT.format(
            landmark=self.landmark,
            window=self.window,
            stage=asked.stage_name(self.stage),
            match=" and ".join(name.replace("_", " ") for name in self.match) or "funnel",
        )
        made = Assembly(asked, "conversion", "Conversion of responders beside comparable journeys", text)
        result = made.result(
            lift_columns.COLUMNS,
            rows,
            query=strata,
            units=self.journeys,
            records=lambda: listed(made, self._marks(), lift_columns.LINKS, lift_columns.EXTRA, kind="lift"),
            notes=self._notes(rows),
            by=(),
        )
        return replace(result, kind="lift")

    def _journeys(self) -> ir.Table:
        """Journeys old enough and still without the stage on their landmark: unit_id, stratum, converted."""
        asked = self.asked
        own = dimensions.filtered(asked, units.units(asked)).filter(ibis._.opened_day.notnull())
        named = dimensions.attach(asked, periods.within(asked, own, "opened_day"), list(self.match))
        months = asked.opened["days"].select(_day="day", month_day="month")
        placed = named.join(months, [("opened_day", "_day")])
        reached = units.stages(asked)
        beyond = reached.filter((reached.stage_no >= self.stage) & reached.entered_day.notnull())
        first = beyond.group_by(_unit_id=beyond.unit_id).aggregate(entered_day=beyond.entered_day.min())
        joined = placed.left_join(first, [("unit_id", "_unit_id")])
        aged = joined.mutate(landmark_day=joined.opened_day + self.landmark)
        free = aged.entered_day.isnull() | (aged.entered_day > aged.landmark_day)
        old = aged.landmark_day + self.window < asked.opened.as_of.day
        kept = aged.filter(free & old)
        return kept.select(
            "unit_id",
            "person_id",
            "month_day",
            "opened_day",
            "landmark_day",
            *self.match,
            converted=(kept.entered_day <= kept.landmark_day + self.window).fill_null(False),
        )

    def _keys(self) -> list[str]:
        return ["month_day", *[f"_{name}" for name in self.match]]

    def _placed(self, table: ir.Table) -> ir.Table:
        """With keys of the strata; what has no value is a segment of its own."""
        return table.mutate(**{f"_{name}": table[name].fill_null("") for name in self.match})

    def _responded(self) -> ir.Table:
        """Campaigns each journey had responded to, once: unit_id, campaign_id, on_time."""
        asked = self.asked
        answers = asked.opened["responses"]
        own = answers.filter((answers.funnel == asked.funnel_name) & answers.fate.isin(COUNTED_FATES))
        joined = own.select("campaign_id", "responded_day", unit_id="journey_id").join(
            self.journeys.select("unit_id", "landmark_day"), "unit_id"
        )
        return joined.group_by("unit_id", "campaign_id").aggregate(
            on_time=(joined.responded_day <= joined.landmark_day).any()
        )

    def _strata(self) -> ir.Table:
        """Per campaign and stratum: both sides' counts, and journeys that responded late (on neither side)."""
        keys = self._keys()
        placed = self._placed(self.journeys)
        whole = placed.group_by(*keys).aggregate(
            all_n=placed.count(), all_converted=placed.converted.cast("int64").sum()
        )
        pairs = self.responded.join(placed.select("unit_id", "converted", *keys), "unit_id")
        timely = pairs.on_time
        sums = pairs.group_by("campaign_id", *keys).aggregate(
            n=timely.cast("int64").sum(),
            hits=(timely & pairs.converted).cast("int64").sum(),
            late=(~timely).cast("int64").sum(),
            late_hits=(~timely & pairs.converted).cast("int64").sum(),
        )
        joined = sums.join(whole, keys)
        counted = joined.select(
            "campaign_id",
            "n",
            "hits",
            "late",
            m=joined.all_n - joined.n - joined.late,
            other_hits=joined.all_converted - joined.hits - joined.late_hits,
        )
        # Sums of floats follow the order of their terms, and no engine promises one.
        return counted.order_by(*counted.columns)

    def _rows(self, found: dict[str, Any], sourced: dict[str, int], model: str) -> list[dict[str, Any]]:
        names, codes = np.unique(found["campaign_id"].astype(str), return_inverse=True)
        # A late responder could not have been one by the landmark, and is no comparable other either.
        fit = (found["m"] >= lift_columns.LEAST) & (found["n"] > 0)

        def summed(values: Any, chosen: Any) -> Any:
            return np.bincount(codes[chosen], weights=values[chosen], minlength=len(names)).astype(np.int64)

        hits, trials, other_hits, others = (found[name][fit] for name in ("hits", "n", "other_hits", "m"))
        pooled = mantel_haenszel((hits, trials, other_hits, others), codes[fit], len(names))
        adjusted = benjamini_hochberg(pooled.p_value)
        every = np.ones(len(codes), bool)
        counts = {
            "responders": summed(found["n"], fit),
            "converted": summed(found["hits"], fit),
            "comparable": summed(found["m"], fit),
            "comparable_converted": summed(found["other_hits"], fit),
            "strata": summed(np.ones(len(codes)), fit),
            "left_out": summed(found["n"], ~fit),
            "late": summed(found["late"], every),
        }
        labels = self._labels()
        rows = []
        for at, campaign_id in enumerate(names.tolist()):
            q_value = _number(adjusted[at])
            responders = int(counts["responders"][at])
            if not responders and not counts["left_out"][at]:
                continue
            rows.append(
                {
                    "period": self.asked.period_label(None),
                    "campaign_id": campaign_id,
                    "campaign": labels.get(campaign_id, campaign_id),
                    "to_stage": self.asked.stage_name(self.stage),
                    **{name: int(values[at]) for name, values in counts.items()},
                    "rate": _number(pooled.rate[at]),
                    "comparable_rate": _number(pooled.other_rate[at]),
                    "difference": _number(pooled.difference[at]),
                    "difference_low": _number(pooled.low[at]),
                    "difference_high": _number(pooled.high[at]),
                    "ratio": _number(pooled.ratio[at]),
                    "ratio_low": _number(pooled.ratio_low[at]),
                    "ratio_high": _number(pooled.ratio_high[at]),
                    "q_value": q_value,
                    "differs": None if q_value is None else q_value <= lift_columns.DISCOVERY_RATE,
                    "small": responders < SMALL,
                    "model": model,
                    "sourced_amount": sourced.get(campaign_id, 0),
                }
            )
        # By what is certain: the end of the interval nearer to no difference.
        rows.sort(key=lambda row: (row["difference_low"] is None, -(row["difference_low"] or 0), row["campaign_id"]))
        return rows

    def _labels(self) -> dict[str, str]:
        opened = self.asked.opened
        table = opened.arrow(opened["campaigns"].select("campaign_id", "campaign"))
        return dict(zip(table["campaign_id"].to_pylist(), table["campaign"].to_pylist(), strict=True))

    def _sourced(self, model: str, known: Mapping[str, Model]) -> dict[str, int]:
        """Credit of touches before the creation, per campaign, on opportunities created in the days asked for."""
        asked = ask(self.asked.opened, replace(self.asked.query, unit="opportunities", where={}))
        credits = Returned(asked, [model], known, asked.opened.settings.influence.scope, "created").credits(model)
        before = credits.filter(credits.is_sourced)
        table = asked.opened.arrow(before.group_by("campaign_id").aggregate(amount=before.credit.sum()))
        return dict(zip(table["campaign_id"].to_pylist(), table["amount"].to_pylist(), strict=True))

    def _marks(self) -> ir.Table:
        """Both sides of every campaign, one row per journey: the list."""
        keys = self._keys()
        placed = self._placed(self.journeys)
        whole = placed.group_by(*keys).aggregate(all_n=placed.count())
        mine = self.responded.join(placed.select("unit_id", *keys), "unit_id")
        sides = mine.group_by("campaign_id", *keys).aggregate(
            n=mine.on_time.cast("int64").sum(), late=(~mine.on_time).cast("int64").sum()
        )
        sized = sides.join(whole, keys)
        fit = sized.filter((sized.n > 0) & (sized.all_n - sized.n - sized.late >= lift_columns.LEAST)).select(
            "campaign_id", *keys
        )
        every = fit.join(placed, keys)
        told = self.responded.select("on_time", _unit_id="unit_id", _campaign_id="campaign_id")
        joined = every.left_join(told, [("unit_id", "_unit_id"), ("campaign_id", "_campaign_id")])
        kept = joined.filter(joined.on_time.isnull() | joined.on_time)
        days = self.asked.opened["days"].select(_day="day", month="day_iso")
        named = kept.join(days, [("month_day", "_day")])
        stratum = named.month.substr(0, 7)
        for name in self.match:
            stratum = stratum.concat(" · ", named[name].fill_null("(empty)"))
        starts = self.asked.opened["days"].select(_opened="day", at_s="starts")
        timed = named.mutate(stratum=stratum).join(starts, [("opened_day", "_opened")])
        return timed.mutate(
            responded=timed.on_time.fill_null(False),
            period_day=ibis.literal(0, "int64"),
            to_stage=ibis.literal(self.asked.stage_name(self.stage)),
            object=ibis.literal("Person"),
        )

    def _notes(self, rows: list[dict[str, Any]]) -> list[str]:
        said = ["Association, not proof: responders may have been nearer to an opportunity before they responded."]
        if left := sum(row["left_out"] for row in rows):
            said.append(
                f"{left:,} responders are left out: their month and segment have fewer than {lift_columns.LEAST} comparable journeys."
            )
        return said


def _number(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
