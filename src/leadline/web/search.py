"""One box over campaigns, deals, people, metrics, checks, settings and boards."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import ibis
import ibis.expr.types as ir

from leadline.audit.registry import BY_CODE
from leadline.config import schema
from leadline.findings import OUTSIDE_AUDIT
from leadline.metrics.records import all_visible, visible
from leadline.web.state import written

if TYPE_CHECKING:
    from leadline.model.opened import Opened

SHOWN = 12
"""Hits of one kind."""

LONGEST = 200
"""Characters of what is looked for."""

_ID = re.compile(r"[A-Za-z0-9]{15}(?:[A-Za-z0-9]{3})?")

METRICS: dict[str, tuple[str, str]] = {
    "volume": ("How many entered, reached or stand in each stage", "/funnel"),
    "conversion": ("What share goes on from stage to stage", "/funnel"),
    "problems": ("Segments that go on less often than the rest", "/funnel"),
    "fates": ("What became of every response", "/funnel"),
    "velocity": ("How long units stand in each stage", "/velocity"),
    "bottleneck": ("The stage with most of the waiting", "/velocity"),
    "stuck": ("Records that have stood too long", "/velocity"),
    "influence": ("Which campaigns the amounts are credited to", "/influence"),
    "roi": ("What campaigns cost and what came of it", "/influence"),
    "goals": ("What has come of the goals, and their pace", "/"),
    "findings": ("Faults of the data and what they move", "/trust"),
}
"""Name of a metric → what it answers, and the page that shows it."""


@dataclass(frozen=True, slots=True)
class Hit:
    """Something found: its name, what else tells it from others, where it stands."""

    title: str
    note: str
    link: str


@dataclass(frozen=True, slots=True)
class Group:
    """Hits of one kind; `more` says that there are others."""

    kind: str
    hits: tuple[Hit, ...]
    more: bool = False


def wanted(text: str | None) -> str:
    """What is looked for, without blanks around it and not endlessly long."""
    return " ".join((text or "").split())[:LONGEST]


def find(opened: Opened, text: str, *, boards: Mapping[str, str], people: bool = True) -> tuple[Group, ...]:
    """What bears a name or an id, kind by kind; kinds without hits are left out.

    Args:
        opened: a snapshot, held to the records the reader may see.
        text: part of a name, or an id; at least one character.
        boards: name → title of the boards.
        people: whether persons may be found.
    """
    folded = text.casefold()
    groups = [
        _campaigns(opened, folded),
        _deals(opened, folded),
        _people(opened, text) if people else Group("people", ()),
        _of_texts("metrics", folded, _metrics()),
        _of_texts("checks", folded, _checks()),
        _of_texts("settings", folded, _settings()),
        _of_texts("boards", folded, ((title, "", f"/boards/{name}") for name, title in boards.items())),
    ]
    return tuple(group for group in groups if group.hits)


def _campaigns(opened: Opened, folded: str) -> Group:
    if "campaigns" not in opened:
        return Group("campaigns", ())
    table = opened["campaigns"]
    rows = _ranked(opened, table, table.campaign, table.campaign_id, folded)
    hits = tuple(Hit(row["campaign"], _said(row["campaign_type"], row["id"]), _campaign_link(row)) for row in rows)
    return _cut("campaigns", hits)


def _campaign_link(row: Mapping[str, Any]) -> str:
    return written("/influence", [("where", f"campaign={row['campaign']}")])


def _deals(opened: Opened, folded: str) -> Group:
    table = opened["deals"]
    if opened.records:
        # Before the best are picked: what a reader may not see takes no place and does not show in their number.
        table = table.semi_join(all_visible(opened, "opportunities"), [("opportunity_id", "unit_id")])
    rows = _ranked(opened, table, table.opportunity, table.opportunity_id, folded)
    hits = [
        Hit(row["opportunity"] or row["id"], _said(row["state"], row["stage_name"], row["id"]), f"/deal/{row['id']}")
        for row in rows
    ]
    return _cut("deals", tuple(hits))


def _people(opened: Opened, text: str) -> Group:
    """People by id: names and addresses stand in no snapshot."""
    if "person_records" not in opened or not _ID.fullmatch(text):
        return Group("people", ())
    table = opened["person_records"]
    own = table.filter(table.record_id.substr(0, 15) == text[:15]).select("record_id", "person_id", "object")
    rows = opened.arrow(own.limit(SHOWN)).to_pylist()
    seen = visible(opened, "people", {row["person_id"] for row in rows})
    hits = (Hit(row["person_id"], row["object"], f"/journey/{row['person_id']}") for row in rows)
    return Group("people", tuple(hit for hit in hits if hit.title in seen))


def _ranked(
    opened: Opened, table: ir.Table, name: ir.StringColumn, record: ir.StringColumn, folded: str
) -> list[dict[str, Any]]:
    """Rows whose name holds the text or whose id begins with it: exact ones first, then those that begin with it."""
    found = table.mutate(id=record, folded=name.lower())
    own = _same_id(found, folded)
    place = ibis.cases(
        (own, 0), (found.folded == folded, 1), (found.folded.startswith(folded), 2), else_=ibis.literal(3, "int8")
    )
    kept = found.filter(found.folded.contains(folded) | own).mutate(place=place)
    return list(opened.arrow(kept.order_by("place", "folded", "id").limit(SHOWN + 1)).to_pylist())


def _same_id(found: ir.Table, folded: str) -> ir.BooleanValue:
    """Whether the id is the text, in either of its lengths; ids of 15 characters tell large from small letters apart."""
    return found.id.lower().startswith(folded) if _ID.fullmatch(folded) else ibis.literal(False)


def _of_texts(kind: str, folded: str, known: Iterable[tuple[str, str, str]]) -> Group:
    """Names or explanations that hold every word; names before explanations."""
    words = folded.split()
    found = []
    for name, note, link in known:
        spoken = name.casefold().replace("_", " ").replace("-", " ")
        whole = f"{name.casefold()} {spoken} {note.casefold()}"
        if all(word in whole for word in words):
            found.append((0 if all(word in f"{name.casefold()} {spoken}" for word in words) else 1, name, note, link))
    return _cut(kind, tuple(Hit(name, note, link) for _, name, note, link in sorted(found)))


def _metrics() -> Iterable[tuple[str, str, str]]:
    return ((name, text, link) for name, (text, link) in METRICS.items())


def _checks() -> Iterable[tuple[str, str, str]]:
    own = {code: ", ".join(check.moves) for code, check in BY_CODE.items()}
    return ((code, text, f"/trust/finding/{quote(code)}") for code, text in {**own, **OUTSIDE_AUDIT}.items())


def _settings() -> Iterable[tuple[str, str, str]]:
    """Keys of leadline.toml with what they are for."""
    definitions = schema().get("$defs", {})
    for name, table in schema()["properties"].items():
        yield f"[{name}]", table.get("description", ""), f"/definitions#setting-{name}"
        target = table.get("$ref", "").rpartition("/")[2]
        for key, field in definitions.get(target, {}).get("properties", {}).items():
            yield f"{name}.{key}", field.get("description", ""), f"/definitions#setting-{name}"


def _said(*parts: str | None) -> str:
    return " · ".join(part for part in parts if part)


def _cut(kind: str, hits: tuple[Hit, ...]) -> Group:
    return Group(kind, hits[:SHOWN], len(hits) > SHOWN)
