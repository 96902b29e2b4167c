"""Cost and return of campaigns: what they cost, what they won, and what each result cost.

A row is a campaign, or what campaigns have in common; it never mixes campaigns whose cost is known
with those whose cost is not, so that each quotient divides what belongs together.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import ibis
import ibis.expr.types as ir
import numpy as np

from leadline import credit_models
from leadline.credit_models import Model
from leadline.dates import day_number, day_of
from leadline.errors import UnknownNameError, UsageError
from leadline.metrics import periods
from leadline.metrics.assemble import Assembly
from leadline.metrics.credit import costs, roi_columns, touches
from leadline.metrics.credit.payback import Payback, payback
from leadline.metrics.credit.placing import PER_CAMPAIGN, Placing, require_campaign_dimensions
from leadline.metrics.credit.returned import Returned, qualified_stage
from leadline.metrics.listing import listed
from leadline.metrics.query import Asked, Query, ask
from leadline.model.opened import Opened
from leadline.results import Result

Row = dict[str, Any]
Key = tuple[Any, ...]
"""Values of the columns rows are told apart by, then the period."""


def roi(
    opened: Opened,
    query: Query,
    *,
    models: list[str] | None = None,
    known: Mapping[str, Model] | None = None,
    scope: str | None = None,
    date: str = "created",
    hierarchy: str = "own",
) -> Result:
    """Cost, won credit, their quotients and the time until cost was covered.

    Args:
        query: dimensions and filters of campaigns only.
        models: names of models; default: those of leadline.toml.
        known: the models there are; default: those that Leadline ships.
        scope: role, primary role or account.
        date: which day places an opportunity in a period: created or closed.
        hierarchy: own, or total: each campaign with all below it.

    Raises:
        UnknownNameError: model, scope, date, hierarchy or dimension that does not exist.
        UsageError: a unit, or a dimension that campaigns do not have.
    """
    for what, value, there in (("date", date, touches.DATES), ("hierarchy", hierarchy, roi_columns.HIERARCHIES)):
        if value not in there:
            raise UnknownNameError(what, value, there)
    if query.unit not in (None, "opportunities"):
        raise UsageError("Cost and return are told of campaigns; leave --unit out.")
    asked = ask(opened, replace(query, unit="opportunities"))
    require_campaign_dimensions(asked)
    if hierarchy == "total" and not set(asked.by) <= PER_CAMPAIGN:
        raise UsageError("--hierarchy total has a row per campaign with all below it; leave out --by.")
    settings = opened.settings.influence
    returned = Returned(
        asked,
        models or list(settings.models),
        known if known is not None else credit_models.load(None),
        scope or settings.scope,
        date,
    )
    return Question(asked, returned, hierarchy).result()


class Question:
    """One question about cost and return."""

    def __init__(self, asked: Asked, returned: Returned, hierarchy: str) -> None:
        self.asked = asked
        self.returned, self.hierarchy = returned, hierarchy
        self.models, self.scope = returned.models, returned.scope
        self.campaigns = costs.Campaigns(asked)
        self.in_periods = asked.query.grain is not None or periods.ranged(asked)
        self.placing = Placing(asked, self._states(), whole=hierarchy == "total")
        self.qualified = qualified_stage(asked)

    def result(self) -> Result:
        """All models in one table."""
        asked = self.asked
        cells = self._counts()
        members = self._members()
        inside = {name for names in members.values() for name, _ in names}
        spent = self._costs(members)
        paid = {} if self.in_periods else self._paybacks(members)
        rows = list(self._rows(cells, spent, paid))
        made = Assembly(
            asked,
            "influence",
            "Cost and return of campaigns",
            roi_columns.TEXT.format(date=self.returned.date, hierarchy=roi_columns.HIERARCHY_TEXT[self.hierarchy]),
        )
        result = made.result(
            roi_columns.COLUMNS,
            [{name: value for name, value in row.items() if name != "own"} for row in rows],
            totals=self._totals(rows, inside),
            query=self.returned.credits(self.models[0]),
            units=self.returned.valued,
            records=lambda: self._list(made, inside),
            notes=self._notes(inside),
            by=tuple(self.placing.by),
        )
        return replace(result, kind="roi", unit="campaigns")

    def _states(self) -> dict[str, str]:
        """State of each campaign's cost as this question sees it: a cost without days is in no period."""
        return {
            name: costs.UNDATED if self.in_periods and one.state == costs.KNOWN and not one.is_dated else one.state
            for name, one in self.campaigns.rows.items()
        }

    def _counts(self) -> dict[str | None, dict[Key, Row]]:
        """Counts per model (None: those that no model changes) and row."""
        found: dict[str | None, dict[Key, Row]] = {None: defaultdict(dict)}
        for name, table in (("responses", self.returned.responses()), ("qualified", self.returned.qualified())):
            placed = self.placing.placed(table)
            counted = placed.group_by(*self.placing.keys, "period_day").aggregate(
                **{name: placed.count(), f"own_{name}": placed.is_own.cast("int64").sum()}
            )
            for row in self.asked.opened.arrow(counted).to_pylist():
                found[None][self._key(row)] |= row
        for model in self.models:
            sums = self._credit_sums(self.placing.placed(self.returned.credits(model)))
            found[model] = {self._key(row): row for row in self.asked.opened.arrow(sums).to_pylist()}
        return found

    def _credit_sums(self, placed: ir.Table) -> ir.Table:
        won = placed.state == "won"
        nothing = ibis.literal(0, "int64")
        return placed.group_by(*self.placing.keys, "period_day").aggregate(
            won_amount=ibis.ifelse(won, placed.credit, nothing).sum(),
            own_won=ibis.ifelse(won & placed.is_own, placed.credit, nothing).sum(),
            opportunities=placed.opportunity_id.nunique(),
            wins=placed.opportunity_id.nunique(where=won),
        )

    def _key(self, row: Row) -> Key:
        return tuple(row[name] for name in (*self.placing.keys, "period_day"))

    def _members(self) -> dict[Key, list[tuple[str, bool]]]:
        """Row without its period → its campaigns, and whether each is the row's own."""
        found: dict[Key, list[tuple[str, bool]]] = defaultdict(list)
        own = self.asked.opened["campaigns"].select("campaign_id", own_id="campaign_id")
        placed = self.placing.placed(own).select(*self.placing.keys, "own_id", "is_own")
        for row in self.asked.opened.arrow(placed).to_pylist():
            found[tuple(row[name] for name in self.placing.keys)].append((row["own_id"], row["is_own"]))
        return found

    def _costs(self, members: dict[Key, list[tuple[str, bool]]]) -> dict[Key, Row]:
        """Known cost per row and period: of all its campaigns, and of its own."""
        found: dict[Key, Row] = defaultdict(lambda: {"cost": 0, "own_cost": 0, "campaigns": 0})
        each = {name: list(self._by_period(one)) for name, one in self.campaigns.rows.items()}
        for key, names in members.items():
            for name, own in names:
                for period_day, cost in each[name]:
                    cell = found[*key, period_day]
                    cell["cost"] += cost
                    cell["own_cost"] += cost if own else 0
                    cell["campaigns"] += 1 if own else 0
        return found

    def _by_period(self, one: costs.Campaign) -> Iterator[tuple[int, int]]:
        """First day of each period with a cost, and the cost."""
        if one.state != costs.KNOWN or (self.in_periods and not one.is_dated):
            return
        if self.asked.query.grain is None:
            yield 0, one.between(self.asked.start_day, self.asked.end_day) or 0
            return
        for period_day in self._periods_of(one):
            cost = one.between(*costs.bounds(self.asked, period_day))
            if cost:
                yield period_day, cost

    def _periods_of(self, one: costs.Campaign) -> Iterator[int]:
        stop = max((piece.stop for piece in one.pieces), default=0)
        first = one.first_day
        if self.asked.end_day is not None:
            stop = min(stop, self.asked.end_day)
        if first is None or self.asked.query.grain is None:
            return
        first = first if self.asked.start_day is None else max(first, self.asked.start_day)
        if first < stop:
            grain: Any = self.asked.query.grain
            starts = self.asked.calendar.period_starts(day_of(first), day_of(stop - 1), grain)
            yield from (day_number(start) for start in starts)

    def _paybacks(self, members: dict[Key, list[tuple[str, bool]]]) -> dict[tuple[str, Key], Payback]:
        """Payback per model and row (without its period) of campaigns with a known cost."""
        opened, found = self.asked.opened, dict[tuple[str, Key], Payback]()
        state_at = self.placing.keys.index("cost_state")
        for model in self.models:
            placed = self.placing.placed(self.returned.credits(model))
            won = placed.filter((placed.state == "won") & placed.closed_day.notnull())
            daily = won.group_by(*self.placing.keys, "closed_day").aggregate(won=won.credit.sum())
            series: dict[Key, list[tuple[int, int]]] = defaultdict(list)
            for row in opened.arrow(daily.order_by("closed_day")).to_pylist():
                series[tuple(row[name] for name in self.placing.keys)].append((row["closed_day"], row["won"]))
            for key, names in members.items():
                if key[state_at] == costs.KNOWN:
                    days = np.array(series.get(key, []), np.int64).reshape(-1, 2)
                    spent = [self.campaigns.rows[name] for name, _ in names]
                    found[model, key] = payback(spent, days[:, 0], days[:, 1], opened.as_of.day)
        return found

    def _rows(
        self, cells: dict[str | None, dict[Key, Row]], spent: dict[Key, Row], paid: dict[tuple[str, Key], Payback]
    ) -> Iterator[Row]:
        for model in self.models:
            keys = cells[None].keys() | cells[model].keys() | spent.keys()
            made = [
                self._row(model, key, cells[None].get(key, {}) | cells[model].get(key, {}), spent, paid) for key in keys
            ]
            made.sort(
                key=lambda row: (
                    row["_at"],
                    *[str(row[name]) for name in self.placing.by],
                    -row["won_amount"],
                    -(row["cost"] or 0),
                    str(row["campaign_id"]),
                    row["cost_state"],
                )
            )
            yield from ({name: value for name, value in row.items() if name != "_at"} for row in made)

    def _row(
        self, model: str, key: Key, counts: Row, spent: dict[Key, Row], paid: dict[tuple[str, Key], Payback]
    ) -> Row:
        place = dict(zip(self.placing.keys, key[:-1], strict=True))
        state = place["cost_state"]
        cost = spent.get(key, {"cost": 0, "own_cost": 0, "campaigns": 0}) if state == costs.KNOWN else {}
        amount = cost.get("cost")
        counted = {name: counts.get(name, 0) for name in ("responses", "qualified", "opportunities", "wins")}
        if self.qualified is None:
            counted["qualified"] = None
        won = counts.get("won_amount", 0)
        campaign_id = place.get("campaign_id")
        known = self.campaigns.rows.get(campaign_id) if campaign_id else None
        of_row = paid.get((model, key[:-1]), Payback())
        return {
            "_at": key[-1],
            **{name: place[name] for name in self.placing.by},
            "period": self.asked.period_label(key[-1]),
            "campaign_id": campaign_id,
            "campaign": known.label if known else campaign_id,
            "model": model,
            "scope": self.scope,
            "hierarchy": self.hierarchy,
            "cost_state": state,
            "cost": amount,
            "won_amount": won,
            "roi": (won - amount) / amount if amount and amount > 0 else None,
            "roas": won / amount if amount and amount > 0 else None,
            **counted,
            **{f"cost_per_{one}": roi_columns.per(amount, counted[many]) for one, many in roi_columns.PER.items()},
            "first_cost_on": None if of_row.first_day is None else day_of(of_row.first_day),
            "payback": of_row.state,
            "paid_back_on": None if of_row.day is None else day_of(of_row.day),
            "payback_days": of_row.days,
            "own": {**cost, "won": counts.get("own_won", 0), "responses": counts.get("own_responses", 0)},
        }

    def _totals(self, rows: list[Row], inside: set[str]) -> tuple[Row, ...]:
        """Per period and model, each campaign once: cost, won credit with and without a known cost."""
        sums: dict[tuple[Any, str], Row] = {}
        undated = sum(self.campaigns.rows[name].undated for name in inside if self._has_cost(name))
        for row in rows:
            total = sums.setdefault((row["period"], row["model"]), self._blank(row["period"], row["model"], undated))
            own, known = row["own"], row["cost_state"] == costs.KNOWN
            total["cost_amount"] += own.get("own_cost", 0)
            total["won_credited_amount"] += own["won"]
            total["won_with_cost_amount" if known else "won_without_cost_amount"] += own["won"]
            total["responses"] += own["responses"]
        for total in sums.values():
            cost = total["cost_amount"]
            total["roi"] = (total["won_with_cost_amount"] - cost) / cost if cost > 0 else None
        return tuple(sums.values())

    def _has_cost(self, name: str) -> bool:
        return self.campaigns.rows[name].state == costs.KNOWN

    def _blank(self, period: str | None, model: str, undated: int) -> Row:
        names = ("cost", "won_credited", "won_with_cost", "won_without_cost")
        return {
            "period": period,
            "model": model,
            "scope": self.scope,
            **{f"{name}_amount": 0 for name in names},
            "undated_cost_amount": undated,
            "responses": 0,
        }

    def _notes(self, inside: set[str]) -> list[str]:
        said = []
        states = [state for name, state in self._states().items() if name in inside]
        if missing := states.count(costs.MISSING):
            said.append(f"{missing:,} campaigns have no cost: they stand apart as missing, not as 0.")
        if undated := states.count(costs.UNDATED):
            said.append(f"{undated:,} campaigns have a cost without StartDate: it is in no period.")
        if self.qualified is None:
            said.append("The funnel has no stage of people beyond the response, so nothing qualifies.")
        elif self.qualified[1].casefold() != "mql":
            said.append(f"Qualified is the stage {self.qualified[1]}: the funnel has no stage named MQL.")
        if self.in_periods:
            said.append("Payback is told for all time: leave out --grain, --from and --to.")
        said.append("Opportunities and wins with credit overlap between campaigns and are not added up.")
        return said

    def _list(self, made: Assembly, inside: set[str]) -> Result:
        """One row per cost of a period, response, qualified journey and credit."""
        parts = [self._spent_marks(inside), self.returned.marks()]
        placed = self.placing.placed(ibis.union(*parts), labels=True)
        return listed(made, placed, roi_columns.LINKS, roi_columns.EXTRA, kind="roi")

    def _spent_marks(self, inside: set[str]) -> ir.Table:
        rows = [
            (name, period_day, cost)
            for name, one in sorted(self.campaigns.rows.items())
            if name in inside
            for period_day, cost in self._by_period(one)
            if cost
        ]
        return self.returned.spent_marks(rows)
