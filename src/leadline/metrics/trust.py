"""How far a number can be believed: evidence, findings that touch it, grade (definitions, "Trust").

A finding touches a unit through the person or the opportunity of its records: a person's units
are their journeys, responses, account and – for influence – the opportunities they are on; an
opportunity's units are itself and the journeys that hold it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce
from operator import add
from typing import Any, Literal

import ibis
import ibis.expr.types as ir

from leadline.audit.lineage import METRICS
from leadline.metrics import periods
from leadline.metrics import units as unit_tables
from leadline.metrics.query import Asked
from leadline.model.opened import JOURNEY_FINDINGS, Opened
from leadline.model.responses import COUNTED_FATES
from leadline.results import Step, Trust

Grade = Literal["A", "B", "C", "D"]

BOUNDS: tuple[tuple[Grade, int], ...] = (("A", 98), ("B", 95), ("C", 85))
"""Grades with the percentage of untouched units from which they hold."""

FINDING = "finding:"
"""What the keys of `Trust.evidence` that count the units a finding touches begin with."""

PLACES = 62
"""Codes that a mask has room for."""

OF_PEOPLE = (
    "Lead",
    "Contact",
    "Campaign",
    "CampaignMember",
    "CampaignMemberStatus",
    "OpportunityContactRole",
    "LeadHistory",
    "ContactHistory",
)
"""Objects that say who did what; opportunities counted by themselves do not rest on them."""

_EVIDENCE = {"date_field": "stamped", "first_responded": "stamped", "created": "milestone"}
"""What shows the date of a response, in the words of stage entries."""


@dataclass(frozen=True, slots=True)
class _Movers:
    """Findings that can move a metric: those with records, and those about the data as a whole."""

    codes: tuple[str, ...]
    whole: tuple[str, ...]


def of(asked: Asked, kind: str, units: ir.Table | None, evidence: dict[str, int] | None = None) -> Trust:
    """Trust of a metric on the rows it counts.

    Args:
        kind: volume, conversion, velocity or influence.
        units: one row per unit counted, with unit_id; None for a result that counts nothing.
        evidence: what the dates rest on, with counts, where it is not the entries of the units into stages.
    """
    if units is None:
        return Trust()
    counted = _counted(kind, units)
    movers = _movers(asked, kind)
    total, clean, by_code = _touched(asked, kind, counted, movers.codes)
    grade, share = _grade(total, clean, capped=bool(movers.whole))
    present = sorted((code for code in by_code if by_code[code]), key=lambda code: (-by_code[code], code))
    return Trust(
        grade=grade,
        clean_share=share,
        evidence=(_evidence(asked, kind, counted) if evidence is None else evidence)
        | {f"{FINDING}{code}": by_code[code] for code in present},
        findings=tuple(dict.fromkeys([*present, *movers.whole])),
    )


def _counted(kind: str, units: ir.Table) -> ir.Table:
    """What the number counts: unit_id and weight; of rates the denominator, of money the absolute amount."""
    kept = units
    if "mark" in units.columns:
        kept = kept.filter(kept.mark == "count")
    if "class" in units.columns:
        kept = kept.filter(kept["class"] == "started")
    weight = kept.amount.abs() if kind == "influence" else ibis.literal(1, "int64")
    return kept.select("unit_id", weight=weight)


def _movers(asked: Asked, kind: str) -> _Movers:
    opened = asked.opened
    if "findings" not in opened:
        return _Movers((), ())
    rows = opened.arrow(opened["findings"].select("code", "object", "severity", "moves", "whole")).to_pylist()
    moving = [
        row
        for row in rows
        if row["severity"] != "info" and kind in row["moves"].split(",") and _concerns(asked, kind, row["object"])
    ]
    return _Movers(
        tuple(sorted({row["code"] for row in moving if not row["whole"]})),
        tuple(sorted({row["code"] for row in moving if row["whole"]})),
    )


def _concerns(asked: Asked, kind: str, name: str) -> bool:
    """Whether faults of this object can move these units: what people do moves no opportunity by itself."""
    return asked.unit != "opportunities" or kind == "influence" or name not in OF_PEOPLE


def _touched(asked: Asked, kind: str, counted: ir.Table, codes: tuple[str, ...]) -> tuple[int, int, dict[str, int]]:
    """Total and clean weight, and how many of the rows counted each code touches."""
    if codes:
        hits = _marked(asked, kind, codes)
        joined = counted.left_join(hits.table.rename(hit_id="unit_id"), [("unit_id", "hit_id")])
    else:
        hits, joined = _Hits(counted, ()), counted.mutate(mask=ibis.null("int64"))
    sums = joined.group_by("mask").aggregate(weight=joined.weight.sum(), units=joined.count())
    rows = asked.opened.arrow(sums).to_pylist()
    touched = dict.fromkeys(codes, 0)
    clean = 0
    for row in rows:
        found = [code for at, code in enumerate(hits.codes) if code in touched and (row["mask"] or 0) >> at & 1]
        clean += 0 if found else int(row["weight"] or 0)
        for code in found:
            touched[code] += row["units"]
    return sum(int(row["weight"] or 0) for row in rows), clean, touched


@dataclass(frozen=True, slots=True)
class _Hits:
    """Units that findings touch, once each.

    Attributes:
        table: unit_id and mask, the sum of 2^place over the codes that touch the unit.
        codes: in the order of their places.
    """

    table: ir.Table
    codes: tuple[str, ...]


def _marked(asked: Asked, kind: str, codes: tuple[str, ...]) -> _Hits:
    """Units that some codes touch, and maybe others: as the snapshot keeps them, or found now."""
    opened = asked.opened
    if asked.unit == "journeys" and asked.numbered and JOURNEY_FINDINGS in opened:
        kept = unit_tables.of_funnel(asked, JOURNEY_FINDINGS)
        return _Hits(kept.select("mask", unit_id="journey_id"), _kept_codes(opened))
    flags = _flags(codes)
    packed = _hits(asked, kind, codes)
    bits = [packed[flag] * (1 << at) for at, flag in enumerate(flags)]
    return _Hits(packed.select("unit_id", mask=reduce(add, bits)), codes)


def _kept_codes(opened: Opened) -> tuple[str, ...]:
    """Codes of findings with records that can move a number, in the order of their places in a kept mask."""
    found = opened["findings"].filter(~ibis._.whole & (ibis._.severity != "info"))
    return tuple(sorted(opened.arrow(found.select("code").distinct())["code"].to_pylist()))


def every_hit(asked: Asked) -> ir.Table | None:
    """Which findings touch which journey, for a snapshot to keep: unit_id, mask.

    None where there are more codes than a number has room for: then each question looks for itself.
    """
    codes = _kept_codes(asked.opened)
    if not codes:
        none = unit_tables.of_funnel(asked, "journeys").filter(ibis.literal(False))
        return none.select(unit_id="journey_id", mask=ibis.literal(0, "int64"))
    return _marked(asked, "volume", codes).table if len(codes) <= PLACES else None


def _flags(codes: tuple[str, ...]) -> list[str]:
    """Names of the columns that say whether a finding touches a row: one per code, 1 or 0."""
    return [f"hit_{at}" for at in range(len(codes))]


def _hits(asked: Asked, kind: str, codes: tuple[str, ...]) -> ir.Table:
    """Units that findings touch, once each: unit_id and `_flags`.

    Records are packed into a row of flags per person and per opportunity first: there are several
    times as many of them as units, and each join carries what it is given.
    """
    flags = _flags(codes)
    records = asked.opened["finding_records"]
    own = records.filter(records.code.isin(list(codes)))
    if not _concerns(asked, kind, OF_PEOPLE[0]):
        own = own.filter(~own.object.isin(list(OF_PEOPLE)))
    own = own.mutate(**{flag: (own.code == code).cast("int64") for flag, code in zip(flags, codes, strict=True)})
    by_person = _packed(own.filter(own.person_id.notnull()), "person_id", flags)
    by_deal = _packed(own.filter(own.opportunity_id.notnull()), "opportunity_id", flags)
    if asked.unit == "opportunities":
        return _deal_hits(asked, kind, by_person, by_deal, flags)
    hits = _journey_hits(asked, by_person, by_deal, flags)
    if asked.unit != "journeys":
        hits = unit_tables.linked_to(asked, hits).select("unit_id", *flags)
    else:
        hits = hits.rename(unit_id="journey_id")
    if asked.unit == "responses":
        hits = hits.union(_response_hits(asked, by_person, flags))
    return _packed(hits, "unit_id", flags)


def _packed(rows: ir.Table, key: str, flags: list[str]) -> ir.Table:
    """Rows with flags, once per key."""
    return rows.group_by(key).aggregate(**{flag: rows[flag].max() for flag in flags})


def _deal_hits(asked: Asked, kind: str, by_person: ir.Table, by_deal: ir.Table, flags: list[str]) -> ir.Table:
    """Opportunities by themselves, and for influence those the persons are on."""
    direct = by_deal.select("opportunity_id", *flags).rename(unit_id="opportunity_id")
    if kind != "influence":
        return direct
    pairs = asked.opened["opportunity_people"].select("person_id", unit_id="opportunity_id")
    return _packed(direct.union(by_person.join(pairs, "person_id").select("unit_id", *flags)), "unit_id", flags)


def _journey_hits(asked: Asked, by_person: ir.Table, by_deal: ir.Table, flags: list[str]) -> ir.Table:
    """Journeys of the persons, and those that hold the opportunities: journey_id and flags, some twice."""
    journeys = unit_tables.of_funnel(asked, "journeys").select("journey_id", "person_id")
    held = unit_tables.of_funnel(asked, "journey_opportunities").select("journey_id", "opportunity_id")
    own = by_person.join(journeys, "person_id").select("journey_id", *flags)
    return own.union(by_deal.join(held, "opportunity_id").select("journey_id", *flags))


def _response_hits(asked: Asked, by_person: ir.Table, flags: list[str]) -> ir.Table:
    responses = asked.opened["responses"].filter(ibis._.funnel == asked.funnel_name)
    own = responses.select("person_id", unit_id="response_id")
    return by_person.join(own, "person_id").select("unit_id", *flags)


def _grade(total: Any, clean: Any, *, capped: bool) -> tuple[Grade | None, float | None]:
    """Grade and clean share; without units there is none."""
    if not total:
        return None, None
    share = int(clean) / int(total)
    reached: Grade = "D"
    for grade, percent in reversed(BOUNDS):
        if int(clean) * 100 >= int(total) * percent:
            reached = grade
    return ("B" if capped and reached == "A" else reached), share


def _evidence(asked: Asked, kind: str, counted: ir.Table) -> dict[str, int]:
    """What the dates behind the number rest on, with counts, most frequent first."""
    if kind == "influence":
        shown = _response_evidence(asked, counted)
    else:
        reached = unit_tables.stages(asked)
        if asked.query.where or periods.ranged(asked):
            reached = reached.semi_join(counted, "unit_id")
        shown = reached.select("evidence", "known")
    rows = asked.opened.arrow(shown.group_by("evidence", "known").aggregate(count=shown.count())).to_pylist()
    mix: dict[str, int] = {}
    for row in rows:
        name = _evidence_name(row["evidence"], row["known"])
        mix[name] = mix.get(name, 0) + row["count"]
    return dict(sorted(mix.items(), key=lambda item: (-item[1], item[0])))


def _evidence_name(evidence: str | None, known: str) -> str:
    """The word for what shows an entry; a journey that a creation opens rests on that milestone."""
    if known != "observed":
        return "implied"
    return _EVIDENCE.get(evidence or "created", evidence or "milestone")


def dated_by(asked: Asked, marks: ir.Table) -> dict[str, int]:
    """What dates the responses of a table with `evidence`, with counts, most frequent first."""
    rows = asked.opened.arrow(marks.group_by("evidence").aggregate(count=marks.count())).to_pylist()
    mix = {_EVIDENCE.get(row["evidence"], row["evidence"]): 0 for row in rows if row["evidence"]}
    for row in rows:
        if row["evidence"]:
            mix[_EVIDENCE.get(row["evidence"], row["evidence"])] += row["count"]
    return dict(sorted(mix.items(), key=lambda item: (-item[1], item[0])))


def _response_evidence(asked: Asked, counted: ir.Table) -> ir.Table:
    """Evidence of the counted responses of the people on the opportunities."""
    opened = asked.opened
    people = opened["opportunity_people"].semi_join(counted.select(opportunity_id="unit_id"), "opportunity_id")
    responses = opened["responses"]
    dated = responses.filter(responses.fate.isin(COUNTED_FATES)).semi_join(people, "person_id")
    once = dated.select("response_id", evidence="date_evidence").distinct()
    return once.select("evidence", known=ibis.literal("observed"))


def lineage(opened: Opened, kind: str) -> tuple[Step, ...]:
    """The steps from records to the model that a metric rests on, in order; none if the snapshot has no such table."""
    name = next((one for one in ("lineage", "_lineage") if one in opened), None)
    if name is None:
        return ()
    rows = opened.arrow(opened[name].select("step", "rows_in", "rows_out", "why")).to_pylist()
    wanted = {step: at for at, (step, kinds) in enumerate(METRICS.items()) if kind in kinds}
    own = [row for row in rows if row["step"] in wanted]
    own.sort(key=lambda row: (wanted[row["step"]], row["why"]))
    return tuple(Step(**row) for row in own)
