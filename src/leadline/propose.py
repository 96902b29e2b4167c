"""Proposed settings: a commented `leadline.toml` that works on the data it was made from.

Inquiry, SQL (an opportunity was created) and Won are always there where the data has them; MQL
and SAL join when fields or statuses of that name are found. Every line says what it rests on.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass

import tomlkit

from leadline.survey import Column, DealStage, Status, Survey, ladder_stage, words

DISQUALIFIED = (
    r"\b(un|dis)qualified\b|\bnot (qualified|converted|interested)\b|\bno interest\b|\bjunk\b|\binvalid\b"
    r"|\bspam\b|\bbad (data|lead|fit)\b|\bdead\b|\bdo not (contact|call)\b"
)
"""Words of a lead status that ends a journey for good."""

RECYCLED = r"\brecycled?\b|\bnurtur(e|ed|ing)\b"
"""Words of a lead status that sends a person back to marketing."""

WON = r"\bwon\b"
LOST = r"\blost\b|\bdead\b|\babandoned\b|\bcancell?ed\b|\bno decision\b|\bdisqualified\b"
"""Words of a deal stage, asked only where the org's flags are not in the data."""

PEOPLE, DEALS = "marketing", "pipeline"
"""Names of the proposed funnels."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """Settings as text and what they rest on, a sentence each."""

    text: str
    found: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Source:
    """One line of a stage: the inline table and the comment behind it."""

    toml: str
    why: str


def propose(survey: Survey, existing: str = "") -> Proposal:
    """Settings for what a survey found.

    Args:
        survey: what the ledger holds.
        existing: text of a `leadline.toml` to keep: its tables stay as they are, funnels excepted;
            what it lacks is added.
    """
    kept = _without_funnels(existing)
    held = tomllib.loads(kept)
    stages = _people_stages(survey) if survey.of_people else []
    deals = _deal_lines(survey)
    sections = {
        "workspace": _workspace(survey),
        "amount": _amount(survey),
        "responses": _responses(survey) if survey.rows.get("CampaignMember") else [],
        "influence": _influence() if survey.rows.get("CampaignMember") else [],
    }
    lines = [line for name, section in sections.items() if name not in held for line in section]
    if stages:
        lines += _funnel(PEOPLE, stages, _people_outcomes(survey), _head_of_people(survey))
    if deals:
        lines += _funnel(DEALS, deals, _deal_outcomes(survey), ["# Opportunities alone, over their own stages."])
    head = [kept.rstrip() + "\n"] if kept.strip() else _head(survey)
    return Proposal("\n".join([*head, *lines]).rstrip() + "\n", tuple(_account(survey, stages, deals)))


def _without_funnels(existing: str) -> str:
    document = tomlkit.parse(existing)
    if "funnel" in document:
        document.remove("funnel")
    return tomlkit.dumps(document)


def _head(survey: Survey) -> list[str]:
    held = ", ".join(f"{rows:,} {name}" for name, rows in survey.rows.items() if rows)
    moment = f" of {survey.newest:%Y-%m-%d}" if survey.newest else ""
    return [
        f"# Settings proposed from the data{moment}: {held}.",
        "# Change what is wrong and run `leadline build`. `leadline init --propose` proposes anew, beside this file.",
        "",
    ]


def _workspace(survey: Survey) -> list[str]:
    if survey.timezone:
        zone = f'# timezone = "{survey.timezone}"  # the org\'s own; set it to read dates in another zone'
    else:
        zone = '# timezone = "Europe/Berlin"  # no Organization record says it: dates are read in UTC'
    if survey.corporate_currency:
        money = f'# currency = "{survey.corporate_currency}"  # the corporate currency; amounts are converted into it'
    elif len(survey.currencies) > 1:
        held = ", ".join(survey.currencies)
        money = f'# currency = "EUR"  # amounts are in {held}, but no CurrencyType record holds their rates'
    else:
        money = '# currency = "EUR"  # no CurrencyType record says it; amounts are in one currency'
    year = f"fiscal_year_start = {survey.fiscal_year_start or 1}"
    return ["[workspace]", zone, money, year, 'week_start = "monday"', ""]


def _amount(survey: Survey) -> list[str]:
    deals, held = survey.rows.get("Opportunity", 0), survey.filled.get("Opportunity.Amount", 0)
    if not deals:
        return []
    return ["[amount]", f'field = "Amount"  # filled in {_of(held, deals)} opportunities', 'rate = "dated"', ""]


def _responses(survey: Survey) -> list[str]:
    members = survey.rows["CampaignMember"]
    if survey.responded is None:
        said = f"# {members:,} campaign members; the data has no field HasResponded"
    else:
        said = f"# {_of(survey.responded, members)} campaign members responded by HasResponded"
    lines = ["[responses]", said, f"# Their statuses: {_listed(survey.members)}", 'responded = "HasResponded"']
    for column in survey.columns:
        if column.object == "CampaignMember" and _is_stamp(column):
            lines.append(f"date_field = {_text(column.name)}  # a date in {_of(column.filled, column.rows)} members")
            break
    lines += [
        '# To let statuses decide: responded = "statuses" and, per campaign type ("*" = every other type),',
        "# [responses.statuses]",
        f"# {_text('*')} = [{_text('Responded')}]",
    ]
    return [*lines, ""]


def _influence() -> list[str]:
    return ["[influence]", 'models = ["first", "last", "even"]', 'scope = "role"', "look_back_days = 365", ""]


# ------------------------------------------------------------------ stages of people


def _people_stages(survey: Survey) -> list[tuple[str, list[_Source]]]:
    members = survey.rows.get("CampaignMember", 0)
    if not members:
        inquiry = "no campaign members in the data"
    elif survey.responded is None:
        inquiry = f"{members:,} campaign members; the data has no field HasResponded"
    else:
        inquiry = f"{_of(survey.responded, members)} campaign members responded"
    stages = [("Inquiry", [_Source('{ object = "CampaignMember", milestone = "response" }', inquiry)])]
    for name in ("MQL", "SAL", "SQL"):
        sources = [*_stamps(survey, name), *_values(survey, name)]
        if name == "SQL" and (deals := survey.rows.get("Opportunity")):
            dated = f"{_of(survey.filled.get('Opportunity.CreatedDate', 0), deals)} opportunities have a CreatedDate"
            sources.append(_Source('{ object = "Opportunity", milestone = "created" }', dated))
        if sources:
            stages.append((name, sources))
    if survey.rows.get("Opportunity"):
        stages.append(("Won", [_Source('{ object = "Opportunity", milestone = "won" }', _won_evidence(survey))]))
    return stages


def _won_evidence(survey: Survey) -> str:
    won = sum(stage.rows for stage in survey.deal_stages if _outcome(stage) == "won")
    return f"{_of(won, survey.rows['Opportunity'])} opportunities are won now"


def _stamps(survey: Survey, stage: str) -> Iterable[_Source]:
    for column in survey.columns:
        if column.object != "CampaignMember" and ladder_stage(column.name) == stage and _is_stamp(column):
            yield _Source(
                f"{{ object = {_text(column.object)}, field = {_text(column.name)}, stamp = true }}",
                f"a date in {_of(column.filled, column.rows)} {column.object} records",
            )


def _is_stamp(column: Column) -> bool:
    return 0 < column.filled == column.dates


def _values(survey: Survey, stage: str) -> Iterable[_Source]:
    for name, field, statuses in _status_fields(survey):
        mapped = [status for status in statuses if _meaning(status.value) == stage]
        if mapped:
            yield _value_source(survey, name, field, mapped)


def _value_source(survey: Survey, name: str, field: str, mapped: list[Status]) -> _Source:
    values = ", ".join(_text(status.value) for status in mapped)
    past = survey.history.get(f"{name}.{field}", 0)
    why = f"now in {_of(sum(status.rows for status in mapped), survey.rows[name])} {name} records"
    why += f"; {past:,} recorded changes of {field}" if past else f"; no recorded changes of {field}"
    return _Source(f"{{ object = {_text(name)}, field = {_text(field)}, values = [{values}] }}", why)


def _status_fields(survey: Survey) -> Iterable[tuple[str, str, tuple[Status, ...]]]:
    """Fields of people that hold statuses: Lead.Status and custom columns of few values."""
    if survey.lead_statuses:
        yield "Lead", "Status", survey.lead_statuses
    for column in survey.columns:
        if column.object in ("Lead", "Contact") and column.statuses:
            yield column.object, column.name, column.statuses


def _meaning(value: str) -> str | None:
    """What a status says by its words: disqualified, recycled, a stage of the ladder, or None."""
    text = words(value)
    if re.search(DISQUALIFIED, text):
        return "disqualified"
    if re.search(RECYCLED, text):
        return "recycled"
    return ladder_stage(value)


def _people_outcomes(survey: Survey) -> list[str]:
    lines = _deal_outcomes(survey) if survey.rows.get("Opportunity") else []
    for outcome in ("disqualified", "recycled"):
        sources = list(_values(survey, outcome))
        if sources:
            lines += [f"{outcome} = [", *map(_line, sources), "]"]
        else:
            lines.append(f"# {outcome}: no lead status says it by its name")
    return lines


def _head_of_people(survey: Survey) -> list[str]:
    lines = ["# People, from their first response to a won opportunity."]
    unmapped = [s for s in survey.lead_statuses if _meaning(s.value) is None and not _says_converted(s)]
    if unmapped:
        lines.append(f"# Lead statuses that map to no stage: {_listed(unmapped)}")
    if converted := [status for status in survey.lead_statuses if _says_converted(status)]:
        lines.append(f"# Conversion is read from IsConverted, not from statuses ({_listed(converted)})")
    unused = [c for c in survey.columns if ladder_stage(c.name) and not _is_stamp(c) and not c.statuses]
    lines += [
        f"# {column.object}.{_one_line(column.name)} is not used: {column.dates:,} of {column.filled:,} values are dates"
        for column in unused
    ]
    return lines


def _says_converted(status: Status) -> bool:
    return status.converted or (_meaning(status.value) is None and "converted" in words(status.value))


# ------------------------------------------------------------------ stages of opportunities


def _outcome(stage: DealStage) -> str | None:
    """Won, lost or None for an open stage: by the org's flags, else by its words."""
    if stage.is_closed is not None:
        return ("won" if stage.is_won else "lost") if stage.is_closed else None
    text = words(stage.name)
    return "won" if re.search(WON, text) else "lost" if re.search(LOST, text) else None


def _flagged(survey: Survey) -> bool:
    return bool(survey.filled.get("Opportunity.IsWon") and survey.filled.get("Opportunity.IsClosed"))


def _deal_lines(survey: Survey) -> list[tuple[str, list[_Source]]]:
    open_stages = [stage for stage in survey.deal_stages if _outcome(stage) is None]
    if not survey.rows.get("Opportunity") or not open_stages:
        return []
    first_dated = next((at for at, stage in enumerate(open_stages) if stage.created), None)
    stages = []
    for at, stage in enumerate(open_stages):
        sources = [_stage_source(survey, stage)]
        if at == first_dated and not survey.rows.get("OpportunityHistory"):
            sources.insert(0, _creation(survey, open_stages, at))
        stages.append((stage.name, sources))
    won = [_Source('{ object = "Opportunity", milestone = "won" }', _won_evidence(survey))]
    return [*stages, (_free_name("Won", [stage.name for stage in open_stages]), won)]


def _free_name(name: str, taken: list[str]) -> str:
    return name if name not in taken else f"{name} (closed)"


def _stage_source(survey: Survey, stage: DealStage) -> _Source:
    why = f"now in {_of(stage.rows, survey.rows['Opportunity'])} opportunities"
    if stage.probability is not None:
        why += f", probability {stage.probability:g} %"
    elif stage.order is None:
        why += ", no order is known: its place is taken from dates and its name"
    if not survey.rows.get("OpportunityHistory"):
        why += "; no stage history, so since when is unknown"
    return _Source(f'{{ object = "Opportunity", field = "StageName", values = [{_text(stage.name)}] }}', why)


def _creation(survey: Survey, stages: list[DealStage], at: int) -> _Source:
    """What CreatedDate dates where no history tells the stages.

    Opportunities of the stages before lack it altogether, so it is the entry into this stage;
    otherwise it is the moment an opportunity was created, and the first stage begins there.
    """
    held = f"CreatedDate is filled in {_of(survey.filled['Opportunity.CreatedDate'], survey.rows['Opportunity'])}"
    if at:
        before = ", ".join(stage.name for stage in stages[:at])
        toml = '{ object = "Opportunity", field = "CreatedDate", stamp = true }'
        return _Source(toml, f"{held} opportunities and in none of {before}: it dates this stage")
    toml = '{ object = "Opportunity", milestone = "created" }'
    return _Source(toml, f"{held} opportunities; no stage history, so time in the stages counts from here")


def _deal_outcomes(survey: Survey) -> list[str]:
    if _flagged(survey):
        return ["# won and lost: the org's flags IsWon and IsClosed"]
    lines = []
    for outcome in ("won", "lost"):
        stages = [stage for stage in survey.deal_stages if _outcome(stage) == outcome]
        if stages:
            values = ", ".join(_text(stage.name) for stage in stages)
            rows = sum(stage.rows for stage in stages)
            source = f'{{ object = "Opportunity", field = "StageName", values = [{values}] }}'
            why = f"{_of(rows, survey.rows['Opportunity'])} opportunities; IsWon is not in the data"
            lines += [f"{outcome} = [", f"  {source},  # {why}", "]"]
        else:
            lines.append(f"# {outcome}: no stage says it by its name")
    return lines


# ------------------------------------------------------------------ text


def _funnel(name: str, stages: list[tuple[str, list[_Source]]], outcomes: list[str], head: list[str]) -> list[str]:
    # Behind the header, so that they leave with the funnel when it is proposed anew.
    lines = [f"[funnel.{name}]", *head]
    if name == PEOPLE:
        lines += ["look_back_days = 90  # how long before qualification a response can tip a journey"]
        lines += ["dormancy_days = 180  # a journey without activity for so long has ended"]
    lines.append("")
    for stage, sources in stages:
        lines += [f"[[funnel.{name}.stages]]", f"name = {_text(stage)}", "from = ["]
        lines += [*map(_line, sources), "]", ""]
    return [*lines, f"[funnel.{name}.outcomes]", *outcomes, ""]


def _text(value: str) -> str:
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def _line(source: _Source) -> str:
    return f"  {source.toml},  # {_one_line(source.why)}"


def _one_line(text: str) -> str:
    # A line break or control character of a value would end or spoil the comment it stands in.
    return " ".join(re.sub(r"[\x00-\x1f\x7f]", " ", text).split())


def _of(part: int, whole: int) -> str:
    return f"{part:,} of {whole:,}"


def _listed(statuses: Iterable[Status], most: int = 12) -> str:
    names = [f"{_one_line(status.value)} ({status.rows:,})" for status in statuses]
    more = [f"and {len(names) - most} more"] if len(names) > most else []
    return ", ".join([*names[:most], *more]) or "none"


def _account(survey: Survey, people: list, deals: list) -> Iterable[str]:
    """What was found, for the terminal."""
    for name, stages in ((PEOPLE, people), (DEALS, deals)):
        if stages:
            yield f"funnel {name}: {' → '.join(stage for stage, _ in stages)}"
        for stage, sources in stages:
            for source in sources:
                yield f"  {stage} ← {_plain(source.toml)}: {source.why}"
    if not people:
        yield "no leads, contacts or campaign members: a funnel of opportunities only"
    elif not survey.rows.get("CampaignMember"):
        yield "no campaign members: nothing is an inquiry, journeys begin at the next stage"
    elif not survey.responded:
        why = "the data has no field HasResponded" if survey.responded is None else "HasResponded is true in none"
        yield f"none of the {survey.rows['CampaignMember']:,} campaign members is known to have responded ({why}): see [responses]"
    missing = [name for name in ("MQL", "SAL") if people and name not in dict(people)]
    if missing:
        yield f"{' and '.join(missing)}: no field or status of that name, so no stage"


def _plain(toml: str) -> str:
    source = tomllib.loads(f"x = {toml}")["x"]
    if "milestone" in source:
        return f"{source['object']} {source['milestone']}"
    kind = "a date" if source.get("stamp") else ", ".join(source["values"])
    return f"{source['object']}.{source['field']} = {kind}"
