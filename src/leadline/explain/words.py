"""A number in words: what it counts with the figures filled in, and how it is worked out of its neighbours."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from leadline.render.present import amount_text, percent
from leadline.results import Column, Result

_RATE = "converted ÷ started"

FORMULAS: dict[tuple[str, str], str] = {
    ("conversion", "rate"): _RATE,
    ("conversion-matrix", "rate"): _RATE,
    ("conversion-triangle", "rate"): _RATE,
    ("conversion-mix", "rate"): _RATE,
    ("conversion-mix", "change"): "rate − base_rate",
    ("conversion-problems", "rate"): _RATE,
    ("conversion-problems", "rest_rate"): "rest_converted ÷ rest_started",
    ("conversion-problems", "difference"): "rate − rest_rate",
    ("comparison", "change"): "count − before",
    ("comparison", "change_share"): "change ÷ before",
    ("volume", "attainment"): "count ÷ goal",
    ("influence", "roi"): "(won_amount − cost) ÷ cost",
    ("velocity-stuck-segments", "stuck_share"): "stuck ÷ open",
    ("velocity-stuck-segments", "overstay_share"): "overstayed ÷ judged",
    ("velocity-stuck-segments", "difference"): "overstay_share − rest_share",
    ("velocity-slow", "ratio"): "mean_days ÷ rest_mean_days",
    ("goals", "attainment"): "actual ÷ goal",
    ("goals", "pace"): "actual ÷ expected_to_date",
}
"""(kind of result, column) → how it follows from columns of the same row."""

SENTENCES: dict[tuple[str, str], str] = {
    ("volume", "count"): "{count} {unit} counted in stage {stage}{where}.",
    ("volume", "implied"): "{implied} {unit} reached {stage} without a time of its own{where}: a later stage shows it.",
    ("conversion", "rate"): "Of {started} {unit} that reached {from_stage}, {converted} went on to {to_stage} or "
    "beyond{window}{where}: {rate}.",
    ("conversion", "started"): "{started} {unit} reached {from_stage} at a known time, long enough ago{where}.",
    ("conversion", "converted"): "{converted} of {started} {unit} that reached {from_stage} went on to {to_stage} or "
    "beyond{window}{where}.",
    ("conversion", "too_young"): "{too_young} {unit} reached {from_stage} too recently to be judged{where}.",
    ("velocity", "median_days"): "Half of {n} {unit} leave {stage} within {median_days} days; {open} are still "
    "open{where}.",
    ("velocity", "n"): "{n} {unit} stood in {stage}, {open} of them still do{where}; {excluded} are excluded.",
    ("influence", "won_amount"): "{won_amount} of won opportunities stands in {bucket} {campaign} by model {model}"
    "{where}.",
    ("influence", "open_amount"): "{open_amount} of open opportunities stands in {bucket} {campaign} by model {model}"
    "{where}.",
    ("influence", "lost_amount"): "{lost_amount} of lost opportunities stands in {bucket} {campaign} by model {model}"
    "{where}.",
    ("pipeline", "amount"): "{amount} in {count} open opportunities ({movement}){where}.",
    ("pipeline", "count"): "{count} open opportunities with {amount} ({movement}){where}.",
    ("fates", "count"): "{count} responses are {fate}{where}.",
}
"""(kind of result, column) → a sentence with the figures of the row in it."""

_SHOWN = frozenset({"period", "stage", "from_stage", "to_stage", "bucket", "model", "movement", "fate", "campaign"})


def value_text(result: Result, column: Column, value: Any) -> str:
    """A value as people read it, with its unit."""
    if value is None:
        return "no value"
    if column.type == "money":
        return f"{amount_text(result, value)} {column.unit or result.currency}".rstrip()
    if column.type == "rate":
        return percent(value)
    if column.type == "integer":
        return f"{value:,}"
    return f"{value:,.2f}".rstrip("0").rstrip(".") if isinstance(value, float) else str(value)


def texts(result: Result, row: Mapping[str, Any]) -> dict[str, str]:
    """Every value of a row as people read it."""
    return {column.name: value_text(result, column, row[column.name]) for column in result.columns}


def sentence(result: Result, row: Mapping[str, Any], column: Column) -> str:
    """What the number says, with its figures."""
    shown = texts(result, row)
    written = SENTENCES.get((result.kind, column.name))
    if written is None or row[column.name] is None:
        return f"{_first_upper(column.help or column.name)}: {shown[column.name]}{_place(result, row, frozenset())}."
    days = f" within {row['window_days']} days" if row.get("window_days") is not None else ""
    filled = {"unit": result.unit, "window": days, "where": _place(result, row, _SHOWN - {"period"})}
    return re.sub(r" +", " ", written.format_map(shown | {"campaign": str(row.get("campaign") or "")} | filled))


def formula(result: Result, row: Mapping[str, Any], column: Column) -> str:
    """How the number follows from its row, with names and with figures; empty where it is no arithmetic of it."""
    written = FORMULAS.get((result.kind, column.name))
    if written is None or (column.name == "rate" and row.get("convention") in ("eventual", "period")):
        return ""
    shown = texts(result, row)
    figures = re.sub(r"[a-z_]+", lambda found: shown.get(found[0], found[0]), written)
    return f"{column.name} = {written} = {figures} = {shown[column.name]}"


def _place(result: Result, row: Mapping[str, Any], said: frozenset[str]) -> str:
    """The row in words: the values that tell it from the others."""
    names = [name for name in result.key_columns() if name not in said]
    if "period" in row and row["period"] not in (None, "all") and "period" not in names:
        names.insert(0, "period")
    told = [f"{name.replace('_', ' ')} {row[name] if row[name] is not None else '(none)'}" for name in names]
    return f" ({', '.join(told)})" if told else ""


def _first_upper(text: str) -> str:
    return text[:1].upper() + text[1:]
