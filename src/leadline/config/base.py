"""What every table of `leadline.toml` has in common: frozen, strict, all faults at once."""

from __future__ import annotations

import zoneinfo
from collections.abc import Iterator
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, ModelWrapValidatorHandler, ValidationError, model_validator

from leadline.config_faults import Fault, merged
from leadline.errors import did_you_mean


class TomlTable(BaseModel):
    """A table of a settings file, of `leadline.toml` or of another TOML file of a workspace."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True, strict=True)

    @model_validator(mode="wrap")
    @classmethod
    def _all_faults_at_once(cls, data: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:
        # Pydantic checks a table as a whole only once its keys are right; a reader who repairs a
        # file wants both lists together, so they are gathered here.
        found = list(cls._table_faults(data)) if isinstance(data, dict) else []
        try:
            value = handler(data)
        except ValidationError as error:
            raise merged(cls.__name__, error, found, data) from None
        if found:
            raise merged(cls.__name__, None, found, data)
        return value

    @classmethod
    def _table_faults(cls, table: dict[str, Any]) -> Iterator[Fault]:
        """Faults beyond the type of single keys; `table` is as written and may be wrong in any way."""
        return iter(())


def zone_fault(table: dict[str, Any], key: str = "timezone") -> Iterator[Fault]:
    """A time zone that nobody knows."""
    zone = table.get(key)
    if isinstance(zone, str) and zone not in (known := zoneinfo.available_timezones()):
        yield key, f"is no IANA time zone; write a name such as 'Europe/Berlin'.{did_you_mean(zone, known)}"


def texts(value: Any) -> list[str]:
    """The texts of a list that may hold anything."""
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []


def tables(value: Any) -> list[dict[str, Any]]:
    """The tables of a list that may hold anything."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []
