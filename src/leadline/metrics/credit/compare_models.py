"""Models compared: how the place and the credit of campaigns change from one model to the next."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from leadline import credit_models
from leadline.errors import UnknownNameError, UsageError
from leadline.metrics.assemble import Assembly
from leadline.metrics.credit import touches, variants
from leadline.metrics.credit.allocation import Chosen, chosen
from leadline.metrics.credit.variants import Family, Variant
from leadline.metrics.influence import Question, asked_of_opportunities
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


def compared(
    opened: Opened,
    query: Query,
    models: Sequence[str],
    *,
    scope: str | None = None,
    window: str = "influenced",
    date: str = "created",
    goal: str = "closed",
    known: Mapping[str, credit_models.Model] | None = None,
) -> Result:
    """Credit and place of each campaign by every model, against the first one.

    Args:
        models: names of at least two models; the others are compared with the first.
        scope, window, date, goal, known: as `influence` takes them, but for stages as goal.

    Raises:
        UnknownNameError: model, scope, window, date, goal or dimension that does not exist.
        UsageError: fewer than two models, or a unit other than opportunities.
    """
    _require_goal(goal)
    wanted = chosen(list(models), credit_models.load() if known is None else known)
    if len(wanted) < 2:
        raise UsageError("One model has nothing beside it; name at least two, e.g. --compare first,last.")
    asked = asked_of_opportunities(opened, query, window, date)
    question = Question(asked, wanted, scope, window, date, goal)
    family = Family(question.shape, _answered(question, [one.name for one in wanted]))
    text = COMPARE_TEXT.format(base=wanted[0].name)
    return _result(question, [family], COMPARE_COLUMNS, "influence-compare", "Models compared", text)


def sensitive(
    opened: Opened,
    query: Query,
    to: str,
    *,
    models: Sequence[str] | None = None,
    scope: str | None = None,
    window: str = "influenced",
    date: str = "created",
    goal: str = "closed",
    known: Mapping[str, credit_models.Model] | None = None,
) -> Result:
    """Credit and place of each campaign with other look-backs, scopes, or with undated responses.

    Args:
        to: look-back, scope or undated.
        models: names of models, each by itself; default: those of leadline.toml.
        scope, window, date, goal, known: as `influence` takes them, but for stages as goal.

    Raises:
        UnknownNameError: a name that does not exist.
        UsageError: a unit other than opportunities, or a model that looks at other things than responses.
    """
    if to not in SENSITIVE_TO:
        raise UnknownNameError("sensitivity", to, SENSITIVE_TO)
    _require_goal(goal)
    names = list(models or opened.settings.influence.models)
    wanted = chosen(names, credit_models.load() if known is None else known)
    for one in wanted:
        if to != LOOK_BACK and one.model.touches != touches.RESPONSES:
            raise UsageError(
                f"Model {one.name!r} looks at members of roles, whatever {to} is asked for; take a model of responses."
            )
    asked = asked_of_opportunities(opened, query, window, date)
    usual = Question(asked, wanted, scope, window, date, goal)
    questions = {label: _varied(usual, to, value) for label, value in _values(usual, to).items()}
    answers = [_answered(question, [label] * len(wanted)) for label, question in questions.items()]
    families = [Family(usual.shape, [one[at] for one in answers]) for at in range(len(wanted))]
    text = SENSITIVITY_TEXT.format(what=_SAID[to], base=next(iter(questions)))
    title = f"How far credit depends on {_SAID[to]}"
    return _result(usual, families, SENSITIVITY_COLUMNS, "influence-sensitivity", title, text)


_SAID = {LOOK_BACK: "look-back", SCOPE: "scope", UNDATED: "treatment of undated responses"}


def _require_goal(goal: str) -> None:
    if goal not in touches.GOALS:
        raise UnknownNameError("goal", goal, touches.GOALS, "a comparison of credit on opportunities")


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
        notes=question.said(),
        by=(*question.deal_by, *question.campaign_by),
    )
    return question.told(replace(result, kind=kind))
