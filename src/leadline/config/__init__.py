"""`leadline.toml` → frozen settings.

Every fault of a file is reported at once (`errors.ConfigError`), each with its key, the
value found and what would be right.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, ValidationError

from leadline.config.base import TomlTable
from leadline.config.funnels import (
    FIRST_RESPONSE,
    MILESTONE_OBJECTS,
    Funnel,
    Outcomes,
    Stage,
    StageSource,
)
from leadline.config.general import (
    WORKED,
    AmountSettings,
    AuditSettings,
    CostSettings,
    InfluenceSettings,
    MatchingSettings,
    OpportunitySettings,
    ResponseSettings,
    WorkspaceSettings,
)
from leadline.config.own import Dimension, Formula, formula_faults
from leadline.config.serving import OidcSettings, ProxySettings, ServeSettings
from leadline.config.sources import FileMap, PushSettings, SalesforceSettings
from leadline.config.warehouse import WarehouseSettings
from leadline.config_faults import Fault, all_faults
from leadline.errors import ConfigError

__all__ = [
    "FILE_NAME",
    "FIRST_RESPONSE",
    "MILESTONE_OBJECTS",
    "WORKED",
    "AmountSettings",
    "AuditSettings",
    "CostSettings",
    "Dimension",
    "FileMap",
    "Formula",
    "Funnel",
    "Generator",
    "InfluenceSettings",
    "MatchingSettings",
    "OidcSettings",
    "OpportunitySettings",
    "Outcomes",
    "ProxySettings",
    "PushSettings",
    "ResponseSettings",
    "SalesforceSettings",
    "ServeSettings",
    "Settings",
    "Stage",
    "StageSource",
    "TomlTable",
    "WarehouseSettings",
    "WorkspaceSettings",
    "load",
    "parse",
    "schema",
]

FILE_NAME = "leadline.toml"

Generator = Literal["marketing", "sales", "partner", "other"]
"""Who generated a lead, as `[generated_by]` may say."""


class Settings(TomlTable):
    """All of `leadline.toml`."""

    workspace: WorkspaceSettings = WorkspaceSettings()
    amount: AmountSettings = AmountSettings()
    opportunities: OpportunitySettings = OpportunitySettings()
    responses: ResponseSettings = ResponseSettings()
    funnel: dict[str, Funnel] = Field(default_factory=dict)
    files: dict[str, FileMap] = Field(default_factory=dict)
    dimensions: dict[str, Dimension] = Field(default_factory=dict)
    generated_by: dict[str, Generator] = Field(
        default_factory=dict, description="LeadSource or campaign type = marketing | sales | partner | other"
    )
    generated_by_role: dict[str, Generator] = Field(
        default_factory=dict,
        description="Role (its id) or department of the user who created the person's record = marketing | sales | partner | other",
    )
    written_by: dict[str, str] = Field(
        default_factory=dict,
        description="Name, username, profile (its id) or user type of the creator of a record = what to call it, e.g. integration",
    )
    influence: InfluenceSettings = InfluenceSettings()
    costs: CostSettings = CostSettings()
    matching: MatchingSettings = MatchingSettings()
    salesforce: SalesforceSettings = SalesforceSettings()
    audit: dict[str, AuditSettings] = Field(default_factory=dict)
    formula: dict[str, Formula] = Field(default_factory=dict)
    # Who is let in changes no number: no snapshot holds it, and no comparison of settings sees it.
    serve: ServeSettings = Field(ServeSettings(), exclude=True)
    # Which engine builds shapes no number either: the same records give the same snapshot.
    warehouse: WarehouseSettings = Field(WarehouseSettings(), exclude=True)

    @classmethod
    def _table_faults(cls, table: dict[str, Any]) -> Iterator[Fault]:
        yield from formula_faults(table)

    @property
    def default_funnel(self) -> str | None:
        """Name of the first funnel, the one commands use unless told otherwise."""
        return next(iter(self.funnel), None)


def load(path: Path) -> Settings:
    """Settings of a workspace; a missing file means all defaults.

    Raises:
        ConfigError: the file is no TOML, or has unknown keys or wrong values (all listed).
    """
    if not path.exists():
        return Settings()
    return parse(path.read_bytes(), str(path))


def parse(content: bytes | str, name: str = FILE_NAME) -> Settings:
    """Settings from the text of a `leadline.toml`; `name` is what messages call it.

    Raises:
        ConfigError: the text is no TOML, or has unknown keys or wrong values (all listed).
    """
    try:
        text = content.decode("utf-8-sig") if isinstance(content, bytes) else content
        return Settings.model_validate(tomllib.loads(text))
    except UnicodeDecodeError as error:
        raise ConfigError(name, [f"byte {error.start} is not UTF-8; save the file as UTF-8"]) from error
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(name, [f"is not valid TOML: {error}"]) from error
    except ValidationError as error:
        raise ConfigError(name, all_faults(error, Settings)) from error


def schema() -> dict[str, Any]:
    """The JSON schema of `leadline.toml`."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **Settings.model_json_schema(by_alias=True),
        "title": FILE_NAME,
    }
