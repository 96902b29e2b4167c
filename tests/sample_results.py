"""Realistic results for tests of renderings, charts and the report."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import Any

import pyarrow as pa

from leadline.results import Column, ColumnType, Definition, Result, Step, Trust

_NUMBERS = dict.fromkeys(("from", "to", "low", "high"), pa.float64())
MOVES = pa.list_(pa.struct({"metric": pa.string(), "number": pa.string(), "kind": pa.string(), **_NUMBERS}))
STAGES = ["Inquiry", "MQL", "SAL", "SQL", "Won"]
ARROW: dict[ColumnType, pa.DataType] = {
    "text": pa.string(),
    "integer": pa.int64(),
    "number": pa.float64(),
    "rate": pa.float64(),
    "money": pa.int64(),
    "date": pa.date32(),
    "instant": pa.timestamp("us"),
    "boolean": pa.bool_(),
    "list": MOVES,
}


def make(kind: str, title: str, columns: dict[str, ColumnType], rows: list[tuple[Any, ...]], **more: Any) -> Result:
    """A result out of rows; `columns` names the types in order."""
    table = pa.table(
        {name: pa.array([row[i] for row in rows], ARROW[type_]) for i, (name, type_) in enumerate(columns.items())}
    )
    described = tuple(Column(name, type_, more.pop(f"{name}_unit", "")) for name, type_ in columns.items())
    settings: dict[str, Any] = {
        "definition": Definition("How many journeys entered each stage, by the day of their first entry.", "1"),
        "as_of": dt.datetime(2026, 10, 31, 22, 59, 59, 999999, tzinfo=dt.UTC),
        "known_at": dt.datetime(2026, 11, 1, 4, 0, tzinfo=dt.UTC),
        "snapshot": "20261101T040000Z",
        "timezone": "Europe/Berlin",
        "currency": "USD",
        "unit": "journeys",
        "filters": {},
        "trust": Trust(
            "B",
            0.967,
            {"stamped": 8120, "history": 3311, "implied": 402},
            ("undated-responses", "opportunity-without-role"),
        ),
        "lineage": (
            Step("campaign members read", None, 31_402),
            Step("responses", 31_402, 14_903, "members that did not respond are no responses"),
            Step("journeys", 14_903, 12_480, "later responses of an open journey start no new one"),
        ),
        "notes": ("38 opportunities (1,204,000.00 USD) without a person: not in this funnel.",),
    }
    return Result(kind=kind, title=title, columns=described, table=table, **(settings | more))


VOLUME: dict[str, ColumnType] = {
    "period": "text",
    "stage": "text",
    "view": "text",
    "count": "integer",
    "amount": "money",
    "observed": "integer",
    "implied": "integer",
    "re_entries": "integer",
    "regressions": "integer",
    "requalifications": "integer",
    "goal": "number",
    "attainment": "rate",
}


def volume_row(
    period: str, stage: str, view: str, count: int, implied: int = 0, goal: float | None = None
) -> tuple[Any, ...]:
    """Only a cohort counts implied units among the others; other views put them beside."""
    observed = count - implied if view == "cohort" else count
    return (
        period,
        stage,
        view,
        count,
        None,
        observed,
        implied,
        count // 90,
        count // 200,
        0,
        goal,
        goal and count / goal,
    )


def volume_result(title: str, view: str, rows: list[tuple[Any, ...]], **filters: Any) -> Result:
    totals = tuple({"period": row[0], "stage": row[1], "view": view, "count": row[3]} for row in rows)
    return make("volume", title, VOLUME, rows, filters={"funnel": "main", **filters}, totals=totals)


def funnel(view: str = "cohort") -> Result:
    counts = {"Inquiry": (12_480, 0), "MQL": (4_212, 180), "SAL": (2_987, 222), "SQL": (1_204, 0), "Won": (316, 0)}
    rows = [volume_row("all", stage, view, *count) for stage, count in counts.items()]
    return volume_result(
        "Journeys that have reached each stage", view, rows, **{"from": "2025-11-01", "to": "2026-11-01"}
    )


def volume(view: str = "entered") -> Result:
    rows = []
    for i in range(12):
        year, month = divmod(2025 * 12 + 10 + i, 12)
        season = (1 + 0.25 * ((i * 7) % 5 - 2) / 2) * (1 + i / 40)
        for stage, base in zip(STAGES, (1040, 351, 249, 100, 26), strict=True):
            beside = (12, 360.0) if stage == "MQL" else (0, None)
            rows.append(volume_row(f"{year}-{month + 1:02}", stage, view, round(base * season), *beside))
    return volume_result("Journeys entering each stage", view, rows)


CONVERSION: dict[str, ColumnType] = {
    "period": "text",
    "from_stage": "text",
    "to_stage": "text",
    "convention": "text",
    "window_days": "integer",
    "started": "integer",
    "converted": "integer",
    "too_young": "integer",
    "implied": "integer",
    "out_of_order": "integer",
    "undated": "integer",
    "rate": "rate",
    "rate_low": "rate",
    "rate_high": "rate",
    "rate_of_first": "rate",
    "period_ratio": "rate",
    "small": "boolean",
}


def conversion_row(
    a: str, b: str, started: int, converted: int, too_young: int = 0, implied: int = 0
) -> tuple[Any, ...]:
    from leadline.maths.intervals import wilson

    low, high = (float(limit) for limit in wilson(converted, started))
    rate = converted / started if started else None
    limits = (low, high) if started else (None, None)
    return (
        None,
        a,
        b,
        "cohort",
        90,
        started,
        converted,
        too_young,
        implied,
        3,
        0,
        rate,
        *limits,
        rate,
        rate and rate * 1.04,
        started < 30,
    )


def conversion() -> Result:
    rows = [
        conversion_row("Inquiry", "MQL", 11_020, 3_690, 1_460),
        conversion_row("MQL", "SAL", 3_402, 2_461, 588, 180),
        conversion_row("SAL", "SQL", 2_371, 918, 394, 222),
        conversion_row("SQL", "Won", 862, 207, 342),
    ]
    definition = Definition(
        "Of the journeys that reached a stage long enough ago, the share that reached the next within 90 days.", "1"
    )
    return make(
        "conversion",
        "Conversion between stages",
        CONVERSION,
        rows,
        definition=definition,
        filters={"funnel": "main"},
    )


def conversion_by_type() -> Result:
    plan = [
        ("Webinar", 812, 301, 94),
        ("Content", 1_204, 352, 160),
        ("Paid Search", 655, 118, 71),
        ("Trade Show", 431, 166, 12),
        ("Partner", 18, 9, 4),
        (None, 51, 11, 0),
    ]
    rows = [
        (name, *conversion_row("MQL", "SQL", started, converted, young)) for name, started, converted, young in plan
    ]
    return make(
        "conversion",
        "Conversion MQL → SQL",
        {"campaign_type": "text", **CONVERSION},
        rows,
        filters={"funnel": "main", "type": "New Business"},
    )


VELOCITY: dict[str, ColumnType] = {
    "period": "text",
    "stage": "text",
    "to_stage": "text",
    "measure": "text",
    "n": "integer",
    "open": "integer",
    "excluded": "integer",
    "median_days": "number",
    "median_low": "number",
    "median_high": "number",
    "p75_days": "number",
    "p90_days": "number",
    "advance_share": "rate",
    "advance_median_days": "number",
    "waiting_share": "rate",
    "stuck": "integer",
    "sla_share": "rate",
}


def velocity() -> Result:
    rows = [
        ("all", "Inquiry", None, "sum", 12_480, 3_120, 0, 9.2, 8.8, 9.6, 28.0, 71.0, 0.34, 8.1, None, 0, None),
        ("all", "MQL", None, "sum", 4_212, 388, 180, 4.6, 4.3, 4.9, 11.5, 26.2, 0.71, 4.1, 0.121, 41, None),
        ("all", "SAL", None, "sum", 2_987, 702, 222, 31.4, 29.8, 33.1, 74.0, None, 0.42, 27.7, 0.561, 236, None),
        ("all", "SQL", None, "sum", 1_204, 391, 0, 44.0, 41.0, 48.5, 102.0, 176.0, 0.27, 61.0, 0.318, 64, None),
    ]
    definition = Definition("Kaplan-Meier time to leave the stage by any exit; open visits are censored at as-of.", "1")
    units = {
        f"{name}_unit": "days"
        for name in ("median_days", "median_low", "median_high", "p75_days", "p90_days", "advance_median_days")
    }
    return make(
        "velocity",
        "Time in stage",
        VELOCITY,
        rows,
        definition=definition,
        filters={"days": "calendar"},
        **units,
    )


INFLUENCE: dict[str, ColumnType] = {
    "period": "text",
    "bucket": "text",
    "reason": "text",
    "campaign_id": "text",
    "campaign": "text",
    "model": "text",
    "scope": "text",
    "window": "text",
    "responses": "integer",
    "opportunities": "integer",
    "won_amount": "money",
    "open_amount": "money",
    "lost_amount": "money",
    "sourced_amount": "money",
    "accelerated_amount": "money",
    "share": "rate",
    "cost": "money",
    "roi": "number",
}

CAMPAIGNS = [
    ("Webinar: pipeline hygiene in a week", 412, 61, 84_210_033, 41_050_000, 22_400_000, 1_800_000),
    ("Trade show Hanover 2026", 168, 44, 71_905_017, 12_880_500, 30_115_000, 21_500_000),
    ("E-book: forecasting without spreadsheets", 690, 58, 38_420_006, 27_330_000, 11_090_000, 950_000),
    ("Paid search, brand", 1_204, 39, 21_114_950, 9_450_000, 18_730_000, 14_260_000),
    ("Customer reference dinner, Zürich", 24, 12, 17_500_000, 0, 2_200_000, None),
    ("Newsletter, spring", 233, 9, 3_310_000, 1_290_000, 4_010_000, 120_000),
]


def influence(models: tuple[str, ...] = ("even",)) -> Result:
    rows, totals = [], []
    for k, model in enumerate(models):
        parts: list[tuple[Any, ...]] = [
            ("campaign", None, f"701A0000000000{i}AAA", *campaign)
            for i, campaign in enumerate(CAMPAIGNS[k:] + CAMPAIGNS[:k])
        ]
        parts.append(("pending", None, None, None, 0, 31, 0, 6_150_000, 0, None))
        parts.append(
            ("unattributed", "no person in scope", None, None, 0, 38, 60_000_100, 40_000_000, 20_400_000, None)
        )
        parts.append(
            ("unattributed", "no response in window", None, None, 0, 25, 42_200_033, 11_000_000, 9_980_000, None)
        )
        total = sum(sum(part[6:9]) for part in parts)
        for bucket, reason, id_, name, responses, opportunities, won, open_, lost, cost in parts:
            amount = won + open_ + lost
            roi = None if not cost else (won - cost) / cost
            rows.append(
                (
                    "all",
                    bucket,
                    reason,
                    id_,
                    name,
                    model,
                    "role",
                    "influenced",
                    responses,
                    opportunities,
                    won,
                    open_,
                    lost,
                    amount // 3,
                    amount - amount // 3,
                    amount / total,
                    cost,
                    roi,
                )
            )
        totals.append({"model": model, "scope": "role", "window": "influenced", **influence_totals(parts)})
    definition = Definition(
        "Each opportunity's amount split over the responses of its contact roles within 365 days before creation up to close.",
        "1",
    )
    return make(
        "influence",
        "Campaign influence",
        INFLUENCE,
        rows,
        unit="opportunities",
        definition=definition,
        totals=tuple(totals),
        filters={"models": list(models)},
    )


def influence_totals(parts: list[tuple[Any, ...]]) -> dict[str, Any]:
    def amount(bucket: str | None, columns: slice = slice(6, 9)) -> int:
        return sum(sum(part[columns]) for part in parts if bucket in (None, part[0]))

    totals: dict[str, Any] = {}
    for prefix, columns in (("", slice(6, 9)), ("won_", slice(6, 7)), ("open_", slice(7, 8)), ("lost_", slice(8, 9))):
        totals[f"{prefix}total_amount"] = amount(None, columns)
        for key, bucket in (
            ("credited", "campaign"),
            ("pending", "pending"),
            ("unattributed", "unattributed"),
            ("other_window", "other_window"),
        ):
            totals[f"{prefix}{key}_amount"] = amount(bucket, columns)
    totals["unattributed"] = {part[1]: sum(part[6:9]) for part in parts if part[0] == "unattributed"}
    totals["outside"] = {"no_amount": 7, "no_rate": 0}
    return totals


def empty(result: Result) -> Result:
    """The same result without rows."""
    return replace(result, table=result.table.slice(0, 0), totals=())
