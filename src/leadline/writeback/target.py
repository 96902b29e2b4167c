"""Which records of the org may be written, and which of their fields: nothing else is ever sent."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from leadline.errors import PushError, UnknownNameError
from leadline.sources.salesforce import rest, shapes
from leadline.sources.salesforce.session import Session

INFLUENCE: Final = "CampaignInfluence"
MEMBER: Final = "CampaignMember"
CUSTOM_MODEL: Final = "2"
"""ModelType of a model made by an administrator; all others are Salesforce's own."""
_KEY: Final = ("OpportunityId", "CampaignId", "ContactId")
_PERCENT: Final = "Influence"

Form = Literal["id", "percent", "text", "date"]
"""How the value of a field is compared and sent."""


@dataclass(frozen=True, slots=True)
class Target:
    """Records of one object that are written.

    Attributes:
        object: the Salesforce object.
        forms: the fields that are looked at, in order, each with its form.
        key: fields that tell two of our records apart; empty where records are only changed.
        changed: fields that a change may send.
        condition: ` WHERE …` of the records that are ours; empty for all.
        fixed: what every new record says besides.
        extra: further fields that a new record may say: kept of what is deleted, so that it can be put back.
        scale: decimals of percentages.
        whole: whether any other change of these records means that the org has moved.
    """

    object: str
    forms: Mapping[str, Form]
    key: tuple[str, ...]
    changed: tuple[str, ...]
    condition: str = ""
    fixed: Mapping[str, str] = field(default_factory=dict)
    extra: tuple[str, ...] = ()
    scale: int = 2
    whole: bool = False

    @property
    def fields(self) -> tuple[str, ...]:
        """The fields that are looked at."""
        return tuple(self.forms)

    @property
    def hundred(self) -> int:
        """100 % in units of the last decimal."""
        return int(100 * 10**self.scale)

    def sent(self, name: str, text: str | None) -> Any:
        """A value as it is sent."""
        return float(text) if text is not None and self.forms[name] == "percent" else text


@dataclass(frozen=True, slots=True)
class OwnModel:
    """The influence model of the org that is ours to write.

    Attributes:
        id: Salesforce id.
        label: its name for people.
        is_default: whether the org's own lists show it.
    """

    id: str
    label: str
    is_default: bool


def own_model(session: Session, name: str) -> OwnModel:
    """The custom influence model of that name: API name, label or id.

    Raises:
        UnknownNameError: the org has no such model.
        PushError: it is none that may be written.
    """
    soql = "SELECT Id, DeveloperName, MasterLabel, ModelType, IsActive, IsDefaultModel FROM CampaignInfluenceModel"
    models = rest.records(session, soql, "the influence models")
    named = {alias: one for one in models for alias in (one["Id"], one["MasterLabel"], one["DeveloperName"])}
    if name not in named:
        raise UnknownNameError(
            "influence model of the org",
            name,
            sorted({one["DeveloperName"] for one in models if one["ModelType"] == CUSTOM_MODEL}),
            "the org. An administrator makes one in Setup, under Campaign Influence, Model Settings",
        )
    found = named[name]
    if found["ModelType"] != CUSTOM_MODEL:
        raise PushError(
            f"The org's influence model {found['MasterLabel']!r} is Salesforce's own (type {found['ModelType']}): what others "
            "write there is lost when it is worked out anew. Name a custom model of yours with --org-model."
        )
    if not found["IsActive"]:
        raise PushError(f"The org's influence model {found['MasterLabel']!r} is not active; activate it in Setup.")
    return OwnModel(str(found["Id"]), str(found["MasterLabel"]), bool(found["IsDefaultModel"]))


def influence(session: Session, model: OwnModel) -> Target:
    """The rows of an own influence model.

    Raises:
        PushError: the integration user may not write what a row consists of.
    """
    described = shapes.describe_all(session, INFLUENCE)
    fields = {str(one["name"]): one for one in described["fields"]}
    _require(fields, [*_KEY, "ModelId", _PERCENT], "createable", INFLUENCE)
    _require(fields, [_PERCENT], "updateable", INFLUENCE)
    _require_rights(described)
    scale = int(fields[_PERCENT].get("scale") or 0)
    ours = {*_KEY, "ModelId", _PERCENT}
    extra = [name for name, one in fields.items() if one.get("createable") and name not in ours]
    return Target(
        INFLUENCE,
        {**dict.fromkeys(_KEY, "id"), _PERCENT: "percent"},
        _KEY,
        (_PERCENT,),
        condition=f" WHERE ModelId = '{model.id}'",
        fixed={"ModelId": model.id},
        extra=tuple(name for name in extra if fields[name]["type"] in _AS_TEXT),
        scale=scale,
        whole=True,
    )


_AS_TEXT: Final = ("string", "picklist", "reference", "date")
_TYPES: Final[Mapping[Form, tuple[str, ...]]] = {"date": ("date",), "text": ("string", "picklist", "textarea")}


def members(session: Session, forms: Mapping[str, Form]) -> Target:
    """Custom fields of campaign members, by name and form.

    Raises:
        PushError: a field is not there, of another type, or not to be written.
    """
    described = shapes.describe_all(session, MEMBER)
    fields = {str(one["name"]): one for one in described["fields"]}
    _require(fields, forms, "updateable", MEMBER)
    for name, form in forms.items():
        kind = str(fields[name]["type"])
        if kind not in _TYPES[form]:
            raise PushError(f"{MEMBER}.{name} is of type {kind}; to hold this it must be {' or '.join(_TYPES[form])}.")
    return Target(MEMBER, dict(forms), (), tuple(forms))


def _require(fields: Mapping[str, Any], names: Iterable[str], right: str, about: str) -> None:
    """Each of the fields is there and may be written."""
    wanting: Sequence[str] = [name for name in names if not fields.get(name, {}).get(right)]
    if wanting:
        raise PushError(
            f"The integration user may not {'set' if right == 'createable' else 'change'} "
            f"{', '.join(f'{about}.{name}' for name in wanting)} in this org: the fields are not there, or field-level "
            "security keeps them. Nothing was changed."
        )


def _require_rights(described: Mapping[str, Any]) -> None:
    lacking = [right for right in ("createable", "updateable", "deletable") if not described.get(right, True)]
    if lacking:
        raise PushError(
            f"The integration user lacks rights on {described['name']} (not {', '.join(lacking)}). Give the user create, "
            "edit and delete on it. Nothing was changed."
        )
