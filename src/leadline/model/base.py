"""The base tables: what is known at the load, before any as-of."""

from __future__ import annotations

import datetime as dt
import zoneinfo
from dataclasses import dataclass

import ibis
import ibis.expr.types as ir

from leadline.config import Settings
from leadline.errors import IdentityError
from leadline.model import (
    activities,
    calendar,
    campaigns,
    costs,
    deals,
    dimensions,
    members,
    money,
    opportunities,
    owners,
    people,
    products,
    role_members,
    roles,
    salesforce_rows,
    stages,
    users,
    versions,
)
from leadline.model.money import Currency
from leadline.model.source import Source
from leadline.model.store import Store
from leadline.sources.costs_file import CostsFile


@dataclass(frozen=True, slots=True)
class Base:
    """What building the base tables found out."""

    zone: str
    currency: Currency


def build(
    store: Store, source: Source, settings: Settings, known_at: dt.datetime, spent: CostsFile | None = None
) -> Base:
    """Build every base table into `store`; `known_at` is the moment of the newest load, `spent` the costs of a file."""
    base = Base(zone(source, store, settings), currency(source, store, settings))
    work = settings.workspace
    store.keep(
        "days",
        ibis.memtable(calendar.days(base.zone, fiscal_year_start=work.fiscal_year_start, week_start=work.week_start)),
    )
    _people(store, source)
    store.keep("users", users.users(source, settings))
    store.keep("person_owners", owners.person_owners(source, store["people"], store["users"]))
    static = store.step("static_rates", money.static_rates(source))
    dated = store.step("dated_rates", money.dated_rates(source))
    store.keep("rates_static", static)
    store.keep("rates_dated", dated)
    _campaigns(store, source, settings, base.currency, spent)
    _responses_and_deals(store, source, settings)
    store.keep("opportunity_products", products.opportunity_products(source, static, base.currency.corporate))
    keep_versions(store, settings, base.currency)
    _entries(store, source, settings, int(known_at.timestamp() // 1))
    store.keep("dimension_values", dimensions.values(source, settings, store["person_records"]))
    return base


def _campaigns(store: Store, source: Source, settings: Settings, currency: Currency, spent: CostsFile | None) -> None:
    """Campaigns and what they cost, at static rates as costs are."""
    labelled = campaigns.labelled(source)
    known = store.rows(labelled.select("Id", "Name", "label")) if spent else []
    static = settings.amount.model_copy(update={"rate": "static"})
    raw = costs.pieces(labelled, known, spent)
    valued = deals.with_amounts(raw, store["rates_static"], store["rates_dated"], static, currency)
    valued = store.step("costs", valued)
    if spent:
        lost = valued.filter((valued.line_no > 0) & (valued.amount_state != "known"))
        costs.require_rates(spent, store.rows(lost.select("line_no", "currency", "amount_state")))
    store.keep("campaign_costs", costs.campaign_costs(valued))
    store.keep("campaigns", campaigns.campaigns(source, costs.by_campaign(valued)))


def keep_versions(store: Store, settings: Settings, currency: Currency) -> None:
    """Opportunities through time, from base tables that `store` holds."""
    through_time = versions.versions(
        store["opportunities"],
        store["opportunity_stages"],
        store["days"],
        amounts_told=settings.amount.field == opportunities.TOLD_AMOUNT,
        by_field=settings.opportunities.close_date == "field",
    )
    static, dated = store["rates_static"], store["rates_dated"]
    store.keep("opportunity_versions", deals.with_amounts(through_time, static, dated, settings.amount, currency))


def _people(store: Store, source: Source) -> None:
    known = store.step("records", people.records(source, store["days"]))
    pointing = store.step("pointers_0", people.pointers(known))
    rows, turn = store.count(pointing), 0
    while True:
        turn += 1
        pointing = store.step(f"pointers_{turn}", people.living_pointers(pointing, known))
        left = store.count(pointing)
        if left == rows:
            break
        rows = left
    for _ in range(people.ROUNDS if rows else 0):
        turn += 1
        pointing = store.step(f"pointers_{turn}", people.doubled(pointing))
    endless = pointing.semi_join(pointing.select(next_id="record_id"), "next_id")
    if rows and (count := store.count(endless)):
        example = store.rows(endless.order_by("record_id").limit(3).select("record_id"))
        ids = ", ".join(row["record_id"] for row in example)
        raise IdentityError(
            f"{count} lead or contact records are merged or converted in a circle or over more than 64 steps, "
            f"for example {ids}. Correct MasterRecordId or ConvertedContactId of these records and import again."
        )
    store.keep("person_records", people.person_records(known, pointing))
    store.keep("people", people.people(store["person_records"]))


def _responses_and_deals(store: Store, source: Source, settings: Settings) -> None:
    days, persons = store["days"], store["person_records"]
    store.keep("members", members.members(source, settings.responses, days, persons, store["campaigns"]))
    states = store.step("stage_states", opportunities.stage_states(source, list(settings.funnel.values())))
    store.keep("opportunities", opportunities.opportunities(source, settings, days, states))
    store.keep("opportunity_stages", opportunities.opportunity_stages(source, days, states))
    store.keep("stage_values", versions.stage_values(source, states))
    store.keep("roles", roles.roles(source, days, persons))
    store.keep("salesforce_influence", salesforce_rows.salesforce_influence(source, days, persons))
    store.keep("role_members", role_members.role_members(source, days, persons, store["roles"]))
    store.keep("conversions", roles.conversions(source, days, persons))
    store.keep("activities", activities.activities(source, days, persons))


def _entries(store: Store, source: Source, settings: Settings, known_s: int) -> None:
    parts = [
        stages.stage_entries(
            source, funnel, store["days"], store["opportunities"], store["opportunity_stages"], store.once, known_s
        ).mutate(funnel=ibis.literal(name))
        for name, funnel in settings.funnel.items()
    ]
    store.keep("stage_entries", ibis.union(*parts))


def zone(source: Source, store: Store, settings: Settings) -> str:
    """The reporting zone: configured, else the org's if it is one, else UTC."""
    if settings.workspace.timezone:
        return settings.workspace.timezone
    rows = store.rows(
        source.table("Organization").filter(ibis._.TimeZoneSidKey.notnull()).select("TimeZoneSidKey").limit(1)
    )
    named = str(rows[0]["TimeZoneSidKey"]) if rows else "UTC"
    # A name nobody knows is the finding `zone-unknown`; the records are worth their numbers all the same.
    return named if named in zoneinfo.available_timezones() else "UTC"


def currency(source: Source, store: Store, settings: Settings) -> Currency:
    """The reporting currency: configured, else the corporate one, else the only one seen."""
    types = source.table("CurrencyType").filter(ibis._.IsoCode.notnull())
    known = {row["IsoCode"]: row for row in store.rows(types.select("IsoCode", "IsCorporate", "DecimalPlaces"))}
    corporate = next((code for code, row in sorted(known.items()) if row["IsCorporate"]), "")
    code = settings.workspace.currency or corporate or _only_code(source, store)
    digits = known[code]["DecimalPlaces"] if code in known else None
    dated = store.count(money.dated_rates(source)) > 0
    return Currency(code, 2 if digits is None else int(digits), corporate or code, dated)


def _only_code(source: Source, store: Store) -> str:
    codes: ir.Table = source.table("Opportunity").filter(ibis._.CurrencyIsoCode.notnull())
    seen = store.rows(codes.select("CurrencyIsoCode").distinct().order_by("CurrencyIsoCode").limit(2))
    return str(seen[0]["CurrencyIsoCode"]) if len(seen) == 1 else ""
