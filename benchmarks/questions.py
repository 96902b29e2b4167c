"""Questions of the funnel in depth, each as a method of the metrics and what it is asked.

Dimensions are those a team splits by; a question without one is asked whole. `measured_all` asks each
once in one process, after one question that imports what all of them need.
"""

from __future__ import annotations

import datetime as dt
import json
import resource
import sys
import time
from collections import defaultdict
from typing import Any

from benchmarks.steps import scan_of_queries

START, END = dt.date(2026, 1, 1), dt.date(2026, 4, 1)
DIMENSIONS = ("campaign_type", "lead_source", "campaign", "campaign_type,lead_source")

QUESTIONS: dict[str, tuple[str, dict[str, Any]]] = {
    "volume --view cohort --grain month": ("volume", {"view": "cohort", "grain": "month"}),
    "volume --view standing --grain month": ("volume", {"view": "standing", "grain": "month"}),
    "volume --unit people": ("volume", {"unit": "people"}),
    "volume --unit accounts": ("volume", {"unit": "accounts"}),
    "volume --unit responses": ("volume", {"unit": "responses"}),
    "volume --fates": ("fates", {}),
    "volume --new": ("newness", {"grain": "month"}),
    "volume --compare": ("comparison", {"start": START, "end": END}),
    "pipeline": ("pipeline", {}),
    "pipeline --movements": ("pipeline", {"view": "movements", "start": START, "end": END}),
    "conversion --convention eventual": ("conversion", {"convention": "eventual"}),
    "conversion --convention period": ("conversion", {"convention": "period", "grain": "month"}),
    "conversion --convention touched": ("conversion", {"convention": "touched"}),
    "conversion --convention in-order": ("conversion", {"convention": "in-order"}),
    "conversion --convention summary": ("conversion", {"convention": "summary", "grain": "month"}),
    "conversion --matrix": ("conversion_matrix", {}),
    "conversion --triangle weeks": ("conversion_triangle", {"grain": "month"}),
    "conversion --compare": ("conversion_change", {"start": START, "end": END, "by": ["campaign_type"]}),
    "conversion --problems": ("problems", {}),
    "velocity --measure first": ("velocity", {"measure": "first"}),
    "velocity --measure elapsed": ("velocity", {"measure": "elapsed"}),
    "velocity --measure cycle": ("velocity", {"measure": "cycle"}),
    "velocity --measure first-response": ("velocity", {"measure": "first-response"}),
    "velocity --days working": ("velocity", {"days": "working"}),
    "velocity --distribution": ("velocity", {"show": "distribution"}),
    "velocity --bottleneck": ("velocity", {"show": "bottleneck"}),
    "velocity --slow": ("velocity", {"show": "slow"}),
    "velocity --stuck --by campaign": ("velocity", {"stuck": True, "by": ["campaign"]}),
    "velocity --detours": ("velocity", {"show": "detours"}),
    "formula win_rate": ("formula", {"name": "win_rate", "grain": "month"}),
    "goals --reverse": ("reverse", {"amount": 1_000_000}),
    **{f"volume --by {name}": ("volume", {"by": name.split(",")}) for name in DIMENSIONS},
    **{f"conversion --by {name}": ("conversion", {"by": name.split(",")}) for name in DIMENSIONS},
    **{f"velocity --by {name}": ("velocity", {"by": name.split(",")}) for name in DIMENSIONS},
}


def measured_all(workspace: str) -> dict[str, Any]:
    """Seconds of every question and of the scan of its columns; the peak memory of the process that asked all."""
    import leadline

    metrics = leadline.open(workspace).metrics
    metrics.volume()
    found: dict[str, dict[str, float]] = defaultdict(dict)
    for name, (method, question) in QUESTIONS.items():
        with scan_of_queries() as scan:
            began = time.perf_counter()
            getattr(metrics, method)(**question)
            found[name]["seconds"] = time.perf_counter() - began
        found[name]["scan_seconds"] = scan()
        print(f"  {name}: {found[name]['seconds']:.2f} s", file=sys.stderr, flush=True)
    return {"questions": found, "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}


if __name__ == "__main__":
    print(json.dumps(measured_all(sys.argv[1])))
