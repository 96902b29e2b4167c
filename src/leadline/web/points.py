"""Points models from a form: the text of their file, its faults, and what they would do to real deals."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import ibis

from leadline.credit_models import Model, Points
from leadline.credit_models.files import read
from leadline.credit_models.kinds import RULE_SUBJECTS
from leadline.errors import LeadlineError
from leadline.web import tomltext
from leadline.web.seen import Sees

if TYPE_CHECKING:
    from leadline.model.opened import Opened
    from leadline.results import Result

BLANK = 2
"""Empty rules below those that are there."""

MOST_RULES = 20
SHOWN = 3
"""Deals of a preview unless others are named."""

MOST_DEALS = 5
WAYS = ("points", "words", "bands")
"""How a rule gives points: by whole values, by words in them, by days before the milestone."""

_LINE = re.compile(r"(?P<value>.*?)\s*[=:]\s*(?P<points>[+-]?\d{1,9})\s*")
_HEAD = "# Points of touches, written by the editor of the dashboard. Every rule adds to the others.\n"


@dataclass(frozen=True, slots=True)
class Draft:
    """A points model as a form holds it: every value is text.

    Attributes:
        name: of the file.
        rules: each with on, way, values (a line per value), other, to.
    """

    name: str = ""
    title: str = ""
    base: str = "0"
    roles: str = "largest"
    rules: tuple[dict[str, str], ...] = ()
    replaces: bool = False

    @property
    def file_name(self) -> str:
        """The name its file would have."""
        return tomltext.file_name(self.name or self.title, joint="_", empty="points")


@dataclass(frozen=True, slots=True)
class Checked:
    """The text of a draft's file, and the model it is or what is wrong with it."""

    text: str
    model: Model | None
    faults: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Deal:
    """A deal under the draft and under the model it is compared with.

    Attributes:
        rows: a touch each: campaign, at, rules, points, amount, other (amount of the other model).
        total, other_total: what the rows and the rest add up to.
    """

    opportunity_id: str
    title: str
    rows: tuple[dict[str, Any], ...] = ()
    rest: Decimal = Decimal(0)
    total: Decimal = Decimal(0)
    other_total: Decimal = Decimal(0)
    fault: str = ""


def from_form(form: Mapping[str, str]) -> Draft:
    """The draft a form holds; rules without a subject and without values are left out."""
    rules = []
    for at in range(MOST_RULES):
        own = {part: form.get(f"{part}-{at}", "").strip() for part in ("on", "way", "values", "other", "to")}
        if own["on"] and (own["values"] or own["other"] not in ("", "0")):
            rules.append(own)
    names = ("name", "title", "base", "roles")
    return Draft(
        **{name: form.get(name, "").strip() for name in names}, rules=tuple(rules), replaces=bool(form.get("replaces"))
    )


def of_model(name: str, model: Points) -> Draft:
    """The draft of a model that is there."""
    rules = []
    for rule in model.rules:
        way = "bands" if rule.bands else "words" if rule.words else "points"
        pairs = [(str(one.up_to_days), one.points) for one in rule.bands] or list((rule.words or rule.points).items())
        lines = "\n".join(f"{value} = {points}" for value, points in pairs)
        rules.append({"on": rule.on, "way": way, "values": lines, "other": str(rule.other), "to": rule.to})
    return Draft(name, model.title, str(model.base), model.roles, tuple(rules), replaces=model.replaces)


def checked(draft: Draft, known: Mapping[str, Model]) -> Checked:
    """The file of a draft, and the model it makes; `known` are the models beside it."""
    faults: list[str] = []
    text = _text(draft, faults)
    model, found = read(text.encode(), draft.file_name, known)
    return Checked(text, None if faults else model, (*faults, *found))


def _text(draft: Draft, faults: list[str]) -> str:
    head = {"kind": "points", "title": draft.title, "replaces": draft.replaces or None}
    base = _whole(draft.base or "0", "base", faults)
    told = tomltext.pairs({**head, "base": base or None, "roles": draft.roles if draft.roles != "largest" else None})
    return "\n".join([_HEAD + told, *(_rule_text(at, rule, faults) for at, rule in enumerate(draft.rules, start=1))])


def _rule_text(at: int, rule: Mapping[str, str], faults: list[str]) -> str:
    way = rule["way"] if rule["way"] in WAYS else "points"
    pairs = _pairs(at, rule["values"], faults)
    told: dict[str, Any] = {"on": rule["on"]}
    if way == "bands":
        told["bands"] = [
            {"up_to_days": _whole(value, f"rule {at}: days", faults), "points": points} for value, points in pairs
        ]
    else:
        told[way] = dict(pairs)
    if rule["on"] == "recency" and rule["to"]:
        told["to"] = rule["to"]
    other = _whole(rule["other"] or "0", f"rule {at}: every other value", faults)
    return "[[rules]]\n" + tomltext.pairs({**told, "other": other or None})


def _pairs(at: int, values: str, faults: list[str]) -> list[tuple[str, int]]:
    found = []
    for line in filter(None, (one.strip() for one in values.splitlines())):
        match = _LINE.fullmatch(line)
        if match is None:
            faults.append(f"rule {at}: {line[:60]!r} is no line such as 'Attended = 10'")
        else:
            found.append((match["value"].strip(), int(match["points"])))
    return found


def _whole(text: str, what: str, faults: list[str]) -> int:
    if re.fullmatch(r"[+-]?\d{1,9}", text.strip()):
        return int(text)
    faults.append(f"{what}: {text[:40]!r} is no whole number")
    return 0


def subjects(dimensions: Sequence[str]) -> tuple[str, ...]:
    """What a rule can look at."""
    return tuple(dict.fromkeys([*RULE_SUBJECTS, *dimensions]))


def telling_deals(opened: Opened, sees: Sees) -> list[str]:
    """Deals on which models differ: the largest won ones whose people responded several times."""
    if "opportunity_people" not in opened or "responses" not in opened:
        return []
    people, answers = opened["opportunity_people"].filter(ibis._.has_role), opened["responses"]
    deals = opened["deals"].filter(lambda table: (table.state == "won") & (table.amount_state == "known"))
    own = answers.filter(answers.responded_s.notnull()).select("person_id", "response_id").distinct()
    counted = people.join(own, "person_id").group_by("opportunity_id").aggregate(touches=lambda table: table.count())
    several = counted.filter(counted.touches > SHOWN)
    found = deals.semi_join(several, "opportunity_id").order_by([deals.amount.desc(), deals.opportunity_id])
    rows = opened.arrow(found.select("opportunity_id").limit(10 * SHOWN)).to_pylist()
    return [row["opportunity_id"] for row in rows if sees("opportunities", row["opportunity_id"])][:SHOWN]


def preview(
    opened: Opened, deals: Sequence[str], draft: str, other: str, known: Mapping[str, Model]
) -> tuple[Deal, ...]:
    """What a draft gives on each deal, beside another model.

    Args:
        opened: a snapshot.
        deals: ids of opportunities.
        draft: its name among the known models; other: the model beside it.
        known: models by name, the draft among them.
    """
    return tuple(_deal(opened, one, draft, other, known) for one in list(deals)[:MOST_DEALS])


def _deal(opened: Opened, record: str, draft: str, other: str, known: Mapping[str, Model]) -> Deal:
    from leadline.metrics.credit.deal_credit import deal_credit

    try:
        result = deal_credit(opened, record, models=list(dict.fromkeys([draft, other])), known=known)
    except LeadlineError as fault:
        return Deal(record, record, fault=str(fault))
    return _compared(result, draft, other)


def _compared(result: Result, draft: str, other: str) -> Deal:
    found: dict[str, dict[str, Any]] = {}
    rest, totals = Decimal(0), {draft: Decimal(0), other: Decimal(0)}
    for row in result.plain().to_pylist():
        if row["model"] is None:
            continue
        amount = Decimal(row["credit"])
        totals[row["model"]] += amount
        if row["bucket"] != "campaign":
            rest += amount if row["model"] == draft else 0
            continue
        own = found.setdefault(row["response_id"], _row(row))
        if row["model"] == draft:
            own |= {"rules": row["rules"], "points": row["points"], "amount": row["credit"]}
        if row["model"] == other:
            own["other"] = row["credit"]
    title = result.title.removeprefix("Credit of ")
    return Deal(result.filters["opportunity"], title, tuple(found.values()), rest, totals[draft], totals[other])


def _row(row: Mapping[str, Any]) -> dict[str, Any]:
    names = ("campaign", "campaign_id", "person_id", "response_id", "at")
    return {**{name: row[name] for name in names}, "rules": None, "points": 0, "amount": None, "other": None}
