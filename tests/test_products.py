"""Credit by product: an opportunity's amount split by its line items, exact to the minor unit."""

from __future__ import annotations

from collections import defaultdict
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from leadline.errors import UnknownNameError
from leadline.workspace import Workspace
from tests import campaign_org as org

LINES = "Id,OpportunityId,Product2Id,TotalPrice\n"
PRODUCTS = """Id,Name,Family
01t000000000001AAA,Licence,Software
01t000000000002AAA,Training,Services
01t000000000003AAA,Support,Services
"""


def built(folder: Path, *lines: tuple[int, int, str], **more: str) -> Workspace:
    """The org with line items of deal, product and total."""
    text = LINES + "".join(
        f"00k{at:012}AAA,006{deal:012}AAA,01t{product:012}AAA,{total}\n"
        for at, (deal, product, total) in enumerate(lines, start=1)
    )
    return org.built(folder, {"OpportunityLineItem.csv": text, "Product2.csv": PRODUCTS, **more})


def parts(space: Workspace, by: str) -> dict[str | None, int]:
    """Whole amount per value, credited or not."""
    found: dict[str | None, int] = defaultdict(int)
    for row in space.metrics.influence(models=["even"], by=[by]).table.to_pylist():
        found[row[by]] += row["won_amount"] + row["open_amount"] + row["lost_amount"]
    return dict(found)


@pytest.fixture(scope="module")
def space(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    # Deal 1 is worth 300, deal 2 has 40 and no line above 0, deal 3 has 500 and three products.
    lines = [(1, 1, "200"), (1, 2, "100"), (2, 1, "0"), (2, 2, "-5"), (3, 1, "1"), (3, 2, "1"), (3, 3, "1")]
    return built(tmp_path_factory.mktemp("products"), *lines)


def test_amounts_go_where_the_lines_are(space: Workspace) -> None:
    # A third of 500.00 leaves two cents, which go to the first names in order.
    assert parts(space, "product") == {
        "Licence": 200_00 + 166_67,
        "Support": 166_67,
        "Training": 100_00 + 166_66,
        None: 40_00,
    }
    assert parts(space, "product_family") == {"Software": 200_00 + 166_67, "Services": 100_00 + 333_33, None: 40_00}


def test_credits_of_a_part_are_split_like_any_amount(space: Workspace) -> None:
    table = space.metrics.influence(models=["even", "first"], by=["product", "campaign"]).table.to_pylist()
    got = {
        (row["model"], row["product"], row["campaign_id"]): row["won_amount"]
        for row in table
        if row["bucket"] == "campaign" and row["won_amount"]
    }
    assert got == {
        ("even", "Licence", org.A): 100_00,
        ("even", "Licence", org.C): 100_00,
        ("even", "Training", org.A): 50_00,
        ("even", "Training", org.C): 50_00,
        ("even", None, org.B): 40_00,
        ("first", "Licence", org.A): 200_00,
        ("first", "Training", org.A): 100_00,
        ("first", None, org.B): 40_00,
    }


def test_totals_and_lists_are_those_without_products(space: Workspace) -> None:
    names = ["first", "even", "u_shaped", "time_decay", "salesforce_even"]
    plain = space.metrics.influence(models=names).totals
    split = space.metrics.influence(models=names, by=["product"])
    amounts = [
        {key: value for key, value in total.items() if key.endswith("_amount") or key in ("model", "unattributed")}
        for total in (*plain, *split.totals)
    ]
    assert amounts[: len(plain)] == amounts[len(plain) :]
    sums: dict[tuple[Any, ...], int] = defaultdict(int)
    for row in split.records().table.to_pylist():
        sums[row["model"], row["product"]] += row["credit"]
    told: dict[tuple[Any, ...], int] = defaultdict(int)
    for row in split.table.to_pylist():
        told[row["model"], row["product"]] += row["won_amount"] + row["open_amount"] + row["lost_amount"]
    assert sums == told


@pytest.mark.parametrize("amount", ["1125899906842.61", "0.01", "-41000.01", "99999999999.99"])
def test_parts_are_exact_to_the_minor_unit(tmp_path: Path, amount: str) -> None:
    totals = ["12345.67", "28654.34", "0.01", "999999999.99"]
    deals = org.FILES["Opportunity.csv"].replace("Closed Won,300,", f"Closed Won,{amount},")
    lines = [(1, at, total) for at, total in enumerate(totals[:3], start=1)] + [(1, 1, totals[3])]
    space = built(tmp_path, *lines, **{"Opportunity.csv": deals})
    found = {
        row["product"]: row["won_amount"]
        for row in space.metrics.influence(models=["first"], by=["product"]).table.to_pylist()
        if row["product"] is not None
    }
    minor = int(amount.replace(".", ""))
    weights = {"Licence": 1234567 + 99999999999, "Training": 2865434, "Support": 1}
    assert sum(found.values()) == minor
    for name, weight in weights.items():
        exact = Fraction(minor * weight, sum(weights.values()))
        assert abs(found.get(name, 0) - exact) < 1


def test_lines_that_add_up_to_the_amount_are_their_own_parts(tmp_path: Path) -> None:
    space = built(tmp_path, (1, 1, "123.45"), (1, 2, "176.55"))
    found = parts(space, "product")
    assert (found["Licence"], found["Training"]) == (123_45, 176_55)


def test_without_line_items_nothing_has_a_product(tmp_path: Path) -> None:
    space = org.built(tmp_path)
    assert set(parts(space, "product")) == {None}
    assert any("line items" in note for note in space.metrics.influence(by=["product"]).notes)


def test_products_split_credit_only(space: Workspace) -> None:
    with pytest.raises(UnknownNameError, match="product"):
        space.metrics.volume(by=["product"])
