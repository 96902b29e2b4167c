"""Leadline: marketing performance measurement on Salesforce data.

    import leadline

    ws = leadline.open("my-workspace")
    ws.sources.import_files("export.zip")
    print(ws.metrics.conversion(by=["campaign_type"]).to_pandas())

Names are loaded when they are first used, so that importing the package costs next to nothing.
"""

from __future__ import annotations

import importlib
import typing

if typing.TYPE_CHECKING:
    from leadline.errors import (
        AmbiguousDatesError,
        ConfigError,
        DependencyError,
        FormulaError,
        IdentityError,
        LeadlineError,
        LedgerError,
        LoadOrderError,
        SnapshotError,
        SourceError,
        UnknownNameError,
        UsageError,
        VanishError,
        WriterBusyError,
    )
    from leadline.findings import Finding
    from leadline.path_table import paths
    from leadline.results import Column, Result
    from leadline.workspace import Workspace, create, open

__all__ = [
    "AmbiguousDatesError",
    "Column",
    "ConfigError",
    "DependencyError",
    "Finding",
    "FormulaError",
    "IdentityError",
    "LeadlineError",
    "LedgerError",
    "LoadOrderError",
    "Result",
    "SnapshotError",
    "SourceError",
    "UnknownNameError",
    "UsageError",
    "VanishError",
    "Workspace",
    "WriterBusyError",
    "create",
    "open",
    "paths",
]

_HOMES = {
    "Column": "results",
    "Finding": "findings",
    "Result": "results",
    "Workspace": "workspace",
    "create": "workspace",
    "open": "workspace",
    "paths": "path_table",
}


def __getattr__(name: str) -> typing.Any:
    if name not in __all__:
        raise AttributeError(f"module 'leadline' has no attribute {name!r}")
    home = importlib.import_module(f"leadline.{_HOMES.get(name, 'errors')}")
    value = globals()[name] = getattr(home, name)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
