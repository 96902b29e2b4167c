"""Totals in words: what adds up, and that it does."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from leadline.render.present import ALL_TIME, NOTHING, amount_text, clean, dimensions, label, percent, setting_text
from leadline.results import Result, is_money_key

Total = Mapping[str, Any]

_PARTS = ("credited", "pending", "unattributed", "other_window")


def lines(result: Result) -> list[str]:
    """Lines below a table: the reconciliation of influence, totals over the dimensions, anything else as it is.

    Where no dimension was asked for, counts per stage and rates per step are the rows themselves
    and are not said twice.
    """
    said = reconciliation(result)
    # Every model leaves the same opportunities outside: said once.
    said += dict.fromkeys(line for total in result.totals for line in _outside(result, total))
    if dimensions(result):
        said += _by_period([(total, _stage(total)) for total in result.totals if "stage" in total])
        said += _by_period([(total, _step(total)) for total in result.totals if "from_stage" in total])
        said += _by_period([(total, _values(result, total)) for total in result.totals if _is_value(total)])
    if dimensions(result) or _by_stage(result):
        said += _by_period([(total, _movement(result, total)) for total in result.totals if "movement" in total])
    known = {"total_amount", "stage", "from_stage", "value", "value_amount", "movement"}
    return said + [", ".join(_pairs(result, total)) for total in result.totals if total and not known & total.keys()]


def reconciliation(result: Result, *, by_period: bool = True) -> list[str]:
    """For influence: total = credited + pending + unattributed (+ other window), per combination.

    Args:
        result: a result whose totals hold amounts.
        by_period: a line per period too; otherwise periods are added up.
    """
    totals = [total for total in result.totals if "total_amount" in total]
    return [_balance(result, total) for total in (totals if by_period else _over_periods(totals))]


def _balance(result: Result, total: Total) -> str:
    parts = [
        (label(key), total[f"{key}_amount"]) for key in _PARTS if key != "other_window" or total.get(f"{key}_amount")
    ]
    gap = total["total_amount"] - sum(amount for _, amount in parts)
    names = [
        str(total[key])
        for key in ("period", "model", "variation", "scope", "window")
        if total.get(key) not in (None, ALL_TIME)
    ]
    sums = " + ".join(f"{name} {amount_text(result, amount)}" for name, amount in parts)
    said = f"total {amount_text(result, total['total_amount'])} = {sums} {result.currency}"
    off = f" – off by {amount_text(result, gap)}" if gap else ""
    return clean(f"{' · '.join(names)}: {said}{off}" if names else f"{said}{off}")


def _over_periods(totals: Sequence[Total]) -> list[Total]:
    sums: dict[tuple[Any, ...], dict[str, Any]] = {}
    for total in totals:
        settings = {key: total.get(key) for key in ("model", "scope", "window")}
        sum_ = sums.setdefault(
            tuple(settings.values()),
            {**settings, **dict.fromkeys(["total_amount", *(f"{key}_amount" for key in _PARTS)], 0)},
        )
        for key in ("total_amount", *(f"{key}_amount" for key in _PARTS)):
            sum_[key] += total.get(key) or 0
    return list(sums.values())


def _by_period(said: Sequence[tuple[Total, str]]) -> list[str]:
    """One line per period."""
    periods: dict[str, list[str]] = {}
    for total, text in said:
        period = total.get("period")
        periods.setdefault("total" if period in (None, ALL_TIME) else f"total {clean(str(period))}", []).append(text)
    return [f"{name}: {', '.join(texts)}" for name, texts in periods.items()]


def _stage(total: Total) -> str:
    return f"{clean(str(total['stage']))} {total['count']:,}"


def _by_stage(result: Result) -> bool:
    """Whether a pipeline is told stage by stage, so that sums over the stages say something new."""
    return result.kind == "pipeline" and result.table["stage"].null_count < result.table.num_rows


def _movement(result: Result, total: Total) -> str:
    amount = f"{amount_text(result, total['amount'])} {result.currency}".rstrip()
    return f"{label(str(total['movement']))} {total['count']:,} ({amount})"


def _step(total: Total) -> str:
    rate = f"{percent(total.get('rate'))} ({total['converted']:,} of {total['started']:,})"
    return f"{clean(str(total['from_stage']))} → {clean(str(total['to_stage']))} {rate}"


def _is_value(total: Total) -> bool:
    """Whether it is the total of a formula."""
    return "value" in total or "value_amount" in total


def _values(result: Result, total: Total) -> str:
    """The value of a formula over all groups, then what it is made of."""
    kinds = {column.name: column.type for column in result.columns}
    parts = []
    for key, value in total.items():
        if key != "period":
            name = "" if key in ("value", "value_amount") else f"{label(key)} "
            parts.append(f"{name}{_number(result, kinds.get('value' if not name else key), value)}")
    return f"{parts[0]} ({', '.join(parts[1:])})"


def _number(result: Result, kind: str | None, value: int | float | None) -> str:
    if value is None:
        return NOTHING
    if kind == "money" and isinstance(value, int):
        return f"{amount_text(result, value)} {result.currency}"
    if kind == "rate":
        return percent(value)
    return f"{value:,}" if isinstance(value, int) else f"{value:,.1f}"


def _pairs(result: Result, total: Total) -> Iterator[str]:
    for key, value in total.items():
        if isinstance(value, Mapping) or value is None or value == ALL_TIME:
            continue
        if is_money_key(key):
            yield f"{label(key)} {amount_text(result, value)} {result.currency}"
        else:
            yield f"{label(key)} {_shown(value)}"


def _shown(value: Any) -> str:
    if isinstance(value, float):
        # Correlations and parts of journeys: more digits are in the table of JSON.
        return f"{round(value, 4):,}"
    return f"{value:,}" if isinstance(value, int) else clean(str(value))


def _outside(result: Result, total: Total) -> Iterator[str]:
    """What stands outside the identity: opportunities without amount or rate."""
    outside = {key: value for key, value in (total.get("outside") or {}).items() if value}
    if outside:
        yield "outside: " + ", ".join(
            f"{label(key)} {setting_text(value)} {result.unit}" for key, value in outside.items()
        )
