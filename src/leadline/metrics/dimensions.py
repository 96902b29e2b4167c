"""Dimensions of units: each unit has one value of each.

What has no value is null ("(none)" on screen); a unit without an origin response has the campaign
"no response".
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import ibis
import ibis.expr.types as ir

from leadline.errors import UnknownNameError, UsageError
from leadline.metrics.query import Asked
from leadline.metrics.rollup import SEPARATOR
from leadline.metrics.units import of_funnel
from leadline.model import dimensions as declared_dimensions
from leadline.model.opened import JOURNEY_DIMENSIONS
from leadline.model.responses import COUNTED_FATES

NO_RESPONSE = "no response"
DEPTH = 5
"""Levels of a campaign hierarchy, the most that Salesforce keeps."""
LEVELS = tuple(f"campaign_level_{level}" for level in range(1, DEPTH + 1))
"""The campaign on each level of the hierarchy, from the top."""
CAMPAIGN = ("campaign", "campaign_id", "campaign_parent", "campaign_path", *LEVELS)
"""Dimensions that rest on the campaign itself."""
SAME_SPLIT = ("campaign_id", "campaign_path", *LEVELS)
"""Dimensions that split units as others do already, or into parts of them; looked at only when named."""
WRITTEN = ("generated_by", "written_by")
"""Dimensions that rest on who made the record, by the maps of the settings."""
PASS = "pass"
"""Whether a journey is the person's first one or a later one."""

_LINK = {"campaign": "campaign_id", "person": "person_id", "account": "account_id", "opportunity": "opportunity_id"}


def names(asked: Asked) -> list[str]:
    """Every dimension the unit can be grouped by."""
    fields = declared_dimensions.declared(asked.opened.settings)
    own = [name for name, one in fields.items() if _fits(asked.unit, declared_dimensions.kind_of(one))]
    return [*CAMPAIGN, *WRITTEN, *([PASS] if asked.funnel.of_people else []), *own]


def _fits(unit: str, kind: str) -> bool:
    return kind != "opportunity" or unit == "opportunities"


def looked_through(asked: Asked) -> list[str]:
    """The dimensions to split by: those of `by`, else all that the snapshot knows values of."""
    if asked.by:
        return list(dict.fromkeys(asked.by))
    values = asked.opened["dimension_values"]
    held = {row["dimension"] for row in asked.opened.arrow(values.select("dimension").distinct()).to_pylist()}
    declared = declared_dimensions.declared(asked.opened.settings)
    found = [name for name in names(asked) if name not in SAME_SPLIT and (name not in declared or name in held)]
    return [name for name in found if name != "written_by" or "users" in asked.opened]


def stored(asked: Asked, wanted: Iterable[str]) -> ir.Table | None:
    """Some dimensions of journeys as the snapshot keeps them ready: unit_id and a column for each.

    None if it does not keep all of them, or other units are asked for.
    """
    if not (asked.unit == "journeys" and asked.numbered and JOURNEY_DIMENSIONS in asked.opened):
        return None
    values = of_funnel(asked, JOURNEY_DIMENSIONS)
    names = dict.fromkeys(wanted)
    return values.select(*names, unit_id="journey_id") if names.keys() <= {*values.columns} else None


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
    if name == "written_by":
        return _written_by(asked, units)
    if name == PASS and asked.funnel.of_people:
        return _pass(asked, units)
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
    labels = _labels(asked.opened["campaigns"], name)
    joined = units.left_join(labels, [("campaign_id", "_link_id")])
    label = ibis.cases((joined.campaign_id.isnull(), NO_RESPONSE), else_=joined["_label"])
    if name == "campaign":
        label = ibis.coalesce(label, joined.campaign_id)
    return joined.mutate(**{name: label}).drop("_link_id", "_label")


def _labels(campaigns: ir.Table, name: str) -> ir.Table:
    """What a dimension calls each campaign: _link_id, _label."""
    if name == "campaign":
        return campaigns.select(_link_id="campaign_id", _label="campaign")
    if name == "campaign_parent":
        parents = campaigns.select(parent_id="campaign_id", parent_label="campaign")
        return campaigns.left_join(parents, "parent_id").select(_link_id="campaign_id", _label=ibis._.parent_label)
    line = _ancestry(campaigns)
    if name == "campaign_path":
        path = line.above_0
        for step in range(1, DEPTH):
            above = line[f"above_{step}"]
            path = ibis.ifelse(above.isnull(), path, above.concat(SEPARATOR, path))
        return line.select(_link_id="campaign_id", _label=path)
    level = LEVELS.index(name)
    # The top is the furthest ancestor there is; level n lies n − 1 steps below it.
    cases = [
        (line[f"above_{step}"].notnull(), line[f"above_{step - level}"] if step >= level else ibis.null("string"))
        for step in reversed(range(DEPTH))
    ]
    return line.select(_link_id="campaign_id", _label=ibis.cases(*cases))


def _ancestry(campaigns: ir.Table) -> ir.Table:
    """campaign_id and the names of the campaign (above_0) and of those above it (above_1 …), null beyond the top."""
    # The sign between the parts of a path may not stand inside one.
    name = ibis.coalesce(campaigns.campaign, campaigns.campaign_id).replace(SEPARATOR, " / ")
    line = campaigns.select("campaign_id", above_0=name, next_id="parent_id")
    named = campaigns.select(up_id="campaign_id", up_name=name, up_next="parent_id")
    for step in range(1, DEPTH):
        joined = line.left_join(named, [("next_id", "up_id")])
        kept = ["campaign_id", *[f"above_{below}" for below in range(step)]]
        line = joined.select(*kept, **{f"above_{step}": joined.up_name, "next_id": joined.up_next})
    return line


def _generated_by(asked: Asked, units: ir.Table) -> ir.Table:
    """Who generated it, by the configured maps: the first that says something.

    The origin campaign's type, the lead source, the role or department of the user who created the
    person's earliest record.
    """
    settings = asked.opened.settings
    joined = attach(asked, units, ["campaign_type", "lead_source"])
    cases = [
        (joined[field] == value, ibis.literal(team))
        for field in ("campaign_type", "lead_source")
        for value, team in settings.generated_by.items()
    ]
    spare = [column for column in ("campaign_type", "lead_source") if column not in units.columns]
    known = joined.mutate(generated_by=ibis.cases(*cases) if cases else ibis.null("string")).drop(*spare)
    if not settings.generated_by_role:
        return known
    creators = _creators(asked, "people", "person_id", "generated_by").select("_record_id", "label")
    by_role = known.left_join(creators, [("person_id", "_record_id")])
    return by_role.mutate(generated_by=ibis.coalesce(by_role.generated_by, by_role.label)).drop("_record_id", "label")


def _written_by(asked: Asked, units: ir.Table) -> ir.Table:
    """Who wrote the record: the member, the opportunity, of all else the person's earliest record."""
    table, key, own = {
        "responses": ("members", "response_id", "unit_id"),
        "opportunities": ("opportunities", "opportunity_id", "opportunity_id"),
    }.get(asked.unit, ("people", "person_id", "person_id"))
    creators = _creators(asked, table, key, "written_by")
    labelled = creators.select("_record_id", written_by=ibis.coalesce(creators.label, creators.created_by_id))
    return units.left_join(labelled, [(own, "_record_id")]).drop("_record_id")


def _pass(asked: Asked, units: ir.Table) -> ir.Table:
    """first or later: by the journey the unit is described by; null without one."""
    own = of_funnel(asked, "journeys")
    label = ibis.ifelse(own.pass_no == 1, ibis.literal("first"), ibis.literal("later"))
    named = own.select(_pass_journey="journey_id", **{PASS: label})
    return units.left_join(named, [("journey_id", "_pass_journey")]).drop("_pass_journey")


def _creators(asked: Asked, table: str, key: str, column: str) -> ir.Table:
    """Records with their creator and what `users` says of that one in a column: _record_id, created_by_id, label."""
    records = asked.opened[table].select("created_by_id", _record_id=key)
    users = asked.opened["users"].select("user_id", label=column)
    return records.left_join(users, [("created_by_id", "user_id")]).drop("user_id")


def filtered(asked: Asked, units: ir.Table) -> ir.Table:
    """Units that have every wanted value; an empty value asks for units without one."""
    return having(attach(asked, units, list(asked.query.where)), asked.query.where)


def having(rows: ir.Table, where: Mapping[str, str]) -> ir.Table:
    """Rows with every wanted value of a column; an empty value asks for those without one."""
    kept = rows
    for name, value in where.items():
        kept = kept.filter(kept[name].isnull() if value == "" else kept[name] == value)
    return kept


def touched(asked: Asked, units: ir.Table) -> ir.Table:
    """Every unit once per campaign it responded to (overlapping)."""
    own = of_funnel(asked, "responses").filter(ibis._.fate.isin(COUNTED_FATES))
    if asked.unit == "people":
        people = units.select(person_id="unit_name", _key="unit_id")
        pairs = own.join(people, "person_id").select("_key", _campaign_id="campaign_id").distinct()
    else:
        pairs = own.select(_key="journey_id", _campaign_id="campaign_id").distinct()
    joined = units.join(pairs, [("unit_id", "_key")])
    return joined.mutate(campaign_id=joined["_campaign_id"]).drop("_key", "_campaign_id")


def described(asked: Asked, units: ir.Table) -> ir.Table:
    """Units as a metric groups them: filtered, with the columns of `--by`."""
    known = filtered(asked, units)
    if asked.query.touched:
        known = touched(asked, known)
    return attach(asked, known, list(asked.by))
