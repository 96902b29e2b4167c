"""Where records come from: files with names of their own, and the live org."""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from typing import Any, Literal

from pydantic import Field

from leadline.config.base import TomlTable, texts, zone_fault
from leadline.config_faults import Fault
from leadline.errors import did_you_mean
from leadline.schema import OBJECTS


class FileMap(TomlTable):
    """How a file with other names maps to a Salesforce object."""

    object: str
    columns: dict[str, str] = Field(
        default_factory=dict, description="Leadline or Salesforce field = column in the file"
    )
    date_order: Literal["ymd", "dmy", "mdy"] | None = None
    encoding: str | None = None
    delimiter: str | None = Field(None, min_length=1, max_length=1)
    decimal: Literal[",", "."] | None = Field(
        None, description="Mark before the decimals of all numbers; default: what each column proves, else a point"
    )
    timezone: str | None = None
    values: dict[str, dict[str, str]] = Field(
        default_factory=dict, description="Per field: value in the file = value to store"
    )
    constants: dict[str, str] = Field(default_factory=dict, description="Fields that hold one value in every row")

    @classmethod
    def _table_faults(cls, table: dict[str, Any]) -> Iterator[Fault]:
        yield from zone_fault(table)
        name = table.get("object")
        if isinstance(name, str) and name not in OBJECTS:
            yield "object", f"is no object Leadline reads: {', '.join(OBJECTS)}.{did_you_mean(name, OBJECTS)}"
        encoding = table.get("encoding")
        if isinstance(encoding, str) and not _is_encoding(encoding):
            yield "encoding", "is no encoding Python knows; write e.g. 'utf-8', 'utf-16' or 'cp1252'"


def _is_encoding(name: str) -> bool:
    try:
        codecs.lookup(name)
    except LookupError:
        return False
    return True


class PushSettings(TomlTable):
    """What may be written back into the org, and where; nothing else is ever written."""

    org_model: str = Field(
        "Leadline", description="API name of the custom influence model whose rows are Leadline's own", min_length=1
    )
    members: dict[str, str] = Field(
        default_factory=dict, description="Custom field of CampaignMember = name of a stage (its date), or 'fate'"
    )

    @classmethod
    def _table_faults(cls, table: dict[str, Any]) -> Iterator[Fault]:
        members = table.get("members")
        for name in members if isinstance(members, dict) else ():
            if not (name.endswith("__c") and name.isidentifier()):
                yield f"members.{name}", "is no custom field; only fields whose names end in __c are written"


class SalesforceSettings(TomlTable):
    """The live org: who logs in where, and how it is read. Secrets never stand here."""

    domain: str = Field(
        "production",
        description="Login host: production, sandbox, or the My Domain, e.g. 'mycompany.my.salesforce.com'",
    )
    flow: Literal["jwt", "client", "refresh"] = Field("jwt", description="Kind of login")
    client_id: str | None = Field(None, description="Consumer key of the app")
    user: str | None = Field(None, description="Name of the integration user (flow jwt)")
    key_file: str | None = Field(None, description="File with the private key (flow jwt); only its owner may read it")
    secrets: Literal["keyring", "file"] = Field("file", description="Where the secrets of the login lie")
    objects: list[str] = Field(default_factory=list, description="Objects to read; without them all Leadline knows")
    custom_fields: bool = Field(True, description="Whether custom fields are read beside those Leadline knows")
    exclude: list[str] = Field(
        default_factory=list, description="Fields that are never read, e.g. 'Contact.Birth_Date__c'"
    )
    overlap_minutes: int = Field(60, ge=1, description="How far before the last pull changes are read again")
    margin_minutes: int = Field(2, ge=0, description="How far before the present moment a pull ends")
    full_days: int = Field(7, ge=1, description="Days after which an object is read whole again")
    formula_days: int = Field(1, ge=1, description="The same for objects with formula or roll-up fields")
    on_field_change: Literal["stop", "evolve"] = Field(
        "stop", description="When fields vanish or change their type: stop, or go on with a finding"
    )
    api_share: float = Field(0.5, gt=0, le=1, description="Share of the org's API calls of a day a pull may use")
    bulk_from: int = Field(5000, ge=0, description="From how many rows on the Bulk API is used instead of REST")
    parallel: int = Field(3, ge=1, le=10, description="Objects read at the same time")
    push: PushSettings = PushSettings()

    @classmethod
    def _table_faults(cls, table: dict[str, Any]) -> Iterator[Fault]:
        for name in texts(table.get("objects")):
            if name not in OBJECTS:
                yield "objects", f"holds {name!r}, which is no object Leadline reads.{did_you_mean(name, OBJECTS)}"
        for name in texts(table.get("exclude")):
            if name.partition(".")[0] not in OBJECTS or not name.partition(".")[2]:
                yield "exclude", f"holds {name!r}; write the object and the field, e.g. 'Contact.Birth_Date__c'"
        for key in ("password", "client_secret", "refresh_token", "private_key", "access_token", "security_token"):
            if key in table:
                yield (
                    key,
                    "is a secret and must not stand here; give it to `leadline connect`, and change it in the org",
                )
