"""Costs of campaigns: `ActualCost`, or the lines of `costs.csv`.

A campaign that the file names has the costs of its lines and no other: its ActualCost beside them
would be counted twice.
"""

from __future__ import annotations

from typing import Any

import ibis
import ibis.expr.types as ir
import pyarrow as pa

from leadline.dates import day_number
from leadline.errors import CostsError, did_you_mean
from leadline.model.money import day_of
from leadline.sources.costs_file import CostLine, CostsFile

ACTUAL_COST = "ActualCost"
"""`cost_source` of what the campaign itself says; else it is "file"."""

_PIECE = pa.schema(
    {
        "record_id": pa.string(),
        "line_no": pa.int64(),
        "starts_day": pa.int64(),
        "ends_day": pa.int64(),
        "raw_amount": pa.decimal128(28, 8),
        "currency": pa.string(),
    }
)


def pieces(labelled: ir.Table, known: list[dict[str, Any]], file: CostsFile | None) -> ir.Table:
    """Every cost with its time, ready to be converted.

    Columns: record_id (the campaign), line_no (0: ActualCost), starts_day, ends_day (its last day),
    raw_amount, currency, close_day (null: costs take static rates).

    Args:
        labelled: campaigns with `Id`, `ActualCost`, dates and currency.
        known: the campaigns as rows with Id, Name, label; read only where there is a file.

    Raises:
        CostsError: lines of the file name no campaign, or several.
    """
    own = labelled.select(
        record_id="Id",
        line_no=ibis.literal(0, "int64"),
        starts_day=day_of(labelled.StartDate),
        ends_day=day_of(labelled.EndDate),
        raw_amount=labelled.ActualCost.cast("decimal(28, 8)"),
        currency="CurrencyIsoCode",
    )
    if file is None or not file.lines:
        return own.mutate(close_day=ibis.null("int64"))
    written = ibis.memtable(_placed(file, known))
    dated = written.left_join(
        own.select(own_id="record_id", own_start="starts_day", own_end="ends_day"), [("record_id", "own_id")]
    )
    undated = dated.starts_day.isnull()
    from_file = dated.select(
        "record_id",
        "line_no",
        starts_day=ibis.ifelse(undated, dated.own_start, dated.starts_day),
        ends_day=ibis.ifelse(undated, dated.own_end, dated.ends_day),
        raw_amount=dated.raw_amount.cast("decimal(28, 8)"),
        currency="currency",
    )
    rest = own.anti_join(written, "record_id")
    return ibis.union(rest, from_file).mutate(close_day=ibis.null("int64"))


def _placed(file: CostsFile, known: list[dict[str, Any]]) -> pa.Table:
    """The lines as a table, each with the id of its campaign."""
    by_name = {row["label"]: row["Id"] for row in known}
    # Exports of reports write ids without their last three signs, which only check the case.
    by_id = {row["Id"][:length]: row["Id"] for row in known for length in (15, 18)}
    shared = {row["Name"] for row in known if row["Name"] is not None and row["Name"] not in by_name}
    faults, rows = list[str](), list[dict[str, Any]]()
    for line in file.lines:
        campaign_id = by_id.get(line.campaign) or by_name.get(line.campaign)
        if campaign_id is None:
            faults.append(_unknown(line, shared, by_name))
        else:
            rows.append(_row(line, campaign_id))
    if faults:
        raise CostsError(file.path, faults)
    return pa.Table.from_pylist(rows, _PIECE)


def _row(line: CostLine, campaign_id: str) -> dict[str, Any]:
    return {
        "record_id": campaign_id,
        "line_no": line.line,
        "starts_day": None if line.start is None else day_number(line.start),
        "ends_day": None if line.end is None else day_number(line.end),
        "raw_amount": line.amount,
        "currency": line.currency,
    }


def _unknown(line: CostLine, shared: set[str], by_name: dict[str, str]) -> str:
    where = f"line {line.line}, column campaign: {line.campaign!r}"
    if line.campaign in shared:
        return f"{where} is the name of several campaigns; write the id of the one that is meant"
    return f"{where} is neither the id nor the name of a campaign.{did_you_mean(line.campaign, by_name)}"


def require_rates(file: CostsFile, unconverted: list[dict[str, Any]]) -> None:
    """Refuse lines whose amount could not be converted.

    Args:
        unconverted: rows with line_no, currency and amount_state.

    Raises:
        CostsError: there are any.
    """
    said = {"no rate": "has no rate in CurrencyType; write the amount in another currency"}
    faults = [
        f"line {row['line_no']}, column currency: {row['currency']!r} "
        + said.get(row["amount_state"], "makes the amount too large to count with")
        for row in sorted(unconverted, key=lambda row: row["line_no"])
    ]
    if faults:
        raise CostsError(file.path, faults)


def campaign_costs(valued: ir.Table) -> ir.Table:
    """The costs that are known: campaign_id, line_no, cost_source, starts_day, ends_day, amount (minor units)."""
    known = valued.filter(valued.amount_state == "known")
    return known.select(
        "line_no",
        "starts_day",
        "ends_day",
        "amount",
        campaign_id="record_id",
        cost_source=ibis.ifelse(known.line_no == 0, ibis.literal(ACTUAL_COST), ibis.literal("file")),
    )


def by_campaign(valued: ir.Table) -> ir.Table:
    """One cost per campaign: record_id, amount, amount_state; lines of a file are all known."""
    return valued.group_by("record_id").aggregate(amount=valued.amount.sum(), amount_state=valued.amount_state.max())
