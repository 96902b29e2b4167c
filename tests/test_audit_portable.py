"""Checks stay in the portable subset of expressions and compile for every engine."""

from __future__ import annotations

import ibis
import pytest

from leadline.audit import run
from leadline.audit.check import Hits
from leadline.audit.registry import CHECKS
from tests.audit_orgs import audited_faulty
from tests.contracts.code import Module, package_modules
from tests.contracts.test_dialects import ENGINES, SparkOptions
from tests.contracts.test_portable import faults

MODULES = [module for module in package_modules() if module.name.startswith(("leadline.audit", "leadline.effects"))]

SILENT = {
    "close-dates-bunched",
    "history-starts-late",
    "lead-account-ambiguous",
    "lead-of-account",
    "merged-record",
    "no-responses",
    "object-stale",
    "open-longer-than-any-close",
    "opportunity-without-account",
    "owner-inactive",
    "possible-duplicate",
    "responded-status-drift",
    "source-unknown",
    "volume-jump",
    "writer-jump",
    "writer-silent",
    "zone-suspicion",
    "zone-unknown",
}
"""Checks that name no records in the faulty org: it lacks what they need, or they judge it as a whole."""


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.name)
def test_only_the_portable_subset_is_used(module: Module):
    assert faults(module) == []


@pytest.mark.parametrize("engine", ENGINES)
def test_every_check_compiles(engine: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(ibis.options, "pyspark", SparkOptions())
    at = audited_faulty()[1]
    found = [(check.code, hit) for check in CHECKS for hit in check.find(at) if isinstance(hit, Hits)]
    assert {code for code, _ in found} == {check.code for check in CHECKS} - SILENT
    assert all(ibis.to_sql(run._rows(at, code, hit), dialect=engine) for code, hit in found)
