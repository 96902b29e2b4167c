"""The pages of cost and return, lift and the org's own rows name what these tables have."""

from __future__ import annotations

import pytest

from leadline.metrics.credit import diminishing, lift_columns, org_reasons, products, roi_columns
from leadline.path_table.answer import COLUMNS as OF_PATHS
from leadline.path_table.transitions import COLUMNS as OF_TRANSITIONS
from leadline.results import Column
from leadline.sources import costs_file
from tests.contracts.code import ROOT

METRICS = ROOT / "docs" / "metrics"
TABLES = {
    "roi": roi_columns.COLUMNS,
    "roi, month by month": diminishing.COLUMNS[1:],
    "lift": lift_columns.COLUMNS,
    "salesforce": org_reasons.COLUMNS,
    "paths": OF_PATHS,
    "paths, transitions": OF_TRANSITIONS,
}


@pytest.mark.parametrize("name", TABLES)
def test_every_column_is_explained(name: str) -> None:
    text = (METRICS / f"{name.partition(',')[0]}.md").read_text(encoding="utf-8")
    columns: tuple[Column, ...] = TABLES[name]
    assert [column.name for column in columns if f"`{column.name}`" not in text] == []


@pytest.mark.parametrize("name", ["roi", "lift", "salesforce", "paths", "influence"])
def test_every_page_has_its_parts(name: str) -> None:
    text = (METRICS / f"{name}.md").read_text(encoding="utf-8")
    wanted = ("What it answers", "How it is counted", "Columns", "How to read it", "What to do", "Limits")
    assert [part for part in wanted if f"## {part}\n" not in text] == []


def test_every_reason_is_explained() -> None:
    text = (METRICS / "salesforce.md").read_text(encoding="utf-8")
    assert [reason for reason in org_reasons.REASONS if f"| {reason} |" not in text] == []


def test_every_column_of_the_costs_file_is_explained() -> None:
    text = (METRICS / "roi.md").read_text(encoding="utf-8")
    assert [name for name in costs_file.COLUMNS if f"`{name}`" not in text] == []


def test_products_are_dimensions_of_the_manual() -> None:
    text = (ROOT / "docs" / "dimensions.md").read_text(encoding="utf-8")
    assert [name for name in products.PRODUCT if f"| `{name}` |" not in text] == []
