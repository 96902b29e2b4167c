"""Dimensions of units: each unit has one value of each.

What has no value is null ("(none)" on screen); a unit without an origin response has the campaign
"no response".
"""

from __future__ import annotations

import ibis
import ibis.expr.types as ir

from leadline.errors import UnknownNameError, UsageError
from leadline.metrics.query import Asked
from leadline.model import dimensions as declared_dimensions
from leadline.model.responses import COUNTED_FATES

NO_RESPONSE = "no response"
CAMPAIGN = ("campaign", "campaign_id", "campaign_parent")
"""Dimensions that rest on the campaign itself."""

_LINK = {"campaign": "campaign_id", "person": "person_id", "account": "account_id", "opportunity": "opportunity_id"}


def names(asked: Asked) -> list[str]:
    """Every dimension the unit can be grouped by."""
    fields = declared_dimensions.declared(asked.opened.settings)
    own = [name for name, one in fields.items() if _fits(asked.unit, declared_dimensions.kind_of(one))]
    return [*CAMPAIGN, "generated_by", *own]


def _fits(unit: str, kind: str) -> bool:
    return kind != "opportunity" or unit == "opportunities"


def attach(asked: Asked, units: ir.Table, wanted: list[str]) -> ir.Table:
    """`units` with one column per wanted dimension.

    Raises:
        UnknownNameError: no dimension of that name.
        UsageError: the unit has no single value of that dimension.
    """
    joined = units
    for name in wanted:
        joined = _with_one(asked, joined, name)
    return joined


def _with_one(asked: Asked, units: ir.Table, name: str) -> ir.Table:
    if name in units.columns and name not in ("campaign_id",):
        return units
    if name in CAMPAIGN:
        return _campaign(asked, units, name)
    if name == "generated_by":
        return _generated_by(asked, units)
    fields = declared_dimensions.declared(asked.opened.settings)
    kind = declared_dimensions.kind_of(fields[name]) if name in fields else None
    if kind is None:
        raise UnknownNameError("dimension", name, names(asked), f"unit {asked.unit}")
    if not _fits(asked.unit, kind):
        raise UsageError(
            f"Dimension {name!r} belongs to opportunities; {asked.unit} can have several. Ask with --unit opportunities."
        )
    return _field(asked, units, name, kind)


def _field(asked: Asked, units: ir.Table, name: str, kind: str) -> ir.Table:
    values = asked.opened["dimension_values"]
    own = values.filter(values.dimension == name).select(_link_id="id", **{name: "value"})
    joined = units.left_join(own, [(_LINK[kind], "_link_id")]).drop("_link_id")
    if kind != "campaign":
        return joined
    return joined.mutate(**{name: ibis.ifelse(joined.campaign_id.isnull(), ibis.literal(NO_RESPONSE), joined[name])})


def _campaign(asked: Asked, units: ir.Table, name: str) -> ir.Table:
    if name == "campaign_id":
        return units
    campaigns = asked.opened["campaigns"]
    if name == "campaign":
        labels = campaigns.select(_link_id="campaign_id", _label="campaign")
    else:
        parents = campaigns.select(parent_id="campaign_id", parent_label="campaign")
        labels = campaigns.left_join(parents, "parent_id").select(_link_id="campaign_id", _label=ibis._.parent_label)
    joined = units.left_join(labels, [("campaign_id", "_link_id")])
    label = ibis.cases((joined.campaign_id.isnull(), NO_RESPONSE), else_=joined["_label"])
    if name == "campaign":
        label = ibis.coalesce(label, joined.campaign_id)
    return joined.mutate(**{name: label}).drop("_link_id", "_label")


def _generated_by(asked: Asked, units: ir.Table) -> ir.Table:
    """Who generated it, by the configured map: the origin campaign's type, else the lead source."""
    given = asked.opened.settings.generated_by
    joined = attach(asked, units, ["campaign_type", "lead_source"])
    cases = [
        (joined[field] == value, ibis.literal(team))
        for field in ("campaign_type", "lead_source")
        for value, team in given.items()
    ]
    team = ibis.cases(*cases) if cases else ibis.null("string")
    spare = [column for column in ("campaign_type", "lead_source") if column not in units.columns]
    return joined.mutate(generated_by=team).drop(*spare)


def filtered(asked: Asked, units: ir.Table) -> ir.Table:
    """Units that have every wanted value; an empty value asks for units without one."""
    kept = attach(asked, units, list(asked.query.where))
    for name, value in asked.query.where.items():
        kept = kept.filter(kept[name].isnull() if value == "" else kept[name] == value)
    return kept


def touched(asked: Asked, units: ir.Table) -> ir.Table:
    """Every unit once per campaign it responded to (overlapping)."""
    key = "journey_id" if asked.unit == "journeys" else "person_id"
    responses = asked.opened["responses"]
    own = responses.filter((responses.funnel == asked.funnel_name) & responses.fate.isin(COUNTED_FATES))
    pairs = own.select(_key=key, _campaign_id="campaign_id").distinct()
    joined = units.join(pairs, [("unit_id", "_key")])
    return joined.mutate(campaign_id=joined["_campaign_id"]).drop("_key", "_campaign_id")


def described(asked: Asked, units: ir.Table) -> ir.Table:
    """Units as a metric groups them: filtered, with the columns of `--by`."""
    known = filtered(asked, units)
    if asked.query.touched:
        known = touched(asked, known)
    return attach(asked, known, list(asked.by))
