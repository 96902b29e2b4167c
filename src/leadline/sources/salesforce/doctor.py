"""What the integration user can and cannot see: one line per assumption, confirmed, refuted or unknown.

Everything here only reads. The one thing made in the org is a bulk query job of five rows, which
is deleted again: it shows how the Bulk API writes moments.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final, Literal

from leadline.config import Settings
from leadline.errors import ApiError, SalesforceError
from leadline.schema import HISTORY_PARENT, OBJECTS
from leadline.sources.salesforce import nets, pull, rest, shapes
from leadline.sources.salesforce.plan import ObjectPlan
from leadline.sources.salesforce.session import PINNED, Session, from_json
from leadline.sources.salesforce.transport import Response

State = Literal["confirmed", "refuted", "unknown"]
_OPTIONAL: Final = frozenset({"CurrencyType", "DatedConversionRate", "CampaignInfluence", "CampaignInfluenceModel"})
"""Objects that exist only where several currencies or Customizable Campaign Influence are switched on."""

_ENOUGH: Final = 1000
"""Calls of a day that a pull of some millions of rows needs at most."""


@dataclass(frozen=True, slots=True)
class Check:
    """One assumption: what it is about, how it stands, what was seen, and what to do."""

    name: str
    state: State
    seen: str
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class Examination:
    """All checks of one org."""

    org: str
    user: str
    checks: tuple[Check, ...]


@dataclass(frozen=True, slots=True)
class _Case:
    session: Session
    settings: Settings
    found: dict[str, shapes.ObjectShape]
    now: dt.datetime


def examine(session: Session, settings: Settings, now: dt.datetime) -> Examination:
    """Look at everything the connector rests on.

    Raises:
        LoginError: no login is set up, or it was refused.
        SalesforceError: the org cannot be read at all.
    """
    visible = shapes.visible_objects(session)
    found = {name: shapes.describe(session, name) for name in OBJECTS if name in visible}
    case = _Case(session, settings, found, session.clock or now)
    checks = [one for look in _LOOKS for one in _safely(look, case)]
    return Examination(session.org_id, session.user_id, tuple(checks))


def _safely(look: Callable[[_Case], Iterator[Check]], case: _Case) -> list[Check]:
    """The checks of one kind; what the org refuses to tell is unknown, and so said."""
    seen: list[Check] = []
    try:
        # One at a time: those before a refusal count.
        seen.extend(look(case))
    except SalesforceError as error:
        code = error.code if isinstance(error, ApiError) else type(error).__name__
        name = look.__name__.strip("_").replace("_", " ")
        seen.append(Check(name, "unknown", f"the org did not tell ({code})"))
    return seen


def _version(case: _Case) -> Iterator[Check]:
    served = case.session.version
    state: State = "confirmed" if served == f"{PINNED}.0" else "unknown"
    yield Check("API version", state, f"version {served} is used; written for {PINNED}.0")


def _calls_of_a_day(case: _Case) -> Iterator[Check]:
    told = case.session.get(case.session.data("limits/"), "the limits of the org")["DailyApiRequests"]
    most, left = int(told["Max"]), int(told["Remaining"])
    share = int(case.settings.salesforce.api_share * most)
    yield Check(
        "API calls",
        "confirmed" if min(left, share) >= _ENOUGH else "refuted",
        f"{left:,} of {most:,} calls of the day are left; a pull may use {share:,}",
        "Pull at an hour with fewer calls, or raise api_share in [salesforce]." if min(left, share) < _ENOUGH else "",
    )


def _organization(case: _Case) -> Iterator[Check]:
    soql = "SELECT Id, TimeZoneSidKey, IsSandbox FROM Organization"
    (org,) = rest.records(case.session, soql, "the organization")[:1] or [{}]
    zone = org.get("TimeZoneSidKey")
    yield Check("time zone", "confirmed" if zone else "unknown", f"{zone or 'not told'}")
    kind = "a sandbox" if org.get("IsSandbox") in (True, "true") else "production"
    yield Check("kind of org", "confirmed" if org else "unknown", kind)


def _objects(case: _Case) -> Iterator[Check]:
    for name in OBJECTS:
        if name in case.found:
            yield _fields(name, case)
        elif name in _OPTIONAL:
            yield Check(name, "unknown", "cannot be read, or is not switched on in this org")
        else:
            yield Check(
                name,
                "refuted",
                "cannot be read",
                f"Give the integration user read access to {name}, or leave it out by objects of [salesforce]; it may also "
                "not exist in this org.",
            )


def _fields(name: str, case: _Case) -> Check:
    shape = case.found[name]
    wanted = {*OBJECTS[name], *pull.settings_fields(case.settings, name)}
    if "CurrencyType" not in case.found:
        wanted.discard("CurrencyIsoCode")
    hidden = sorted(wanted - shape.fields.keys())
    custom = sum(field.endswith("__c") for field in shape.fields)
    seen = f"{len(wanted) - len(hidden)} of {len(wanted)} fields that are used, {custom} custom ones"
    if not hidden:
        return Check(name, "confirmed", seen)
    remedy = f"Let the user see them (field-level security), if the org has them: {', '.join(hidden)}"
    return Check(name, "refuted", f"{seen}; not visible: {', '.join(hidden)}", remedy)


def _cursors(case: _Case) -> Iterator[Check]:
    late = {name: shape.cursor for name, shape in case.found.items() if shape.cursor != "SystemModstamp"}
    odd = sorted(name for name in late if name not in HISTORY_PARENT)
    if odd:
        yield Check(
            "changes are found by SystemModstamp", "refuted", f"not of {', '.join(odd)}: these are read otherwise"
        )
    else:
        yield Check("changes are found by SystemModstamp", "confirmed", f"of {len(case.found) - len(late)} objects")


def _history_tracking(case: _Case) -> Iterator[Check]:
    for name, (parent, _) in HISTORY_PARENT.items():
        if name not in case.found or "Field" not in case.found[name].fields:
            continue
        soql = f"SELECT Field, COUNT(Id) FROM {name} GROUP BY Field"
        try:
            fields = sorted(str(one["Field"]) for one in rest.records(case.session, soql, f"the fields of {name}"))
        except ApiError as error:
            yield Check(f"history of {parent}", "unknown", f"the org did not tell ({error.code})")
            continue
        if fields:
            yield Check(f"history of {parent}", "confirmed", f"changes are kept of {', '.join(fields)}")
        else:
            yield Check(
                f"history of {parent}",
                "unknown",
                "no change is kept yet",
                f"Switch on field history tracking of {parent} in Setup; it is not retroactive.",
            )


def _sharing(case: _Case) -> Iterator[Check]:
    soql = "SELECT PermissionsViewAllData FROM UserPermissionAccess"
    (told,) = rest.records(case.session, soql, "the rights of the user")[:1] or [{}]
    sees_all = told.get("PermissionsViewAllData") in (True, "true")
    yield Check(
        "sharing",
        "confirmed" if sees_all else "refuted",
        "the user sees all records" if sees_all else "the user sees only records shared with it",
        ""
        if sees_all
        else "Give the integration user View All Data, or View All on each object: hidden records count as deleted.",
    )


def _currencies(case: _Case) -> Iterator[Check]:
    several, dated = "CurrencyType" in case.found, "DatedConversionRate" in case.found
    seen = "one currency" if not several else "several currencies, with dated rates" if dated else "several currencies"
    yield Check("currencies", "confirmed", seen)


def _influence_models(case: _Case) -> Iterator[Check]:
    if "CampaignInfluenceModel" not in case.found:
        yield Check(
            "influence models", "unknown", "cannot be read", "Customizable Campaign Influence may be switched off."
        )
        return
    soql = "SELECT Id, DeveloperName, ModelType FROM CampaignInfluenceModel"
    models = rest.records(case.session, soql, "the influence models")
    own = sorted(str(one["DeveloperName"]) for one in models if str(one["ModelType"]) == "2")
    yield Check(
        "influence models",
        "confirmed" if own else "refuted",
        f"{len(models)} models, of which own ones: {', '.join(own) or 'none'}",
        "" if own else "An own model is needed only to write results back; an admin makes it in Setup.",
    )


def _list_of_deletions(case: _Case) -> Iterator[Check]:
    name = next((one for one in ("Lead", "Opportunity", "Contact") if one in case.found), None)
    if name is None:
        return
    shape = case.found[name]
    since = case.now - dt.timedelta(days=10)
    ids = nets.deleted(
        case.session, ObjectPlan(shape, ("Id", "IsDeleted"), since, case.now), case.now, dt.timedelta(hours=1)
    )
    state: State = "refuted" if ids is None else "confirmed"
    seen = "does not reach back ten days" if ids is None else f"{len(ids):,} deleted {name} records in ten days"
    yield Check("list of deleted records", state, seen, "Pull more often than once in ten days." if ids is None else "")


def _members_after_conversion(case: _Case) -> Iterator[Check]:
    if "CampaignMember" not in case.found:
        return
    both = rest.count(case.session, "CampaignMember", " WHERE LeadId != null AND ContactId != null")
    yield Check("members with lead and contact", "confirmed", f"{both:,} campaign members; all forms are read")


def _percent_of_influence(case: _Case) -> Iterator[Check]:
    shape = case.found.get("CampaignInfluence")
    if shape is None or "Influence" not in shape.fields:
        yield Check("influence in percent", "unknown", "cannot be read")
    else:
        yield Check("influence in percent", "confirmed", f"of type {shape.fields['Influence'].type}")


def _moments_in_bulk(case: _Case) -> Iterator[Check]:
    name = next((one for one in ("Campaign", "User", "Lead") if one in case.found), None)
    if name is None:
        return
    form = _bulk_moment(case.session, name)
    known = form.endswith(("Z", "+0000"))
    state: State = "confirmed" if known else "unknown" if not form else "refuted"
    yield Check("moments in bulk results", state, f"written as {form}" if form else "no record to see it by")


def _bulk_moment(session: Session, name: str) -> str:
    """How a bulk result writes a moment, with its digits masked; empty if there is no row."""
    from leadline.sources.salesforce.recording import mask

    body: dict[str, Any] = {
        "operation": "query",
        "query": f"SELECT Id, CreatedDate FROM {name} LIMIT 5",
        "contentType": "CSV",
    }
    job = session.call("POST", session.data("jobs/query"), from_json, "a small bulk query", body=body)["id"]
    path = session.data(f"jobs/query/{job}")
    while (state := session.get(path, "a small bulk query")["state"]) not in ("JobComplete", "Failed", "Aborted"):
        session.waiting.sleep(1.0)
    rows: list[str] = []
    if state == "JobComplete":
        rows = session.call("GET", f"{path}/results", _lines, "a small bulk result", headers={"Accept": "text/csv"})
    session.call("DELETE", path, lambda response: None, "the end of a small bulk query")
    return mask(rows[1].split(",")[1].strip().strip('"')) if len(rows) > 1 else ""


def _lines(response: Response) -> list[str]:
    if response.status == 204:
        raise ValueError("not ready")
    return response.body.decode().splitlines()


_LOOKS: Final = (
    _version,
    _calls_of_a_day,
    _organization,
    _objects,
    _cursors,
    _history_tracking,
    _sharing,
    _currencies,
    _influence_models,
    _list_of_deletions,
    _members_after_conversion,
    _percent_of_influence,
    _moments_in_bulk,
)
