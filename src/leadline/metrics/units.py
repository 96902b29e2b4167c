"""Units: what one row of a metric counts, the stages each reached, and its single-valued links."""

from __future__ import annotations

from collections.abc import Callable

import ibis
import ibis.expr.types as ir

from leadline.metrics.query import Asked
from leadline.model.journey_stages import MID_FUNNEL, SKIPPED
from leadline.model.passes import PASSES_OF_ONE
from leadline.model.responses import COUNTED_FATES, TIPPED

NUMBER = "journey_no"
"""The column with a journey's number; snapshots of earlier versions have none."""

STAGE_COLUMNS = (
    "unit_id",
    "stage_no",
    "entered_s",
    "entered_day",
    "entered_is_date",
    "evidence",
    "known",
    "later_s",
    "later_day",
    "beyond_s",
    "beyond_day",
)


def units(asked: Asked) -> ir.Table:
    """One row per unit.

    Columns: unit_id, unit_name (the same in a question of names), object, person_id, account_id, campaign_id (origin), journey_id (the one it is
    described by), opportunity_id, amount (opportunities only), amount_state, opened_day (null:
    undated).
    """
    made: dict[str, Callable[[Asked], ir.Table]] = {
        "journeys": _journeys,
        "people": _people,
        "accounts": _accounts,
        "responses": _responses,
        "opportunities": _opportunities,
    }
    return made[asked.unit](asked)


def stages(asked: Asked) -> ir.Table:
    """Stages each unit reached; columns `STAGE_COLUMNS`.

    An optional stage is reached by an entry of its own only: who passed it by has no row for it.
    """
    reached = passed(asked)
    optional = [number for number in asked.stages if asked.funnel.stages[number].optional]
    if not optional:
        return reached
    return reached.filter(~(reached.stage_no.isin(optional) & reached.known.isin([SKIPPED, MID_FUNNEL])))


def passed(asked: Asked) -> ir.Table:
    """Every stage up to the furthest of each unit, optional ones it skipped included; columns `STAGE_COLUMNS`."""
    if asked.unit == "opportunities":
        own = of_funnel(asked, "opportunity_reached").rename(unit_id="opportunity_id")
        return own.filter(own.stage_no.isin(list(asked.stages))).select(*STAGE_COLUMNS)
    reached = of_funnel(asked, "journey_stages")
    if asked.unit == "journeys":
        return reached.rename(unit_id="journey_id").select(*STAGE_COLUMNS)
    linked = linked_to(asked, reached)
    if asked.unit == "responses":
        return _response_stages(asked, linked)
    return _merged(asked, linked)


def links(asked: Asked) -> ir.Table:
    """Which journeys make up a unit: unit_id, journey_id."""
    journeys = of_funnel(asked, "journeys")
    if asked.unit == "journeys":
        return journeys.select("journey_id", unit_id="journey_id")
    if asked.unit == "people":
        return journeys.select("journey_id", unit_id="person_key")
    if asked.unit == "responses":
        return of_funnel(asked, "responses").filter(ibis._.fate == TIPPED).select("journey_id", unit_id="response_id")
    owners = asked.opened["people"].filter(ibis._.account_id.notnull()).select("person_id", unit_id="account_id")
    return journeys.join(owners, "person_id").select("journey_id", "unit_id")


def linked_to(asked: Asked, rows: ir.Table) -> ir.Table:
    """Rows of journeys with the unit_id of each unit their journey is part of."""
    if asked.unit == "people" and rows.journey_id.type().is_integer():
        return rows.mutate(unit_id=_person_key(rows.journey_id))
    return rows.join(links(asked), "journey_id")


def _person_key(journey: ir.IntegerValue) -> ir.IntegerValue:
    """The number of the person whose journey has that number."""
    return (journey // PASSES_OF_ONE).cast("int64")


def visits(asked: Asked) -> ir.Table:
    """Visits of each unit: unit_id and the columns of the model's visit tables.

    Of responses: those beyond Inquiry of the journeys they tipped.
    """
    if asked.unit == "opportunities":
        own = of_funnel(asked, "opportunity_visits").rename(unit_id="opportunity_id")
        return own.filter(own.stage_no.isin(list(asked.stages)))
    of_journeys = of_funnel(asked, "journey_visits")
    if asked.unit == "journeys":
        return of_journeys.rename(unit_id="journey_id")
    of_journeys = linked_to(asked, of_journeys).drop("journey_id")
    return of_journeys.filter(of_journeys.stage_no > 0) if asked.unit == "responses" else of_journeys


def places(asked: Asked) -> ir.Table:
    """Where each unit stood from when until when: unit_id, stage_no, entered_s, left_s (null: still).

    A response stands where the journey does that it tipped; any other one at Inquiry while its
    journey lasts.
    """
    if asked.unit != "responses":
        return visits(asked).select("unit_id", "stage_no", "entered_s", "left_s")
    counted = of_funnel(asked, "responses").filter(ibis._.fate.isin(COUNTED_FATES))
    own = counted.select("journey_id", "fate", "responded_s", unit_id="response_id")
    joined = own.join(of_funnel(asked, "journey_visits"), "journey_id")
    known = joined.select("unit_id", "stage_no", "entered_s", "left_s", "fate", "responded_s")
    # A projection of its own: in a join Ibis cannot compare a column that a join has computed.
    stood = known.mutate(
        stage_no=ibis.ifelse(ibis._.fate == TIPPED, ibis._.stage_no, ibis.literal(0, "int64")),
        entered_s=ibis.greatest(ibis._.entered_s, ibis._.responded_s),
    )
    return stood.drop("fate", "responded_s")


def of_funnel(asked: Asked, name: str) -> ir.Table:
    """The rows of the funnel in one of its tables.

    `journey_id` is what tells journeys apart in this question: their number where it is one of
    numbers (and the snapshot has them), else their name. The tables `journeys` and `responses`
    have person_key beside it, which tells people apart in the same way (null: in no journey);
    `journeys` has journey_name.
    """
    table = asked.opened[name]
    own = table.filter(table.funnel == asked.funnel_name)
    columns = {column: own[column] for column in table.columns if column not in ("funnel", NUMBER)}
    numbered = asked.numbered and NUMBER in table.columns
    if name in ("journeys", "responses"):
        columns["person_key"] = _person_key(own[NUMBER]) if numbered else own.person_id
    if name == "journeys":
        columns["journey_name"] = own.journey_id
    if numbered:
        columns["journey_id"] = own[NUMBER]
    return own.select(**columns)


def name_of(rows: ir.Table) -> ir.Value:
    """The name of the unit of each row, which rows of a question of numbers have beside its number."""
    return rows.unit_name if "unit_name" in rows.columns else rows.unit_id


def _no_money(table: ir.Table) -> ir.Table:
    return table.mutate(opportunity_id=ibis.null("string"), amount=ibis.null("int64"), amount_state=ibis.null("string"))


def _described(asked: Asked) -> ir.Table:
    """Journeys with the account of their person."""
    owners = asked.opened["people"].select("person_id", "account_id")
    return of_funnel(asked, "journeys").left_join(owners, "person_id").drop("person_id_right")


def _unit(table: ir.Table, name: str) -> ir.Table:
    return table.select(
        "unit_id",
        "unit_name",
        "person_id",
        "account_id",
        "campaign_id",
        "journey_id",
        "opportunity_id",
        "amount",
        "amount_state",
        "opened_day",
        object=ibis.literal(name),
    )


def _journeys(asked: Asked) -> ir.Table:
    rows = _described(asked).mutate(
        unit_id=ibis._.journey_id,
        unit_name=ibis._.journey_name,
        campaign_id=ibis._.origin_campaign_id,
        opened_day=ibis._.started_day,
    )
    return _unit(_no_money(rows), "Person")


def _first_of(rows: ir.Table, key: str) -> ir.Table:
    """The first journey of each person or account: it gives the dimensions."""
    window = ibis.window(group_by=key, order_by=[ibis._.started_s.isnull(), "started_s", "journey_id"])
    ranked = rows.mutate(nth=ibis.row_number().over(window))
    return ranked.filter(ranked.nth == 0)


def _people(asked: Asked) -> ir.Table:
    first = _first_of(_described(asked), "person_key")
    rows = first.mutate(
        unit_id=first.person_key,
        unit_name=first.person_id,
        campaign_id=first.origin_campaign_id,
        opened_day=first.started_day,
    )
    return _unit(_no_money(rows), "Person")


def _accounts(asked: Asked) -> ir.Table:
    owned = _described(asked).filter(ibis._.account_id.notnull())
    first = _first_of(owned, "account_id")
    rows = first.mutate(
        unit_id=first.account_id,
        unit_name=first.account_id,
        campaign_id=first.origin_campaign_id,
        opened_day=first.started_day,
    )
    return _unit(_no_money(rows), "Account")


def _responses(asked: Asked) -> ir.Table:
    return _response_units(asked, of_funnel(asked, "responses").filter(ibis._.fate.isin(COUNTED_FATES)))


def every_response(asked: Asked) -> ir.Table:
    """Every campaign member that responded, of any fate, in the shape of `units`."""
    return _response_units(asked, of_funnel(asked, "responses"))


def _response_units(asked: Asked, responses: ir.Table) -> ir.Table:
    owners = asked.opened["people"].select("person_id", "account_id")
    rows = responses.left_join(owners, "person_id").drop("person_id_right")
    rows = rows.mutate(unit_id=rows.response_id, unit_name=rows.response_id, opened_day=rows.responded_day)
    return _unit(_no_money(rows), "CampaignMember")


def _opportunities(asked: Asked) -> ir.Table:
    deals = asked.opened["deals"]
    rows = deals.mutate(unit_id=deals.opportunity_id, unit_name=deals.opportunity_id)
    if "opportunity_origins" in asked.opened:
        origins = of_funnel(asked, "opportunity_origins")
        campaigns = of_funnel(asked, "journeys").select("journey_id", campaign_id="origin_campaign_id")
        known = origins.join(campaigns, "journey_id")
        rows = rows.left_join(known, "opportunity_id").drop("opportunity_id_right")
    else:
        rows = rows.mutate(
            journey_id=ibis.null("string"), person_id=ibis.null("string"), campaign_id=ibis.null("string")
        )
    return _unit(rows.mutate(opened_day=rows.created_day), "Opportunity")


def _response_stages(asked: Asked, linked: ir.Table) -> ir.Table:
    """Inquiry is the response itself; later stages are those of the journey it tipped."""
    counted = of_funnel(asked, "responses").filter(ibis._.fate.isin(COUNTED_FATES))
    later = linked.filter(linked.stage_no > 0)
    first_later = later.group_by("unit_id").aggregate(later_s=later.entered_s.min(), later_day=later.entered_day.min())
    own = counted.select(
        entered_s="responded_s",
        entered_day="responded_day",
        entered_is_date="responded_is_date",
        unit_id="response_id",
        evidence="date_evidence",
    )
    joined = own.left_join(first_later, "unit_id").drop("unit_id_right")
    inquiries = joined.select(
        "unit_id",
        "entered_s",
        "entered_day",
        "entered_is_date",
        "evidence",
        stage_no=ibis.literal(0, "int64"),
        known=ibis.literal("observed"),
        later_s="entered_s",
        later_day="entered_day",
        beyond_s="later_s",
        beyond_day="later_day",
    )
    return ibis.union(inquiries.select(*STAGE_COLUMNS), later.select(*STAGE_COLUMNS))


def _merged(asked: Asked, linked: ir.Table) -> ir.Table:
    """The union over all journeys of a unit.

    Most units have one journey, which needs no merging: only the others are ranked, for ranking
    millions of rows costs more than all the rest of a question.
    """
    several = _of_several_journeys(asked)
    one = linked.anti_join(several, "unit_id").select(*STAGE_COLUMNS)
    return one.union(_first_of_all(linked.semi_join(several, "unit_id")))


def _of_several_journeys(asked: Asked) -> ir.Table:
    """Units with more than one journey: unit_id."""
    if asked.unit == "people":
        later = of_funnel(asked, "journeys").filter(ibis._.pass_no > 1)
        return later.select(unit_id="person_key").distinct()
    counted = links(asked).group_by("unit_id").aggregate(journeys=ibis._.count())
    return counted.filter(counted.journeys > 1).select("unit_id")


def _first_of_all(linked: ir.Table) -> ir.Table:
    """Stages of units with several journeys; first entries decide, observed before implied."""
    window = ibis.window(
        group_by=["unit_id", "stage_no"],
        order_by=[linked.entered_s.isnull(), "entered_s", "entered_day", "known", "journey_id"],
    )
    ranked = linked.mutate(nth=ibis.row_number().over(window))
    whole = linked.group_by("unit_id", "stage_no").aggregate(
        first_later_s=linked.later_s.min(),
        first_later_day=linked.later_day.min(),
        first_beyond_s=linked.beyond_s.min(),
        first_beyond_day=linked.beyond_day.min(),
    )
    first = ranked.filter(ranked.nth == 0).drop("later_s", "later_day", "beyond_s", "beyond_day")
    joined = first.join(whole, ["unit_id", "stage_no"])
    merged = {name: f"first_{name}" for name in ("later_s", "later_day", "beyond_s", "beyond_day")}
    return joined.rename(merged).select(*STAGE_COLUMNS)
