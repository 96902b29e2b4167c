"""The oracle's survival curves against figures computed with R on a real data set."""

from __future__ import annotations

import csv
import datetime as dt
from fractions import Fraction
from pathlib import Path

import pytest

from tests.oracle.survival import Spell, curve, quantile

LAST_DAY = dt.date(2017, 12, 31)
PARTS = {"km_closed_any": "left", "aalen_johansen_won": "advanced", "aalen_johansen_lost": "exited"}


def spells(folder: Path) -> list[Spell]:
    """Days from engagement to the close, open deals censored on the last day of the data."""
    found = []
    with (folder / "sales_pipeline.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            if row["engage_date"]:
                end = dt.date.fromisoformat(row["close_date"]) if row["close_date"] else LAST_DAY
                days = Fraction((end - dt.date.fromisoformat(row["engage_date"])).days)
                cause = {"Won": "advanced", "Lost": "exit"}.get(row["deal_stage"])
                found.append(Spell(days, cause))
    return found


def test_curves_equal_those_of_r(shared_data: Path) -> None:
    folder = shared_data / "maven-crm-sales-opportunities"
    mine = spells(folder)
    steps = curve(mine)
    compared = 0
    with (folder / "expected_survival.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            if row["group"] != "all engaged" or row["quantity"] not in PARTS:
                continue
            step = [one for one in steps if one.days <= Fraction(row["t"])][-1]
            value = {"left": 1 - step.surviving, "advanced": step.advanced, "exited": step.exited}[
                PARTS[row["quantity"]]
            ]
            assert float(value) == pytest.approx(float(row["value"]), abs=1e-8)  # R wrote eight decimals
            compared += 1
    assert compared == 21
    assert [quantile(mine, Fraction(quarter, 4)) for quarter in (1, 2, 3)] == [10, 69, 107]
