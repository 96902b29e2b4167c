"""The audit of a snapshot: every check once, written as two tables.

findings         one row per code and object: code, object, severity, message, row_count (0: the
                 data as a whole), amount (minor units of the opportunities concerned, or null),
                 moves (metrics, comma-joined), remedy
finding_records  every record: code, object, record_id, what its fault can move: person_id and
                 opportunity_id (null: nothing), into_id, the person it is one with, and what findings
                 are grouped by: owner_id, campaign_id, created_by_id, created_month (day number of the
                 first day of the local month)
"""

from __future__ import annotations

from dataclasses import dataclass

import ibis
import ibis.expr.types as ir
import pyarrow as pa

from leadline.audit.check import LINKS, Audited, Check, Hits, Whole
from leadline.audit.registry import CHECKS, require_known
from leadline.config import Settings
from leadline.findings import Finding
from leadline.model import moments
from leadline.model.build import Built
from leadline.model.source import Source
from leadline.model.store import Store
from leadline.schema import OBJECTS

FINDINGS, RECORDS = "findings", "finding_records"
INTO = "into_id"
FACTS = {"owner_id": "OwnerId", "campaign_id": "CampaignId", "created_by_id": "CreatedById"}
"""Column of `finding_records` → field of the record it is taken from, where the object has one."""

MONTH = "created_month"
_ROWS = "finding_rows"

_FINDING = pa.schema(
    [
        ("code", pa.string()),
        ("object", pa.string()),
        ("severity", pa.string()),
        ("message", pa.string()),
        ("row_count", pa.int64()),
        ("whole", pa.bool_()),
        ("amount", pa.int64()),
        ("moves", pa.string()),
        ("remedy", pa.string()),
    ]
)
_RECORD = pa.schema([(name, pa.string()) for name in ("code", "object", "record_id", *LINKS, INTO)])


@dataclass(frozen=True, slots=True)
class _Found:
    check: Check
    hit: Hits | Whole


def run(store: Store, source: Source, settings: Settings, built: Built, *, more: tuple[Finding, ...] = ()) -> None:
    """Run every check and write `findings` and `finding_records` into `store`.

    Args:
        store: holds the tables of the model.
        source: the records they were built from.
        more: findings made elsewhere (by the ledger); they are written as they are.

    Raises:
        ConfigError: the settings hold a threshold for no check, or one that is no share.
    """
    require_known(settings)
    at = Audited(store, source, settings, built)
    found = [_Found(check, hit) for check in CHECKS for hit in check.find(at)]
    store.keep(_ROWS, ibis.memtable(_RECORD.empty_table()))
    for one in found:
        if isinstance(one.hit, Hits):
            store.add(_ROWS, _rows(at, one.check.code, one.hit))
    for given in more:
        if given.record_ids:
            store.add(_ROWS, _given_rows(at, given))
    store.keep(RECORDS, _with_facts(at))
    store.drop(_ROWS)
    counted = _counts(at)
    rows = [row for one in found if (row := _finding(at, one, counted)) is not None]
    rows += [_given(given) for given in more]
    store.keep(FINDINGS, ibis.memtable(pa.Table.from_pylist(rows, schema=_FINDING)))


def _rows(at: Audited, code: str, hits: Hits) -> ir.Table:
    """Rows of `finding_records`; links that the check leaves out are those of the object."""
    linked = _linked(at, hits.object, hits.records)
    into = linked[INTO] if INTO in linked.columns else ibis.null("string")
    return linked.select("record_id", *LINKS, code=ibis.literal(code), object=ibis.literal(hits.object), into_id=into)


def _linked(at: Audited, name: str, records: ir.Table) -> ir.Table:
    """Add the person and the opportunity that a record of this object belongs to, unless the check gives them."""
    usual = _usual_links(at, name)
    if usual is not None and not set(LINKS) & set(records.columns):
        links = usual.rename(linked_id="record_id")
        records = records.left_join(links, [("record_id", "linked_id")]).drop("linked_id")
    absent = [link for link in LINKS if link not in records.columns]
    return records.mutate(**{link: ibis.null("string") for link in absent})


def _usual_links(at: Audited, name: str) -> ir.Table | None:
    if name in ("Lead", "Contact"):
        return at["person_records"].select("record_id", "person_id")
    if name == "CampaignMember":
        return at["members"].select("person_id", record_id="response_id")
    if name == "OpportunityContactRole":
        return at["roles"].select("person_id", "opportunity_id", record_id="role_id")
    if name == "Opportunity":
        return at["opportunities"].select("opportunity_id", record_id="opportunity_id")
    return None


def _with_facts(at: Audited) -> ir.Table:
    """The records with what findings are grouped by, as the records themselves say."""
    rows = at[_ROWS]
    present = [row["object"] for row in at.store.rows(rows.select("object").distinct().order_by("object"))]
    parts = [_facts(at, rows.filter(rows.object == name), name) for name in present]
    return ibis.union(*parts) if parts else _facts(at, rows, "")


def _facts(at: Audited, rows: ir.Table, name: str) -> ir.Table:
    """Rows of one object with the columns of `FACTS` and the month; null where the object has no such field."""
    fields = OBJECTS.get(name, {})
    nothing = {column: ibis.null("string") for column in FACTS} | {MONTH: ibis.null("int64")}
    if not at.source.has(name) or "Id" not in fields:
        return rows.mutate(**nothing)
    records = at.source.with_deleted(name)
    if "CreatedDate" in fields:
        records = moments.of_instant(records, at["days"], "CreatedDate", "fact")
        records = records.left_join(at["days"].select(fact_day="day", fact_month="month"), "fact_day")
    said = {column: records[field] for column, field in FACTS.items() if field in fields}
    if name == "Campaign":
        said["campaign_id"] = records.Id
    if "CreatedDate" in fields:
        said[MONTH] = records.fact_month
    known = records.select(fact_id=records.Id, **said)
    joined = rows.left_join(known, [("record_id", "fact_id")]).drop("fact_id")
    absent = {column: value for column, value in nothing.items() if column not in said}
    return joined.mutate(**absent).select(*rows.columns, *nothing)


def _given_rows(at: Audited, finding: Finding) -> ir.Table:
    ids = pa.table({"record_id": pa.array(sorted(set(finding.record_ids)), pa.string())})
    return _rows(at, finding.code, Hits(finding.object, ibis.memtable(ids), at["people"], finding.message))


def _counts(at: Audited) -> dict[tuple[str, str], tuple[int, int | None]]:
    """Rows and amount per code and object, from the records just written."""
    records = at[RECORDS]
    keys = ["code", "object"]
    rows = at.store.rows(records.group_by(*keys).aggregate(found=records.count()))
    is_deal = records.object == "Opportunity"
    concerned = records.mutate(deal_id=ibis.ifelse(is_deal, records.record_id, records.opportunity_id))
    concerned = concerned.select(*keys, "deal_id").distinct()
    valued = concerned.join(at["deals"].select("amount", deal_id="opportunity_id"), "deal_id")
    sums = at.store.rows(valued.group_by(*keys).aggregate(amount=valued.amount.sum()))
    amounts = {(row["code"], row["object"]): row["amount"] for row in sums}
    return {key: (row["found"], amounts.get(key)) for row in rows for key in [(row["code"], row["object"])]}


def _amount(at: Audited, concerned: ir.Table) -> int | None:
    """What the opportunities of a finding are worth together, each once."""
    once = concerned.select("opportunity_id").distinct()
    valued = once.join(at["deals"].select("opportunity_id", "amount"), "opportunity_id")
    (found,) = at.store.rows(valued.aggregate(amount=valued.amount.sum()))
    amount: int | None = found["amount"]
    return amount


def _finding(
    at: Audited, one: _Found, counted: dict[tuple[str, str], tuple[int, int | None]]
) -> dict[str, object] | None:
    """A row of `findings`, or None for a check without hits."""
    check, hit = one.check, one.hit
    configured = at.settings.audit.get(check.code)
    threshold = configured.threshold if configured else None
    count, amount, share, says = 0, None, 0.0, hit.says
    if isinstance(hit, Whole):
        share = hit.share
    else:
        count, amount = counted.get((check.code, hit.object), (0, None))
        if not count:
            return None
        if hit.concerned is not None:
            amount = _amount(at, hit.concerned)
        among = at.store.count(hit.among)
        share = count / among if among else 1.0
        says = says.replace("{rows}", f"{count:,}").replace("{among}", f"{among:,}")
    return {
        "code": check.code,
        "object": hit.object,
        "severity": check.severity(share, threshold),
        "message": says,
        "row_count": count,
        "whole": isinstance(hit, Whole),
        "amount": None if amount is None else int(amount),
        "moves": ",".join(check.moves),
        "remedy": check.remedy,
    }


def _given(finding: Finding) -> dict[str, object]:
    return {
        "code": finding.code,
        "object": finding.object,
        "severity": finding.severity,
        "message": finding.message,
        "row_count": finding.rows,
        "whole": not finding.record_ids,
        "amount": finding.amount,
        "moves": ",".join(finding.moves),
        "remedy": finding.remedy,
    }
