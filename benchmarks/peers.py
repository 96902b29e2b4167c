"""The same questions asked in pandas and lifelines: `python -m benchmarks.peers [SIZE]`.

Both sides start from the published snapshot. pandas gets the tables of the model as data frames in
memory, and loading them is not counted; Leadline reads the snapshot, and grade, evidence and the
list behind the number are part of its answer. Numbers must be the same, else the run fails.
"""

from __future__ import annotations

import json
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks import bench
from benchmarks.machine import description

KEPT = Path(__file__).with_name("peers.md")
SIZE = "5M"
"""About one million journeys."""

DAY = 86_400
TABLES = {
    "journeys": ["journey_id", "funnel", "outcome", "started_day", "origin_campaign_id"],
    "journey_stages": ["journey_id", "funnel", "stage_no", "known", "entered_s", "entered_day", "later_s", "later_day"],
    "journey_visits": [
        *("journey_id", "funnel", "visit_no", "stage_no"),
        *("entered_s", "entered_day", "entered_is_date"),
        *("left_s", "left_day", "left_is_date"),
    ],
    "campaigns": ["campaign_id", "campaign_type"],
}


def frames(opened: Any) -> dict[str, Any]:
    """The tables of the model as data frames, of the first funnel."""
    name, _ = opened.funnel(None)
    found = {table: opened.arrow(opened[table].select(*columns)).to_pandas() for table, columns in TABLES.items()}
    return {
        table: frame[frame.funnel == name].drop(columns="funnel") if "funnel" in frame else frame
        for table, frame in found.items()
    }


def volume(data: dict[str, Any], facts: dict[str, Any]) -> dict[Any, int]:
    """Entries per month and stage."""
    import pandas as pd

    stages = data["journey_stages"]
    observed = stages[stages.known == "observed"]
    month = pd.to_datetime(observed.entered_day, unit="D").dt.strftime("%Y-%m")
    counted = observed.groupby([month, observed.stage_no]).size()
    return {(period, facts["stages"][stage]): int(count) for (period, stage), count in counted.items()}


def conversion(data: dict[str, Any], facts: dict[str, Any]) -> dict[Any, tuple[int, int]]:
    """Started and converted per campaign type and transition, cohort with its window."""
    stages, journeys = data["journey_stages"], data["journeys"]
    described = journeys.merge(data["campaigns"], how="left", left_on="origin_campaign_id", right_on="campaign_id")
    described["campaign_type"] = described.campaign_type.where(described.origin_campaign_id.notna(), "no response")
    found = {}
    for start, end, window in facts["transitions"]:
        earlier = stages[(stages.stage_no == start) & stages.entered_s.notna()][
            ["journey_id", "entered_s", "entered_day"]
        ]
        later = stages[stages.stage_no == end][["journey_id", "later_s", "later_day"]]
        both = earlier.merge(later, how="left", on="journey_id")
        in_order = ~(both.later_s < both.entered_s)
        old = both.entered_day + window < facts["as_of_day"]
        started = both[in_order & old].merge(described[["journey_id", "campaign_type"]], on="journey_id")
        started = started.assign(converted=started.later_day - started.entered_day <= window)
        counted = started.groupby("campaign_type", dropna=False).converted.agg(["size", "sum"])
        for kind, row in counted.iterrows():
            key = (kind if isinstance(kind, str) else None, facts["stages"][start])
            found[key] = (int(row["size"]), int(row["sum"]))
    return found


def velocity(data: dict[str, Any], facts: dict[str, Any]) -> dict[Any, tuple[int, float | None]]:
    """Units and median days per stage, with its interval, and the share that moves up."""
    from lifelines import AalenJohansenFitter, KaplanMeierFitter
    from lifelines.utils import median_survival_times

    found = {}
    times = _times(data, facts)
    for stage, own in times.groupby("stage_no"):
        days = own.seconds / DAY
        curve = KaplanMeierFitter().fit(days, own.cause != "censored")
        median_survival_times(curve.confidence_interval_)
        AalenJohansenFitter(calculate_variance=False, seed=7).fit(
            days, own.cause.map({"censored": 0, "advanced": 1, "exit": 2}), event_of_interest=1
        )
        median = _median(curve.survival_function_.iloc[:, 0])
        found[facts["stages"][stage]] = (len(own), None if median == float("inf") else round(median, 6))
    return found


def _median(curve: Any) -> float:
    """First time at which at most half are left; where it is exactly half, the middle of the flat stretch, as R has it.

    lifelines takes the begin of the stretch. The tolerance is R's: a product of many factors meets a half
    only up to rounding.
    """
    left = curve.to_numpy()
    place = int((left > 0.5 + 1.5e-8).sum())
    if place == len(left):
        return float("inf")
    later = int((left > 0.5 - 1.5e-8).sum())
    if later == place or later == len(left):
        return float(curve.index[place])
    return float(curve.index[place] + curve.index[later]) / 2


def _times(data: dict[str, Any], facts: dict[str, Any]) -> Any:
    """Seconds per journey and stage, and how they ended."""
    visits = data["journey_visits"]
    visits = visits[~visits.stage_no.isin(facts["ends"])]
    is_open = visits.left_s.isna()
    in_days = visits.entered_is_date | visits.left_is_date.fillna(False).astype(bool)
    whole = (visits.left_day.fillna(facts["as_of_day"]) - visits.entered_day) * DAY
    exact = visits.left_s.fillna(facts["as_of_s"]) - visits.entered_s
    visits = visits.assign(seconds=whole.where(in_days, exact), is_open=is_open)
    sums = visits.groupby(["journey_id", "stage_no"], as_index=False).seconds.sum()
    last = visits.sort_values(["journey_id", "visit_no"]).groupby("journey_id", as_index=False).last()
    joined = sums.merge(last[["journey_id", "stage_no", "is_open"]], on="journey_id", suffixes=("", "_last"))
    joined = joined.merge(data["journeys"][["journey_id", "outcome"]], on="journey_id")
    advanced = (joined.stage_no_last > joined.stage_no) | (~joined.is_open & (joined.outcome == "won"))
    joined["cause"] = "exit"
    joined.loc[joined.is_open, "cause"] = "censored"
    joined.loc[advanced, "cause"] = "advanced"
    return joined[joined.seconds >= 0]


ASKED: dict[str, tuple[dict[str, Any], Callable[[dict[str, Any], dict[str, Any]], dict[Any, Any]]]] = {
    "volume": ({"grain": "month"}, volume),
    "conversion": ({"by": ["campaign_type"]}, conversion),
    "velocity": ({}, velocity),
}


def ours(metric: str, result: Any) -> dict[Any, Any]:
    """The numbers of a result that are compared."""
    rows = result.table.to_pylist()
    if metric == "volume":
        return {(row["period"], row["stage"]): row["count"] for row in rows if row["count"]}
    if metric == "conversion":
        return {(row["campaign_type"], row["from_stage"]): (row["started"], row["converted"]) for row in rows}
    return {
        row["stage"]: (row["n"], None if row["median_days"] is None else round(row["median_days"], 6))
        for row in rows
        if row["n"]
    }


def facts_of(opened: Any) -> dict[str, Any]:
    """What both sides must agree on: as-of, stages, windows."""
    from leadline.metrics.conversion import transitions
    from leadline.metrics.query import Query, ask
    from leadline.model.funnels import outcome_stages

    asked = ask(opened, Query())
    return {
        "stages": asked.funnel.stage_names,
        "ends": outcome_stages(asked.funnel),
        "as_of_day": opened.as_of.day,
        "as_of_s": opened.as_of.second,
        "transitions": [(one.start, one.end, one.window) for one in transitions(asked, None, None, None)],
    }


def run(size: str) -> list[dict[str, Any]]:
    """Seconds of both sides per question."""
    import leadline
    from leadline.model.opened import open_snapshot

    workspace = bench.PLACE / size / "workspace"
    if not (workspace / "snapshots" / "current").exists():
        bench.command("import", str(bench.demo_files(size)), "--workspace", str(workspace))
    opened = leadline.open(workspace)
    _, snapshot = opened.snapshots.open_current(open_snapshot)
    data, facts = frames(snapshot), facts_of(snapshot)
    lines = []
    for metric, (question, theirs) in ASKED.items():
        getattr(opened.metrics, metric)(**question)  # the first question of a process imports what it needs
        began = time.perf_counter()
        result = getattr(opened.metrics, metric)(**question)
        mine = time.perf_counter() - began
        began = time.perf_counter()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # lifelines says that it breaks ties at random
            expected = theirs(data, facts)
        other = time.perf_counter() - began
        if ours(metric, result) != expected:
            raise SystemExit(f"{metric}: {ours(metric, result)} is not {expected}")
        lines.append({"question": metric, "leadline": mine, "pandas": other, "numbers": len(expected)})
    return [{**line, "journeys": len(data["journeys"])} for line in lines]


def page(lines: list[dict[str, Any]]) -> str:
    """The figures as a page."""
    rows = [
        f"| {line['question']} | {line['leadline']:.2f} | {line['pandas']:.2f} | {line['pandas'] / line['leadline']:.1f} | {line['numbers']} |"
        for line in lines
    ]
    return "\n".join(
        [
            "# Beside pandas and lifelines",
            "",
            f"Made by `python -m benchmarks.peers`; do not edit. {lines[0]['journeys']:,} journeys. {description()}.",
            "",
            "The same questions on the same tables: volume by month, conversion by campaign type, time in stage with",
            "Kaplan–Meier medians and their intervals and the Aalen–Johansen share that moves up (lifelines). pandas holds",
            "the tables in memory, and loading them is not counted. All compared numbers are equal.",
            "",
            "| question | Leadline s | pandas s | × faster | numbers equal |",
            "| --- | ---: | ---: | ---: | ---: |",
            *rows,
            "",
        ]
    )


def main() -> None:
    """Measure and write the page."""
    lines = run(sys.argv[1] if len(sys.argv) > 1 else SIZE)
    KEPT.write_text(page(lines), encoding="utf-8")
    print(json.dumps(lines, indent=1))
    print(page(lines))


if __name__ == "__main__":
    main()
