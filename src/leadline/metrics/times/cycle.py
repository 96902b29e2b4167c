"""Sales cycle: from the start of a journey, or the creation of an opportunity, to its close."""

from __future__ import annotations

import ibis
import ibis.expr.types as ir

from leadline.metrics import units
from leadline.metrics.query import Asked
from leadline.metrics.times import standing
from leadline.metrics.times.spans import DayCount
from leadline.metrics.times.standing import ADVANCED, CENSORED, EXIT
from leadline.metrics.times.transitions import SPELL, ends

CLOSE = "Close"
"""What stands in `to_stage`: won or lost."""


def cycle(asked: Asked, count: DayCount) -> ir.Table:
    """Time to the close; won is cause `advanced`, lost is `exit`, open is censored. Columns `SPELL`.

    Of journeys those that hold an opportunity are measured: the others have nothing to close. A won
    journey closes when the first of its opportunities is won, a lost one when the last is lost. The
    stage is the unit's first, whatever it started in.
    """
    standing.require_standing(asked)
    found = _deals(asked) if asked.unit == "opportunities" else _journeys(asked)
    cause = ibis.cases((found.won, ADVANCED), (found.closed_s.notnull(), EXIT), else_=CENSORED)
    known = found.filter(found.entered_s.notnull()).mutate(cause=cause)
    spans = count.measured(standing.until_as_of(asked, known, "closed"), "entered", "closed")
    return spans.mutate(stage_no=ibis.literal(asked.stages[0], "int64")).select(*SPELL)


def _deals(asked: Asked) -> ir.Table:
    deals = asked.opened["deals"]
    return deals.select(
        "closed_s",
        "closed_day",
        "closed_is_date",
        unit_id="opportunity_id",
        entered_s="created_s",
        entered_day="created_day",
        entered_is_date="created_is_date",
        won=deals.state == "won",
    )


def _journeys(asked: Asked) -> ir.Table:
    journeys = units.of_funnel(asked, "journeys")
    own = journeys.filter(journeys.held_count > 0).select(
        unit_id="journey_id", entered_s="started_s", entered_day="started_day", entered_is_date="started_is_date"
    )
    joined = own.join(ends(asked), "unit_id").left_join(_first_win(asked), "unit_id").drop("unit_id_right")
    lost = joined.win_s.isnull() & ~joined.won
    columns = {
        f"closed_{part}": ibis.coalesce(
            joined[f"win_{part}"], ibis.ifelse(lost, joined[f"ended_{part}"], ibis.null(joined[f"ended_{part}"].type()))
        )
        for part in ("s", "day", "is_date")
    }
    return joined.select("unit_id", "entered_s", "entered_day", "entered_is_date", "won", **columns)


def _first_win(asked: Asked) -> ir.Table:
    """The first won close of each journey: unit_id and the moment `win`."""
    held = units.of_funnel(asked, "journey_opportunities")
    won = held.filter(held.state == "won").select("journey_id", "opportunity_id")
    deals = asked.opened["deals"]
    closes = deals.select(
        "opportunity_id", "closed_day", packed=deals.closed_s * 2 + deals.closed_is_date.cast("int64")
    )
    joined = won.join(closes, "opportunity_id")
    first = joined.group_by(unit_id=joined.journey_id).aggregate(
        packed=joined.packed.min(), win_day=joined.closed_day.min()
    )
    return first.select(
        "unit_id", "win_day", win_s=(first.packed // 2).cast("int64"), win_is_date=first.packed % 2 == 1
    )
