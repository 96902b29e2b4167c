"""What campaigns brought, from the snapshot: responses, qualified journeys, credit; each with its period."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import reduce

import ibis
import ibis.expr.types as ir
import pyarrow as pa

from leadline.credit_models import Model
from leadline.metrics import periods, units
from leadline.metrics.credit import allocation, touches
from leadline.metrics.credit.base import Base
from leadline.metrics.query import Asked, ask
from leadline.model.responses import COUNTED_FATES

QUALIFIED = "mql"
"""Name of the stage that counts as qualified, where a funnel has it."""

_MARK = ("campaign_id", "period_day", "measure", "unit_id", "object", "person_id", "opportunity_id", "at_s", "amount")


def qualified_stage(asked: Asked) -> tuple[int, str] | None:
    """Number and name of the stage that counts as qualified: MQL, else the first one beyond the response."""
    name = touches.people_funnel(asked)
    funnel = asked.opened.settings.funnel.get(name)
    if funnel is None or len(funnel.stages) < 2:
        return None
    named = [number for number, stage in enumerate(funnel.stage_names) if stage.casefold() == QUALIFIED]
    number = named[0] if named else 1
    return number, funnel.stage_names[number]


class Returned:
    """What campaigns brought; each table has campaign_id, period_day, and the marks of a list.

    Attributes:
        valued: the opportunities in question, kept once: those of `deals` with period_day.
        allocated: what became of their amounts, by model.
        date: created or closed: which day places them.
    """

    def __init__(self, asked: Asked, models: Sequence[str], known: Mapping[str, Model], scope: str, date: str) -> None:
        self.asked = asked
        self.models, self.scope = models, scope
        wanted = allocation.chosen(models, known)
        opened = asked.opened
        dated = bool(opened.arrow(opened["deals"].aggregate(n=opened["deals"].created_s.count())).to_pylist()[0]["n"])
        self.date = date if dated else "closed"
        self.valued = allocation.numbered(asked, self._deals())
        base = Base(scope, opened.settings.influence.look_back_days)
        self.allocated = allocation.Allocations(asked, self.valued, wanted, base)

    def _deals(self) -> ir.Table:
        """Opportunities with an amount by the day that places them."""
        asked = self.asked
        deals = asked.opened["deals"]
        day = "created_day" if self.date == "created" else "closed_day"
        chosen = deals.filter(deals[day].notnull() & (deals.amount_state == "known"))
        if self.date == "closed":
            chosen = chosen.filter(chosen.state != "open")
        placed = periods.with_period(asked, periods.within(asked, chosen, day), day)
        return placed.mutate(unit_id=placed.opportunity_id)

    def credits(self, model: str) -> ir.Table:
        """Credit of each touch that has points, with state, closed_day and period_day of its opportunity."""
        facts = self.valued.select("deal_no", "state", "closed_day", "period_day")
        return self.allocated.credits(model).join(facts, "deal_no")

    def touched(self, model: str) -> ir.Table:
        """What the model looks at: deal_no, response_id, day and the other columns of touches."""
        return self.allocated.group(model).touched.table

    def responses(self) -> ir.Table:
        """Responses that count."""
        asked = self.asked
        answers = asked.opened["responses"]
        own = answers.filter(answers.fate.isin(COUNTED_FATES) & (answers.funnel == touches.people_funnel(asked)))
        own = own.select("campaign_id", "person_id", day="responded_day", at_s="responded_s", unit_id="response_id")
        return periods.with_period(asked, periods.within(asked, own, "day"), "day")

    def qualified(self) -> ir.Table:
        """Journeys with an origin campaign at their first visit of the qualified stage."""
        stage = qualified_stage(self.asked)
        query = replace(self.asked.query, unit="journeys", funnel=touches.people_funnel(self.asked), by=(), where={})
        number = -1 if stage is None else stage[0]
        if stage is None:
            return self.responses().filter(ibis.literal(False))
        own = ask(self.asked.opened, query)
        reached = units.stages(own)
        entered = reached.filter((reached.stage_no == number) & (reached.known == "observed"))
        entered = entered.select("unit_id", day="entered_day", at_s="entered_s")
        brought = units.units(own).select("unit_id", "person_id", "campaign_id").filter(ibis._.campaign_id.notnull())
        joined = entered.join(brought, "unit_id")
        return periods.with_period(own, periods.within(own, joined, "day"), "day")

    def marks(self) -> ir.Table:
        """Everything above as rows of a list: `_MARK`, model and state."""
        rows = [
            self._mark(self.responses(), "response", "CampaignMember"),
            self._mark(self.qualified(), "qualified", "Person"),
        ]
        for model in self.models:
            given = self.credits(model).rename(at_s="s", unit_id="response_id", amount="credit")
            marked = given.mutate(measure=ibis.literal("credit"), object=ibis.literal("CampaignMember"))
            rows.append(marked.select(*_MARK, "state", model=ibis.literal(model)))
        return reduce(ibis.union, rows)

    def _mark(self, table: ir.Table, measure: str, name: str) -> ir.Table:
        marked = table.mutate(
            measure=ibis.literal(measure),
            object=ibis.literal(name),
            opportunity_id=ibis.null("string"),
            amount=ibis.null("int64"),
        )
        return marked.select(*_MARK, state=ibis.null("string"), model=ibis.null("string"))

    def spent_marks(self, rows: list[tuple[str, int, int]]) -> ir.Table:
        """Costs as rows of a list: campaign, first day of the period, minor units."""
        columns = {
            "campaign_id": pa.array([row[0] for row in rows], pa.string()),
            "period_day": pa.array([row[1] for row in rows], pa.int64()),
            "amount": pa.array([row[2] for row in rows], pa.int64()),
        }
        table = ibis.memtable(pa.table(columns))
        marked = table.mutate(
            measure=ibis.literal("cost"),
            unit_id=table.campaign_id,
            object=ibis.literal("Campaign"),
            person_id=ibis.null("string"),
            opportunity_id=ibis.null("string"),
            at_s=ibis.null("int64"),
        )
        return marked.select(*_MARK, state=ibis.null("string"), model=ibis.null("string"))
