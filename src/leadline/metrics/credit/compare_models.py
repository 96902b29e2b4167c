"""Models compared: how the place and the credit of campaigns change from one model to the next."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Unpack

from leadline.errors import UnknownNameError, UsageError
from leadline.metrics.assemble import Assembly
from leadline.metrics.credit import touches, variants
from leadline.metrics.credit.allocation import Chosen
from leadline.metrics.credit.variants import Family, Variant
from leadline.metrics.influence import Question, Split, question
from leadline.metrics.listing import listed
from leadline.metrics.query import Query
from leadline.model.opened import Opened
from leadline.results import Column, Result

LOOK_BACK, SCOPE, UNDATED = "look-back", "scope", "undated"
SENSITIVE_TO = (LOOK_BACK, SCOPE, UNDATED)

LOOK_BACKS = (30, 90, 180, 365, 730)
"""Days before the creation that are tried, beside those of the settings."""

DATED_ONLY, STOOD_IN = "dated responses only", "undated ones from their member's creation"

_FIRST = (
    Column("period", "text", help="Period of the opportunity"),
    Column("bucket", "text", help="campaign, other_window, pending or unattributed"),
    Column("reason", "text", help="Why an amount is unattributed"),
    Column("campaign_id", "text", help="Salesforce id of the campaign"),
    Column("campaign", "text", help="Campaign"),
    Column("model", "text", help="Model that gives the points"),
)
_VARIATION = Column("variation", "text", help="What is varied: days of look-back, scope, or undated responses")
_LAST = (
    Column("scope", "text", help="Whose responses count"),
    Column("window", "text", help="influenced, sourced or accelerated"),
    *variants.CREDIT,
)
COMPARE_COLUMNS = (*_FIRST, *_LAST)
SENSITIVITY_COLUMNS = (*_FIRST, _VARIATION, *_LAST)

COMPARE_TEXT = "Places and credit beside those of the first model, {base}."
SENSITIVITY_TEXT = "The same split with another {what}, beside the first one, {base}."

_LINKS = {
    "object": "object",
    "at": "created_s",
    "evidence": "evidence",
    "opportunity_id": "opportunity_id",
    "amount": "amount",
    **{column.name: column.name for column in variants.LIST_EXTRA},
}


def compared(opened: Opened, query: Query, models: Sequence[str], **split: Unpack[Split]) -> Result:
    """Credit and place of each campaign by every model, against the first one.

    Args:
        models: names of at least two models; the others are compared with the first.
        split: how amounts are split; no stage as goal.

    Raises:
        UnknownNameError: model, scope, window, date, goal or dimension that does not exist.
        UsageError: fewer than two models, or a unit other than opportunities.
    """
    asked = _question(opened, query, models, split)
    names = [one.name for one in asked.models]
    if len(names) < 2:
        raise UsageError("One model has nothing beside it; name at least two, e.g. --compare first,last.")
    family = Family(asked.shape, _answered(asked, names))
    text = COMPARE_TEXT.format(base=names[0])
    return _result(asked, [family], COMPARE_COLUMNS, "influence-compare", "Models compared", text)


def sensitive(
    opened: Opened, query: Query, to: str, *, models: Sequence[str] | None = None, **split: Unpack[Split]
) -> Result:
    """Credit and place of each campaign with other look-backs, scopes, or with undated responses.

    Args:
        to: look-back, scope or undated.
        models: names of models, each by itself; default: those of leadline.toml.
        split: how amounts are split; no stage as goal.

    Raises:
        UnknownNameError: a name that does not exist.
        UsageError: a unit other than opportunities, or a model that looks at other things than responses.
    """
    if to not in SENSITIVE_TO:
        raise UnknownNameError("sensitivity", to, SENSITIVE_TO)
    usual = _question(opened, query, models or opened.settings.influence.models, split)
    for one in usual.models:
        if to != LOOK_BACK and one.model.touches != touches.RESPONSES:
            raise UsageError(
                f"Model {one.name!r} looks at members of roles, whatever {to} is asked for; take a model of responses."
            )
    asked = {label: _varied(usual, to, value) for label, value in _values(usual, to).items()}
    many = len(usual.models)
    answers = [_answered(one, [label] * many) for label, one in asked.items()]
    families = [Family(usual.shape, [one[at] for one in answers]) for at in range(many)]
    text = SENSITIVITY_TEXT.format(what=_SAID[to], base=next(iter(asked)))
    title = f"How far credit depends on {_SAID[to]}"
    return _result(usual, families, SENSITIVITY_COLUMNS, "influence-sensitivity", title, text)


def _question(opened: Opened, query: Query, names: Sequence[str], split: Split) -> Question:
    goal = split.get("goal", "closed")
    if goal not in touches.GOALS:
        raise UnknownNameError("goal", goal, touches.GOALS, "a comparison of credit on opportunities")
    return question(opened, query, list(names), split)


_SAID = {LOOK_BACK: "look-back", SCOPE: "scope", UNDATED: "treatment of undated responses"}


def _values(usual: Question, to: str) -> dict[str, int | str | bool]:
    """What is tried, by its label; the usual value first."""
    if to == LOOK_BACK:
        days = dict.fromkeys([usual.look_back, *sorted({*LOOK_BACKS} - {usual.look_back})])
        return {f"{day} days": day for day in days}
    if to == UNDATED:
        return {DATED_ONLY: False, STOOD_IN: True}
    there = [one for one in touches.SCOPES if one != touches.MATCHED or touches.MATCHES in usual.asked.opened]
    return {one: one for one in [usual.scope, *[one for one in there if one != usual.scope]]}


def _varied(usual: Question, to: str, value: int | str | bool) -> Question:
    """The usual question with one value changed."""
    scope = str(value) if to == SCOPE else usual.scope
    return Question(
        usual.asked,
        usual.models,
        scope,
        usual.window,
        usual.date,
        usual.goal,
        look_back=int(value) if to == LOOK_BACK else None,
        undated=bool(value) if to == UNDATED else False,
    )


def _answered(question: Question, labels: Sequence[str]) -> list[Variant]:
    deals = question.deals()
    outside = question.outside(deals)
    allocations = question.allocations(deals)
    found = question.rows(allocations)
    models: list[Chosen] = question.models
    return [
        Variant(label, one, allocations, rows, outside) for label, one, rows in zip(labels, models, found, strict=True)
    ]


def _moved(made: Assembly, families: Sequence[Family], kind: str) -> Result:
    """The opportunities of which something changed hands, those that moved most first."""
    found = listed(made, variants.moved(families), _LINKS, variants.LIST_EXTRA, kind=kind)
    order = [("moved_amount", "descending"), *[(name, "ascending") for name in ("unit_id", "model", "variation")]]
    return replace(found, table=found.table.sort_by(order))


def _result(
    question: Question,
    families: Sequence[Family],
    columns: tuple[Column, ...],
    kind: str,
    title: str,
    text: str,
) -> Result:
    made = question.assembly(title, text)
    # A deal moves between campaigns, so the list is split by dimensions of the opportunity only.
    by_deal = replace(question.asked, query=replace(question.asked.query, by=tuple(question.deal_by)))
    of_deals = Assembly(by_deal, made.kind, made.title, made.text)
    result = made.result(
        columns,
        [row for family in families for row in variants.rows(family)],
        totals=tuple(total for family in families for total in variants.totals(family)),
        units=families[0].base.allocations.deals,
        records=lambda: _moved(of_deals, families, kind),
        notes=[*question.said(), *families[0].base.allocations.said()],
        by=(*question.deal_by, *question.campaign_by),
    )
    return question.told(replace(result, kind=kind))
