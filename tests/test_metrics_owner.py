"""The owner of an opportunity as a dimension."""

from __future__ import annotations

import csv
from pathlib import Path

from tests.demo_workspace import imported


def test_opportunities_by_owner_carry_the_names_of_users(tmp_path: Path) -> None:
    demo = imported(tmp_path, people=600, seed=7)
    metrics = demo.workspace.metrics
    by_owner = metrics.volume(unit="opportunities", by=["owner"]).table.to_pylist()
    whole = metrics.volume(unit="opportunities").table.to_pylist()
    with (tmp_path / "files" / "User.csv").open(newline="", encoding="utf-8") as lines:
        names = {f"{row['FirstName']} {row['LastName']}".strip() for row in csv.DictReader(lines)}
    owners = {row["owner"] for row in by_owner}
    assert len(owners) > 1
    assert owners <= names
    for stage in ("SQL", "Won"):
        assert sum(row["count"] for row in by_owner if row["stage"] == stage) == next(
            row["count"] for row in whole if row["stage"] == stage
        )
