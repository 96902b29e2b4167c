"""Opportunities at an as-of: their state, close moment and amount."""

from __future__ import annotations

import ibis
import ibis.expr.types as ir

from leadline.config import AmountSettings
from leadline.model import money
from leadline.model.asof import AsOf
from leadline.model.money import Currency
from leadline.model.opportunities import OPEN, WON, state_runs

_AT_LOAD = ("state", "stage_name", "raw_amount", "close_day")


def deals(
    opportunities: ir.Table,
    stages: ir.Table,
    days: ir.Table,
    as_of: AsOf,
    *,
    amounts_told: bool = True,
    by_field: bool = False,
) -> ir.Table:
    """One row per opportunity that exists at as-of.

    `amounts_told` says whether OpportunityHistory holds the amounts that count; any other amount
    field is read from the record. `by_field` dates every close by CloseDate alone.

    Columns: those of `opportunities`, with state, stage_name, raw_amount and close_day as of then;
    the moment `closed` (null while open); ever_won, reopened; clamped (the close was moved to the
    creation because it lay before it or is unknown).
    """
    existing = opportunities.filter(opportunities.created_s.isnull() | as_of.happened(opportunities, "created"))
    joined = _with_history(existing, stages, as_of)
    past = joined.has_later.fill_null(False)
    amounts_past = joined.has_later_amount.fill_null(False) & joined.has_told_amount.fill_null(False)
    said = joined.mutate(
        said_state=ibis.ifelse(past, joined.told_state.fill_null(OPEN), joined.state),
        said_stage=ibis.ifelse(past, joined.told_stage, joined.stage_name),
        said_amount=ibis.ifelse(amounts_past & amounts_told, joined.told_amount, joined.raw_amount),
        said_close=ibis.ifelse(amounts_past, joined.told_close, joined.close_day),
    )
    kept = [column for column in opportunities.columns if column not in _AT_LOAD]
    closed = _closed(said, days, as_of, by_field=by_field)
    return closed.select(
        *kept,
        "closed_s",
        "closed_day",
        "closed_is_date",
        "clamped",
        state="held_state",
        stage_name="said_stage",
        raw_amount="said_amount",
        close_day="said_close",
        ever_won=closed.ever_won.fill_null(False) | (closed.held_state == WON),
        reopened=closed.reopened.fill_null(False),
    )


def _with_history(existing: ir.Table, stages: ir.Table, as_of: AsOf) -> ir.Table:
    """Each opportunity with its last dated stage at as-of, the run that holds and whether more follows."""
    told = stages.filter(as_of.happened(stages, "at"))
    later = stages.filter(~as_of.happened(stages, "at"))
    runs = state_runs(told)
    ends = runs.group_by("opportunity_id").aggregate(last_nth=runs.nth.max())
    placed = runs.join(ends, "opportunity_id")
    holding = placed.filter(placed.nth == placed.last_nth).select(
        "opportunity_id", run_state="state", run_s="at_s", run_day="at_day", run_is_date="at_is_date"
    )
    past = placed.group_by("opportunity_id").aggregate(
        ever_won=(placed.state == WON).any(),
        past_closed=((placed.state != OPEN) & (placed.nth < placed.last_nth)).any(),
    )
    rest = later.group_by("opportunity_id").aggregate(
        has_later=later.count() > 0, has_later_amount=(later.evidence == "history").any()
    )
    joined = existing
    for table in (_last_stage(told), _last_amount(told), holding, past, rest):
        joined = joined.left_join(table, "opportunity_id").drop("opportunity_id_right")
    # The record itself stands in a state its history does not end in: one more run, not dated there.
    moved = (joined.run_state != OPEN) & (joined.run_state != joined.state) & ~joined.has_later.fill_null(False)
    return joined.mutate(reopened=joined.past_closed.fill_null(False) | moved.fill_null(False))


def _newest(rows: ir.Table) -> ir.Table:
    window = ibis.window(group_by="opportunity_id", order_by=[ibis.desc("at_s"), ibis.desc("id")])
    ranked = rows.mutate(nth=ibis.row_number().over(window))
    return ranked.filter(ranked.nth == 0)


def _last_stage(told: ir.Table) -> ir.Table:
    return _newest(told).select("opportunity_id", told_state="state", told_stage="stage_name")


def _last_amount(told: ir.Table) -> ir.Table:
    rows = _newest(told.filter(told.evidence == "history"))
    return rows.select(
        "opportunity_id",
        told_amount="history_amount",
        told_close="history_close_day",
        has_told_amount=ibis.literal(True),
    )


def _closed(said: ir.Table, days: ir.Table, as_of: AsOf, *, by_field: bool) -> ir.Table:
    """Close moment: start of the run that holds, else the last stage change, else the close date (or that alone).

    Never before the creation; a closed state whose moment lies after as-of is open.
    """
    moment = _close_moment(said, days, by_field=by_field)
    closed = moment.said_state != OPEN
    early = (moment.close_s.isnull() | (moment.close_s < moment.created_s)) & moment.created_s.notnull()
    clamped = moment.mutate(
        clamped=closed & early,
        close_s=ibis.ifelse(early, moment.created_s, moment.close_s),
        close_on=ibis.ifelse(early, moment.created_day, moment.close_on),
        close_dated=ibis.ifelse(early, moment.created_is_date, moment.close_dated),
    )
    happened = clamped.close_s.isnull() | as_of.happened_at(clamped, "close_s", "close_on", "close_dated")
    holds = (clamped.said_state != OPEN) & happened
    return clamped.mutate(
        held_state=ibis.ifelse(holds, clamped.said_state, OPEN),
        closed_s=ibis.ifelse(holds, as_of.cut(clamped.close_s), ibis.null("int64")),
        closed_day=ibis.ifelse(holds, clamped.close_on, ibis.null("int64")),
        closed_is_date=holds & clamped.close_dated.fill_null(False),
    )


def _close_moment(said: ir.Table, days: ir.Table, *, by_field: bool) -> ir.Table:
    no_field = ibis.literal(not by_field)
    by_history = no_field & (said.run_state == said.said_state).fill_null(False)
    by_change = no_field & said.stage_change_s.notnull() & ~said.has_later.fill_null(False)
    marked = said.mutate(by_history=by_history, by_change=by_change)
    joined = marked.left_join(days.select(said_close="day", day_ends="ends"), "said_close")
    history, change = joined.by_history, joined.by_change
    return joined.mutate(
        close_s=ibis.cases((history, joined.run_s), (change, joined.stage_change_s), else_=joined.day_ends),
        close_on=ibis.cases((history, joined.run_day), (change, joined.stage_change_day), else_=joined.said_close),
        close_dated=ibis.cases((history, joined.run_is_date), (change, joined.stage_change_is_date), else_=True),
    )


def with_amounts(
    table: ir.Table, static: ir.Table, dated: ir.Table, settings: AmountSettings, currency: Currency
) -> ir.Table:
    """Add amount (int64 minor units of the reporting currency, or null) and amount_state.

    `table` has raw_amount, currency and close_day; amount_state is "known", "no amount", "no rate"
    or "too large" (from 2**50 minor units).
    """
    own = table.mutate(own_currency=ibis.coalesce(table.currency, ibis.literal(currency.corporate)))
    rated = _rated(own, static, dated, settings, currency)
    one = rated.own_currency == currency.code
    no_rate = ~one & (rated.own_rate.isnull() | rated.rate.isnull())
    large = money.in_minor(rated.raw_amount.abs(), rated.own_digits) >= ibis.literal(str(money.LIMIT)).cast(money.RAW)
    fitting = ibis.ifelse(large.fill_null(False), ibis.null(money.RAW), rated.raw_amount.cast(money.RAW))
    native = money.minor_units(fitting, rated.own_digits)
    foreign = money.converted(native, rated.own_rate, rated.own_digits, rated.rate, currency.digits)
    state = ibis.cases(
        (rated.raw_amount.isnull(), "no amount"), (no_rate, "no rate"), (large, "too large"), else_="known"
    )
    valued = rated.mutate(amount_state=state, value=ibis.ifelse(one, native, foreign))
    large_now = (valued.amount_state == "known") & (valued.value.abs() >= money.LIMIT)
    columns = [column for column in table.columns if column != "currency"]
    return valued.select(
        *columns,
        currency="own_currency",
        amount=ibis.ifelse((valued.amount_state == "known") & ~large_now, valued.value, ibis.null("int64")),
        amount_state=ibis.ifelse(large_now, "too large", valued.amount_state),
    )


def _rated(own: ir.Table, static: ir.Table, dated: ir.Table, settings: AmountSettings, currency: Currency) -> ir.Table:
    """Add own_rate, own_digits and the reporting currency's rate of the same day."""
    reporting = static.filter(static.currency == currency.code).select(reporting_rate="static_rate")
    joined = own.left_join(static, own.own_currency == static.currency).drop("currency_right")
    joined = joined.cross_join(reporting.aggregate(reporting_rate=reporting.reporting_rate.max()))
    digits = ibis.ifelse(joined.own_currency == currency.code, currency.digits, joined.digits.fill_null(2))
    based = joined.mutate(own_digits=digits, own_rate=joined.static_rate, rate=joined.reporting_rate).drop(
        "static_rate", "digits", "reporting_rate"
    )
    if settings.rate == "budget":
        return based.mutate(
            own_rate=_budget(based.own_currency, settings, currency), rate=_budget(currency.code, settings, currency)
        )
    if settings.rate == "static" or not currency.dated:
        return based
    return _dated(based, dated, currency)


def _budget(code: ir.StringValue | str, settings: AmountSettings, currency: Currency) -> ir.DecimalValue:
    """Budget rate of a currency; they are per unit of the corporate one, so its own is 1."""
    rates = {**settings.budget, currency.corporate: 1.0}
    text = ibis.literal(code) if isinstance(code, str) else code
    cases = [(text == iso, ibis.literal(f"{rate:.6f}").cast(money.RATE)) for iso, rate in rates.items()]
    return ibis.cases(*cases, else_=ibis.null(money.RATE))


def _dated(based: ir.Table, dated: ir.Table, currency: Currency) -> ir.Table:
    """Dated rates at the close day; without a close day the static rates stay."""
    own = _rate_on(based, dated, based.own_currency, "own_dated")
    both = _rate_on(own, dated, ibis.literal(currency.code), "rate_dated")
    undated = both.close_day.isnull()
    one = ibis.literal("1").cast(money.RATE)
    own_rate = ibis.ifelse(both.own_currency == currency.corporate, one, both.own_dated)
    rate = one if currency.code == currency.corporate else both.rate_dated
    return both.mutate(
        own_rate=ibis.ifelse(undated, both.own_rate, own_rate), rate=ibis.ifelse(undated, both.rate, rate)
    ).drop("own_dated", "rate_dated")


def _rate_on(table: ir.Table, dated: ir.Table, code: ir.StringValue, name: str) -> ir.Table:
    intervals = dated.select(
        _currency="currency", _from="from_day", _to=dated.to_day.fill_null(10**6), **{name: "dated_rate"}
    )
    marked = table.mutate(_code=code)
    return marked.left_join(
        intervals,
        [
            marked["_code"] == intervals["_currency"],
            intervals["_from"] <= marked.close_day,
            marked.close_day < intervals["_to"],
        ],
    ).drop("_code", "_currency", "_from", "_to")
