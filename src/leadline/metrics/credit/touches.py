"""Touches: the responses of the people on an opportunity that lie in its window."""

from __future__ import annotations

import ibis
import ibis.expr.types as ir

from leadline.errors import UnknownNameError, UsageError
from leadline.metrics.credit import org_touches
from leadline.metrics.query import Asked
from leadline.model import responses
from leadline.model.events import FOREVER

ACCOUNT, MATCHED = "account", "account + matched leads"
SCOPES = ("role", "primary role", ACCOUNT, MATCHED)
MATCHES = "account_matches"
"""The table of leads that belong to an account."""
WINDOWS = ("influenced", "sourced", "accelerated")
DATES = ("created", "closed")
GOALS = ("closed", "created")
"""Up to which moment of an opportunity its touches count."""
JOURNEY = "journey"
"""The scope of a journey: its own person, whoever else is on a deal."""

RESPONSES = "responses"
"""What most models look at; the others look at campaign members of any status."""

NO_PRIMARY = "no primary campaign"
REASONS = (
    "no person in scope",
    "nobody responded",
    "only undated responses",
    "no response in window",
    "only excluded responses",
    NO_PRIMARY,
)
"""Why an amount is unattributed; of the first five the first that applies."""


def people(asked: Asked, deals: ir.Table, scope: str) -> ir.Table:
    """Pairs of opportunity and person in scope, each once.

    Raises:
        UnknownNameError: no scope of that name.
    """
    if scope == JOURNEY:
        journeys = asked.opened["journeys"].filter(ibis._.funnel == asked.funnel_name)
        return journeys.select("person_id", opportunity_id="journey_id").semi_join(deals, "opportunity_id")
    if scope not in SCOPES:
        raise UnknownNameError("scope", scope, SCOPES)
    if scope in (ACCOUNT, MATCHED):
        owners = asked.opened["people"].filter(ibis._.account_id.notnull()).select("person_id", "account_id")
        if scope == MATCHED:
            # Matched are only leads without an account of their own: nobody is there twice.
            owners = ibis.union(owners, matches(asked).select("person_id", "account_id"))
        return (
            deals.select("opportunity_id", "account_id")
            .join(owners, "account_id")
            .select("opportunity_id", "person_id")
        )
    pairs = asked.opened["opportunity_people"]
    chosen = pairs.filter(pairs.is_primary if scope == "primary role" else pairs.has_role)
    return chosen.select("opportunity_id", "person_id").semi_join(deals, "opportunity_id")


def matches(asked: Asked) -> ir.Table:
    """Leads that belong to an account, as the table `account_matches` says.

    Raises:
        UsageError: the snapshot was built before leads were matched.
    """
    if MATCHES not in asked.opened:
        raise UsageError(
            f"Snapshot {asked.opened.snapshot} was built before leads were matched to accounts, which the scope "
            f"{MATCHED!r} counts; run `leadline build` once."
        )
    return asked.opened[MATCHES]


def ends(asked: Asked, deals: ir.Table, goal: str) -> ir.Table:
    """The moment up to which touches count, as the moment `end`: opportunity_id, end_s, end_day, end_is_date.

    It is the close, as-of while an opportunity is open, or the creation if that is the goal.
    """
    cut = asked.opened.as_of
    if goal == "created":
        return deals.select("opportunity_id", end_s="created_s", end_day="created_day", end_is_date="created_is_date")
    is_open = deals.state == "open"
    return deals.select(
        "opportunity_id",
        end_s=ibis.ifelse(is_open, ibis.literal(cut.second, "int64"), deals.closed_s.fill_null(FOREVER)),
        end_day=ibis.ifelse(is_open, ibis.literal(cut.day, "int64"), deals.closed_day),
        end_is_date=ibis.ifelse(is_open, ibis.literal(False), deals.closed_is_date.fill_null(False)),
    )


def touches(
    asked: Asked,
    deals: ir.Table,
    scope: str,
    look_back_days: int,
    *,
    source: str = RESPONSES,
    goal: str = "closed",
    only: str | None = None,
    undated: bool = False,
) -> ir.Table:
    """Dated responses of people in scope from look-back before creation up to the close or as-of.

    Without a creation the window is anchored on the close. Columns: opportunity_id, response_id,
    person_id, campaign_id, status, s (sort key), day, is_date, is_sourced (at or before the creation).

    Args:
        asked: the question.
        deals: opportunities with the columns of `deals`.
        scope: whose responses count.
        look_back_days: how long before the creation they count.
        source: responses, members or modified_members.
        goal: closed, or created: only up to the creation.
        only: sourced or accelerated: that part of the window alone.
        undated: whether responses without a date count from the creation of their member on.
    """
    if source == org_touches.SOURCE:
        return org_touches.touches(asked, deals)
    created = deals.select("opportunity_id", "created_s", "created_day", "created_is_date")
    windows = created.join(ends(asked, deals, "closed"), "opportunity_id").mutate(
        anchor_day=lambda t: ibis.coalesce(t.created_day, t.end_day, ibis.literal(asked.opened.as_of.day, "int64"))
    )
    joined = (
        people(asked, deals, scope)
        .join(_answers(asked, source, undated=undated), "person_id")
        .join(windows, "opportunity_id")
    )
    inside = joined.filter((joined.at_s <= joined.end_s) & (joined.anchor_day - joined.at_day <= look_back_days))
    before = ibis.ifelse(inside.created_is_date, inside.at_day <= inside.created_day, inside.at_s <= inside.created_s)
    found = inside.select(
        "opportunity_id",
        "response_id",
        "person_id",
        "campaign_id",
        "status",
        "s",
        "day",
        "is_date",
        is_sourced=before.fill_null(True),
    )
    kept = found.filter(found.is_sourced) if goal == "created" else found
    return kept if only is None else kept.filter(kept.is_sourced == (only == "sourced"))


def _answers(asked: Asked, source: str, *, undated: bool = False) -> ir.Table:
    """What can be a touch, dated: at_s and at_day place it in a window, the moment s, day, is_date orders it."""
    if source == RESPONSES:
        dated = _placed(_counted(asked), "responded")
        return ibis.union(dated, _placed(_stood_in(asked), "created")) if undated else dated
    rows = _members(asked)
    known = rows.filter(asked.opened.as_of.happened(rows, "created"))
    order = "created" if source == "members" else "modified"
    return known.select(
        "person_id",
        "response_id",
        "campaign_id",
        "status",
        at_s=known.created_s,
        at_day=known.created_day,
        **{part: ibis.coalesce(known[f"{order}_{part}"], known[f"created_{part}"]) for part in ("s", "day", "is_date")},
    )


def _placed(answers: ir.Table, moment: str) -> ir.Table:
    """Responses as touches, placed and ordered by one of their moments."""
    own = {part: answers[f"{moment}_{part}"] for part in ("s", "day", "is_date")}
    return answers.select("person_id", "response_id", "campaign_id", "status", at_s=own["s"], at_day=own["day"], **own)


def _stood_in(asked: Asked) -> ir.Table:
    """Responses without a date that count from their member's creation: the earliest of a person and campaign.

    Only where the person has no dated response to that campaign: it would be the same one told twice.
    """
    keys = ["person_id", "campaign_id"]
    answers = asked.opened["responses"]
    own = answers.filter((answers.funnel == people_funnel(asked)) & (answers.fate == responses.NO_DATE))
    placed = own.filter(own.created_s.notnull()).anti_join(_counted(asked), keys)
    first = ibis.window(group_by=keys, order_by=["created_s", "response_id"])
    ranked = placed.mutate(nth=ibis.row_number().over(first))
    return ranked.filter(ranked.nth == 0).drop("nth")


def _members(asked: Asked) -> ir.Table:
    if "role_members" not in asked.opened:
        raise UsageError(
            f"Snapshot {asked.opened.snapshot} was built before campaign members of any status were kept, which this "
            "model counts; run `leadline build` once."
        )
    return asked.opened["role_members"]


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


def reasons(
    asked: Asked, deals: ir.Table, scope: str, touched: ir.Table, source: str = RESPONSES, *, undated: bool = False
) -> ir.Table:
    """Why opportunities without a touch have none: opportunity_id, reason.

    With `undated` a response without a date has the one of its member's creation, if that is known.
    """
    if source == org_touches.SOURCE:
        return org_touches.reasons(deals, touched)
    without = deals.select("opportunity_id").anti_join(touched, "opportunity_id")
    pairs = people(asked, deals, scope).semi_join(without, "opportunity_id")
    found = pairs.join(_known(asked, source, undated=undated), "person_id")
    seen = found.group_by("opportunity_id").aggregate(undated=found.undated.any(), counted=found.counted.any())
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


def _known(asked: Asked, source: str, *, undated: bool = False) -> ir.Table:
    """Everything a person answered up to as-of: person_id, counted (it has a date and counts), undated."""
    if source == RESPONSES:
        answers = asked.opened["responses"]
        own = answers.filter((answers.funnel == people_funnel(asked)) & (answers.fate != responses.AFTER_AS_OF))
        counted = own.fate.isin((*responses.COUNTED_FATES, responses.DUPLICATE))
        if undated:
            counted = counted | ((own.fate == responses.NO_DATE) & own.created_s.notnull())
        return own.select("person_id", counted=counted, undated=own.fate == responses.NO_DATE)
    rows = _members(asked)
    undated = rows.created_s.isnull()
    known = rows.filter(undated | asked.opened.as_of.happened(rows, "created"))
    return known.select("person_id", counted=known.created_s.notnull(), undated=known.created_s.isnull())
