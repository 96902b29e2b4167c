"""Touches: the responses of the people on an opportunity that lie in its window."""

from __future__ import annotations

import ibis
import ibis.expr.types as ir

from leadline.errors import UnknownNameError
from leadline.metrics.query import Asked
from leadline.model import responses
from leadline.model.events import FOREVER

SCOPES = ("role", "primary role", "account")
WINDOWS = ("influenced", "sourced", "accelerated")
DATES = ("created", "closed")

REASONS = (
    "no person in scope",
    "nobody responded",
    "only undated responses",
    "no response in window",
    "only excluded responses",
)
"""Why an amount is unattributed, first that applies."""


def people(asked: Asked, deals: ir.Table, scope: str) -> ir.Table:
    """Pairs of opportunity and person in scope, each once.

    Raises:
        UnknownNameError: no scope of that name.
    """
    if scope not in SCOPES:
        raise UnknownNameError("scope", scope, SCOPES)
    if scope == "account":
        owners = asked.opened["people"].filter(ibis._.account_id.notnull()).select("person_id", "account_id")
        return (
            deals.select("opportunity_id", "account_id")
            .join(owners, "account_id")
            .select("opportunity_id", "person_id")
        )
    pairs = asked.opened["opportunity_people"]
    chosen = pairs.filter(pairs.is_primary if scope == "primary role" else pairs.has_role)
    return chosen.select("opportunity_id", "person_id").semi_join(deals, "opportunity_id")


def touches(asked: Asked, deals: ir.Table, scope: str, look_back_days: int) -> ir.Table:
    """Dated responses of people in scope from look-back before creation up to the close or as-of.

    Without a creation the window is anchored on the close. Columns: opportunity_id, response_id,
    person_id, campaign_id, s (sort key), is_sourced (at or before the creation).
    """
    opened = asked.opened
    answers = _counted(asked).select("person_id", "response_id", "campaign_id", s="responded_s", day="responded_day")
    windows = deals.select(
        "opportunity_id",
        "created_s",
        "created_day",
        "created_is_date",
        until_s=ibis.ifelse(
            deals.state == "open", ibis.literal(opened.as_of.second, "int64"), deals.closed_s.fill_null(FOREVER)
        ),
        anchor_day=ibis.coalesce(deals.created_day, deals.closed_day, ibis.literal(opened.as_of.day, "int64")),
    )
    joined = people(asked, deals, scope).join(answers, "person_id").join(windows, "opportunity_id")
    inside = joined.filter((joined.s <= joined.until_s) & (joined.anchor_day - joined.day <= look_back_days))
    before = ibis.ifelse(inside.created_is_date, inside.day <= inside.created_day, inside.s <= inside.created_s)
    return inside.select(
        "opportunity_id", "response_id", "person_id", "campaign_id", "s", is_sourced=before.fill_null(True)
    )


def _counted(asked: Asked) -> ir.Table:
    answers = asked.opened["responses"]
    own = answers.filter(answers.fate.isin(responses.COUNTED_FATES))
    return own.filter(own.funnel == people_funnel(asked))


def people_funnel(asked: Asked) -> str:
    """Name of the funnel whose responses are read: the asked one if it has people, else the first that has."""
    funnels = asked.opened.settings.funnel
    if asked.funnel.of_people:
        return asked.funnel_name
    return next((name for name, funnel in funnels.items() if funnel.of_people), "")


def reasons(asked: Asked, deals: ir.Table, scope: str, touched: ir.Table) -> ir.Table:
    """Why opportunities without a touch have none: opportunity_id, reason."""
    without = deals.select("opportunity_id").anti_join(touched, "opportunity_id")
    pairs = people(asked, deals, scope).semi_join(without, "opportunity_id")
    answers = asked.opened["responses"]
    own = answers.filter((answers.funnel == people_funnel(asked)) & (answers.fate != responses.AFTER_AS_OF))
    found = pairs.join(own.select("person_id", "fate"), "person_id")
    seen = found.group_by("opportunity_id").aggregate(
        undated=(found.fate == responses.NO_DATE).any(),
        counted=found.fate.isin((*responses.COUNTED_FATES, responses.DUPLICATE)).any(),
    )
    with_people = pairs.select("opportunity_id").distinct().mutate(has_people=ibis.literal(True))
    joined = without.left_join(with_people, "opportunity_id").drop("opportunity_id_right")
    joined = joined.left_join(seen, "opportunity_id").drop("opportunity_id_right")
    reason = ibis.cases(
        (joined.has_people.isnull(), REASONS[0]),
        (joined.counted.isnull(), REASONS[1]),
        (joined.counted, REASONS[3]),
        (joined.undated, REASONS[2]),
        else_=REASONS[4],
    )
    return joined.select("opportunity_id", reason=reason)
