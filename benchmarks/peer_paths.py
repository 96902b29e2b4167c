"""One path tool, asked in its own environment: `python peer_paths.py PEER QUESTION FILE`, JSON on the last line.

Runs without Leadline: only what the peer's environment has. Reading the file is timed apart from the model.
"""

from __future__ import annotations

import json
import sys
import time
from typing import Any


def channelattribution(question: str, file: str) -> dict[str, Any]:
    """The C++ package, by its documented calls."""
    import ChannelAttribution  # type: ignore[import-not-found]  # of the peer's environment
    import pandas as pd

    began = time.perf_counter()
    data = pd.read_csv(file)
    read = time.perf_counter() - began
    names = {"var_value": "value", "sep": ">", "flg_pro": False}
    began, used = time.perf_counter(), time.process_time()
    if question == "rules":
        found = ChannelAttribution.heuristic_models(data, "path", "conversions", **names)
        credit = dict(zip(found["channel_name"].str.strip(), found["linear_touch_conversions"], strict=True))
    else:
        order = int(question.removeprefix("markov"))
        found = ChannelAttribution.markov_model(
            data, "path", "conversions", var_null="nulls", order=order, verbose=False, ncore=2, **names
        )
        credit = dict(zip(found["channel_name"].str.strip(), found["total_conversions"], strict=True))
    return {"read": read, "model": time.perf_counter() - began, "cpu": time.process_time() - used, "credit": credit}


def marketing_attribution_models(question: str, file: str) -> dict[str, Any]:
    """The package on Polars, by its documented calls, on grouped journeys."""
    import polars as pl
    from mam.core import MAM  # type: ignore[import-not-found]  # of the peer's environment

    began = time.perf_counter()
    data = pl.read_csv(file)
    data = data.with_columns(has=pl.col("conversions") > 0, seen=pl.col("conversions") + pl.col("nulls"))
    made = MAM(
        df=data,
        format_type="grouped_journey",
        channels_colname="path",
        journey_with_conv_colname="has",
        occurrences_colname="seen",
    )
    read = time.perf_counter() - began
    began, used = time.perf_counter(), time.process_time()
    asked = {
        "rules": [made.run_first_click, made.run_last_click, made.run_linear, made.run_position_based],
        "markov1": [made.run_markov],
        "shapley_coverage": [lambda: made.run_shapley(max_size=4)],
    }[question]
    found = [one().to_polars() for one in asked]
    spent, used = time.perf_counter() - began, time.process_time() - used
    last = found[-1]
    credit = dict(zip(last[last.columns[0]].to_list(), last[last.columns[-1]].to_list(), strict=True))
    return {"read": read, "model": spent, "cpu": used, "credit": credit}


PEERS = {"channelattribution": channelattribution, "marketing-attribution-models": marketing_attribution_models}

if __name__ == "__main__":
    answer = PEERS[sys.argv[1]](sys.argv[2], sys.argv[3])
    print(
        json.dumps({name: value for name, value in answer.items() if name != "credit"} | {"credit": answer["credit"]})
    )
