"""Ids of the demo org are ids Salesforce could have given."""

from __future__ import annotations

import csv
import re
from pathlib import Path

import numpy as np
import pytest

from leadline.demo import ids

REAL = ["0062100000CZxqcAAD", "00v2100000AmXb2AAF", "00Qbm00000Orxk5EAB"]


def suffix(first_fifteen: str) -> str:
    """The checksum by its description: bit k of each group of five says whether character k is a capital."""
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"
    groups = [first_fifteen[start : start + 5] for start in (0, 5, 10)]
    return "".join(letters[sum(2**k for k, c in enumerate(group) if "A" <= c <= "Z")] for group in groups)


@pytest.mark.parametrize("record_id", REAL)
def test_the_checksum_rule_holds_for_ids_of_real_orgs(record_id: str) -> None:
    assert suffix(record_id[:15]) == record_id[15:]


def test_the_checksum_rule_holds_for_every_id_of_the_developer_org(shared_data: Path) -> None:
    with (shared_data / "salesforce-dev-org-sample" / "Lead.csv").open(encoding="utf-8", newline="") as file:
        found = [row["Id"] for row in csv.DictReader(file)]
    assert len(found) == 22
    assert [suffix(record_id[:15]) for record_id in found] == [record_id[15:] for record_id in found]


@pytest.mark.parametrize("object_name", sorted(ids.PREFIX))
def test_made_ids_have_prefix_alphabet_and_checksum(object_name: str) -> None:
    numbers = np.array([0, 1, 61, 62, 238_327, 238_328, 10_000_000, 999_999_999], np.int64)
    for record_id in ids.text(object_name, numbers).to_pylist():
        assert re.fullmatch(r"[0-9A-Za-z]{15}[A-Z0-5]{3}", record_id)
        assert record_id[:3] == ids.PREFIX[object_name]
        assert record_id[15:] == suffix(record_id[:15])


def test_ids_sort_by_bytes_as_their_numbers_do() -> None:
    numbers = np.sort(np.random.default_rng(1).integers(0, 10**9, 2000))
    made = ids.text("Lead", np.unique(numbers)).to_pylist()
    assert made == sorted(made)
    assert len(set(made)) == len(made)


def test_a_negative_number_is_a_null() -> None:
    assert ids.text("Lead", np.array([-1, 3, -1])).to_pylist() == [None, ids.one("Lead", 3), None]


def test_objects_that_share_a_prefix_do_not_share_ids() -> None:
    numbers = np.arange(1000)
    shared = [name for name, prefix in ids.PREFIX.items() if prefix == "017"]
    made = [record_id for name in shared for record_id in ids.text(name, numbers).to_pylist()]
    assert len(shared) == 3
    assert len(set(made)) == 3000
