"""Second part of `make bench-influence`: credit models on the opportunities of the largest demo org.

Ten rule models at once on the workspace that `make bench` made at 10 M campaign members: credits per
touch written to a Parquet file, then credits per campaign in each scope. Each is a command of the
program from start to end. Accounts of the demo org hold few people; so the same org is asked with its
accounts thrown together as well, where the scopes of accounts hold millions of touches.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pyarrow.parquet as pq

from benchmarks.machine import ROOT, Measured, description, measured
from leadline.metrics.credit.touches import SCOPES

WORKSPACE = ROOT / "bench-workspace" / "10M" / "workspace"
WRITTEN = ROOT / "bench-workspace" / "influence" / "credits.parquet"
KEPT = Path(__file__).with_name("deals.md")
MODELS = (
    "first,last,even,even_per_campaign,u_shaped,w_shaped,full_path,time_decay,position,engagement_points"  # ten of them
)
CROWDED = ROOT / "bench-workspace" / "crowded"
TOGETHER = 31
"""Accounts of the demo org that are one account of the crowded org."""
HOLDS_ACCOUNT = {"Contact": "AccountId", "Opportunity": "AccountId", "Lead": "ConvertedAccountId"}
UNREAD = ("Task", "Event", "LeadHistory", "ContactHistory")
"""Objects that credit does without."""
HEAD = """# Benchmark of credit models on opportunities

Made by `make bench-influence`; do not edit. Ten models asked together, each line a command from start to
end on the snapshot of {workspace}. Aims: credits of every touch in 30 s and 6 GB; per campaign 30 s in
each scope.

- **seconds**, **CPU**, **peak MB**: the whole process.
- **rows**: what the command wrote; of credits per touch one row for each touch and model that credits
  it, and one for each opportunity and model without a touch.

Models: {models}.
"""


def crowded() -> Path:
    """The workspace of the org with few accounts, made if it is not there."""
    workspace = CROWDED / "workspace"
    if not (workspace / "snapshots" / "current").exists():
        shutil.rmtree(CROWDED, ignore_errors=True)
        _throw_together(WORKSPACE.parent / "export", CROWDED / "export")
        files = str(CROWDED / "export")
        measured([sys.executable, "-m", "leadline", "import", files, "--workspace", str(workspace)])
    return workspace


def _throw_together(files: Path, into: Path) -> None:
    """The same files, with every `TOGETHER` accounts as the one of them with the lowest id."""
    into.mkdir(parents=True)
    con = duckdb.connect()
    own = f"SELECT Id, row_number() OVER (ORDER BY Id) // {TOGETHER} AS room FROM read_csv('{files}/Account.csv')"
    con.execute(f"CREATE TABLE kept AS SELECT Id, min(Id) OVER (PARTITION BY room) AS account FROM ({own})")
    for file in sorted(files.glob("*.csv")):
        column = HOLDS_ACCOUNT.get(file.stem)
        if column:
            rows = f"read_csv('{file}', all_varchar = true) AS given LEFT JOIN kept ON kept.Id = given.{column}"
            changed = f"SELECT given.* REPLACE (coalesce(kept.account, given.{column}) AS {column}) FROM {rows}"
            con.execute(f"COPY ({changed}) TO '{into / file.name}' (HEADER)")
        elif file.stem not in UNREAD:
            (into / file.name).hardlink_to(file)


def influence(workspace: Path, *arguments: str) -> tuple[Measured, int]:
    """`leadline influence` into a Parquet file, measured, and how many rows it wrote."""
    into = ["--workspace", str(workspace), "--output", str(WRITTEN)]
    one = measured([sys.executable, "-m", "leadline", "influence", *into, *arguments])
    rows = pq.read_metadata(WRITTEN).num_rows
    WRITTEN.unlink()
    return one, int(rows)


def lines() -> Iterator[str]:
    """One line a command."""
    for scope, models in [("role", MODELS), *[(scope, "even") for scope in SCOPES]]:
        what = "ten models" if models == MODELS else models
        asked = influence(WORKSPACE, "--model", models, "--scope", scope, "--list")
        yield _line(f"credits per touch, {what}", scope, *asked)
    for scope in SCOPES:
        asked = influence(WORKSPACE, "--model", MODELS, "--scope", scope)
        yield _line("credits per campaign, ten models", scope, *asked)
    crowd = crowded()
    for models in ("even", MODELS):
        asked = influence(crowd, "--model", models, "--scope", "account")
        what = "ten models" if models == MODELS else models
        yield _line(f"credits per campaign, {what}, {TOGETHER} accounts as one", "account", *asked)
    asked = influence(crowd, "--model", "even", "--scope", "account", "--list")
    yield _line(f"credits per touch, even, {TOGETHER} accounts as one", "account", *asked)


def _line(what: str, scope: str, one: Measured, rows: int) -> str:
    print(f"  {what}, {scope}: {one.seconds:.1f} s", file=sys.stderr, flush=True)
    return f"| {what} | {scope} | {rows:,} | {one.seconds:.2f} | {one.cpu:.2f} | {one.peak_mb:,.0f} |"


def main() -> None:
    """Measure and write the page.

    Raises:
        SystemExit: the large workspace is not there.
    """
    if not WORKSPACE.exists():
        sys.exit(f"{WORKSPACE.relative_to(ROOT)} is not there; `make bench SIZES=10M` makes it.")
    before = os.getloadavg()[0]
    rows = list(lines())
    text = [
        HEAD.format(workspace=WORKSPACE.relative_to(ROOT), models=MODELS.replace(",", ", ")),
        f"{description()}. Load average before {before:.1f}, after {os.getloadavg()[0]:.1f}.\n",
        "| question | scope | rows | seconds | CPU | peak MB |\n| --- | --- | ---: | ---: | ---: | ---: |",
        *rows,
    ]
    KEPT.write_text("\n".join(text) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
