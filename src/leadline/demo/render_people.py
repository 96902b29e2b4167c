"""Leads and contacts with their histories, as records."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pyarrow as pa

from leadline.demo import names
from leadline.demo.clock import NO_DAY
from leadline.demo.columns import Ints, bools, choice, constant, dates, decimals, instants
from leadline.demo.ids import BLOCK_STRIDE
from leadline.demo.params import COUNTRIES, IMPORT, INDUSTRIES, LEAD_SOURCES, PURCHASED, S_OPEN, STATUSES, WEB
from leadline.demo.scene import Scene
from leadline.demo.world import INTEGRATIONS, Columns, concat, take

_EVENING = 20 * 3600


def people_tables(scene: Scene) -> Iterator[tuple[str, pa.Table]]:
    """Object and records."""
    yield "Account", _accounts(scene)
    yield "Lead", _leads(scene)
    yield "Contact", _contacts(scene)
    yield "LeadHistory", _lead_history(scene)
    yield "ContactHistory", _contact_history(scene)


def _accounts(scene: Scene) -> pa.Table:
    accounts = scene.stories.accounts
    count = len(accounts["industry"])
    made = instants(scene.clock.utc(accounts["day"], np.full(count, 36_000)))
    rows = np.arange(count)
    owner = scene.owner(accounts["owner"])
    return pa.table(
        {
            "Id": scene.ids("Account", rows),
            "IsDeleted": bools(np.zeros(count, bool)),
            "MasterRecordId": constant(None, count),
            "Name": names.companies(accounts["name"]),
            "Type": choice(accounts["name"] % 3, ("Prospect", "Customer", None)),
            "ParentId": constant(None, count),
            "BillingCountry": choice(accounts["country"], COUNTRIES),
            "Website": names.websites(rows + scene.base, accounts["name"] % 5 < 3),
            "Industry": choice(accounts["industry"], INDUSTRIES),
            "AnnualRevenue": decimals(accounts["employees"] * 150_000_000),
            "NumberOfEmployees": pa.array(accounts["employees"]),
            "CurrencyIsoCode": scene.currency(rows),
            "OwnerId": owner,
            "CreatedDate": made,
            "CreatedById": owner,
            "LastModifiedDate": made,
            "SystemModstamp": made,
        }
    )


def _leads(scene: Scene) -> pa.Table:
    people, losers = scene.stories.people, scene.stories.losers
    living = np.flatnonzero(people["has_lead"])
    merged = np.flatnonzero(~losers["contact"])
    person = np.concatenate([living, losers["person"][merged]])
    part = take(people, person)
    dead = np.arange(len(person)) >= len(living)
    part = _as_loser(part, dead, losers, merged, "lead") | {"person": person, "dead": dead}
    number = np.concatenate([living, scene.count + merged])
    master = np.where(dead, _master(scene, person, dead, merged), -1)
    return pa.table(_lead_columns(scene, part, number, master) | _conversion_columns(scene, part))


def _as_loser(part: Columns, dead: np.ndarray, losers: Columns, merged: Ints, record: str) -> Columns:
    """A loser has the person's name but its own creation, and neither stamps nor status nor conversion."""
    blank = {name: np.where(dead, NO_DAY, part[name]) for name in (f"{record}_mql", f"{record}_sal", "converted_day")}
    blank["converted_deal"] = np.where(dead, -1, part["converted_deal"])
    blank["status"] = np.where(dead, S_OPEN, part["status"])
    for name in ("day", "second"):
        column = part[f"{record}_{name}"].copy()
        column[dead] = losers[name][merged]
        blank[f"{record}_{name}"] = column
    return part | blank


def _master(scene: Scene, person: Ints, dead: np.ndarray, merged: Ints) -> Ints:
    """Running number of the record each loser was merged into: the person's own or another loser."""
    into = scene.stories.losers["into"][merged]
    master = person.copy()
    master[dead] = np.where(into >= 0, scene.count + into, person[dead])
    return master


def _lead_columns(scene: Scene, part: Columns, number: Ints, master: Ints) -> dict[str, pa.Array]:
    accounts, account = scene.stories.accounts, part["account"]
    key = scene.key[part["person"]]
    writer = np.where(np.isin(part["source"], (0, 1)), WEB, INTEGRATIONS + part["owner"])
    writer = np.where(part["source"] == PURCHASED, IMPORT, writer)
    touched = instants(_last_change(scene, part))
    return {
        "Id": scene.ids("Lead", number),
        "IsDeleted": bools(part["deleted"] | part["dead"]),
        "MasterRecordId": scene.ids("Lead", master, master >= 0),
        **scene.disguise.people(part["person"], scene.key, part["title"], scene.stories.people["title"]),
        "Company": scene.disguise.company(part["person"], names.companies(accounts["name"][account])),
        "Email": scene.disguise.email(
            part["person"], part["person"] + scene.base, names.emails(key, account + scene.base)
        ),
        "LeadSource": choice(part["source"], LEAD_SOURCES),
        "Status": choice(part["status"], STATUSES),
        "Industry": choice(accounts["industry"][account], INDUSTRIES),
        "Country": choice(accounts["country"][account], COUNTRIES),
        "NumberOfEmployees": pa.array(accounts["employees"][account]),
        "CurrencyIsoCode": scene.currency(account),
        "OwnerId": scene.owner(part["owner"]),
        "CreatedDate": scene.when(part, "lead_"),
        "CreatedById": scene.user(writer),
        "LastModifiedDate": touched,
        "SystemModstamp": touched,
    }


def _last_change(scene: Scene, part: Columns) -> Ints:
    """Creation, stamps, conversion or the last status change, whichever came last."""
    last = scene.moment(part, "lead_")
    changed = np.zeros(scene.count, np.int64)
    changes = scene.stories.changes
    np.maximum.at(changed, changes["person"], scene.moment(changes))
    last = np.where(part["dead"], last, np.maximum(last, changed[part["person"]]))
    evening = np.full(len(last), _EVENING)
    for stamp in ("lead_mql", "lead_sal"):
        last = np.maximum(last, scene.moment({"day": part[stamp], "second": evening}))
    return np.maximum(last, scene.moment(part, "converted_"))


def _conversion_columns(scene: Scene, part: Columns) -> dict[str, pa.Array]:
    converted = part["converted_day"] != NO_DAY
    contact = _contact_of_conversion(scene)[part["person"]]
    return {
        "IsConverted": bools(converted),
        "ConvertedDate": dates(scene.clock, part["converted_day"]),
        "ConvertedAccountId": scene.ids("Account", part["account"], converted),
        "ConvertedContactId": scene.ids("Contact", contact, converted),
        "ConvertedOpportunityId": scene.ids("Opportunity", part["converted_deal"], part["converted_deal"] >= 0),
        "MQL_Date__c": dates(scene.clock, part["lead_mql"]),
        "SAL_Date__c": dates(scene.clock, part["lead_sal"]),
    }


def _contact_of_conversion(scene: Scene) -> Ints:
    """The contact each lead points at: the person's, or one that was merged into it since."""
    losers = scene.stories.losers
    contact = np.arange(scene.count)
    merged = np.flatnonzero(losers["contact"])
    made = losers["day"][merged] == scene.stories.people["converted_day"][losers["person"][merged]]
    contact[losers["person"][merged[made]]] = scene.count + merged[made]
    return contact


def _contacts(scene: Scene) -> pa.Table:
    people, losers = scene.stories.people, scene.stories.losers
    living = np.flatnonzero(people["has_contact"])
    merged = np.flatnonzero(losers["contact"])
    person = np.concatenate([living, losers["person"][merged]])
    dead = np.arange(len(person)) >= len(living)
    part = _as_loser(take(people, person), dead, losers, merged, "contact")
    number = np.concatenate([living, scene.count + merged])
    master = np.where(dead, _master(scene, person, dead, merged), -1)
    key, account = scene.key[person], part["account"]
    made, touched = scene.moment(part, "contact_"), scene.moment(part, "contact_")
    for stamp in ("contact_mql", "contact_sal"):
        evening = np.full(len(person), _EVENING)
        touched = np.maximum(touched, scene.moment({"day": part[stamp], "second": evening}))
    return pa.table(
        {
            "Id": scene.ids("Contact", number),
            "IsDeleted": bools(part["deleted"] | dead),
            "MasterRecordId": scene.ids("Contact", master, master >= 0),
            "AccountId": scene.ids("Account", account),
            **scene.disguise.people(person, scene.key, part["title"], scene.stories.people["title"]),
            "Email": names.emails(key, account + scene.base),
            "LeadSource": choice(part["source"], LEAD_SOURCES),
            "MailingCountry": choice(scene.stories.accounts["country"][account], COUNTRIES),
            "CurrencyIsoCode": scene.currency(account),
            "OwnerId": scene.owner(part["owner"]),
            "CreatedDate": instants(made),
            "CreatedById": scene.owner(part["owner"]),
            "LastModifiedDate": instants(touched),
            "SystemModstamp": instants(touched),
            "MQL_Date__c": dates(scene.clock, part["contact_mql"]),
            "SAL_Date__c": dates(scene.clock, part["contact_sal"]),
        }
    )


def _lead_history(scene: Scene) -> pa.Table:
    """Creation, status changes and conversions since tracking began; creation holds no value."""
    people, changes = scene.stories.people, scene.stories.changes
    first_day = scene.world.parameters.tracking_day
    made = np.flatnonzero(people["has_lead"] & (people["lead_day"] > first_day))
    converted = np.flatnonzero(people["converted_day"] > first_day)
    none = {"before": -1, "status": -1}
    status = {name: changes[name] for name in ("person", "day", "second", "before", "status")} | {"field": 0}
    created = (
        {"person": made, "day": people["lead_day"][made], "second": people["lead_second"][made]} | none | {"field": 1}
    )
    conversion = {"person": converted, "day": people["converted_day"][converted]} | none
    conversion |= {"second": people["converted_second"][converted], "field": 2}
    rows = concat([_filled(status), _filled(created), _filled(conversion)])
    part = take(people, rows["person"])
    return pa.table(
        {
            "Id": scene.ids("LeadHistory", np.arange(len(rows["person"]))),
            "IsDeleted": bools(part["deleted"]),
            "LeadId": scene.ids("Lead", rows["person"]),
            "CreatedById": scene.owner(part["owner"]),
            "CreatedDate": instants(scene.moment(rows)),
            "Field": choice(rows["field"], ("Status", "created", "leadConverted")),
            "DataType": constant("Text", len(rows["person"])),
            "OldValue": choice(rows["before"], STATUSES),
            "NewValue": choice(rows["status"], STATUSES),
        }
    )


def _filled(table: dict[str, np.ndarray | int]) -> Columns:
    """Single numbers repeated to the length of the column `person`."""
    count = len(np.asarray(table["person"]))
    return {name: np.broadcast_to(np.asarray(column, np.int64), count) for name, column in table.items()}


def _contact_history(scene: Scene) -> pa.Table:
    people = scene.stories.people
    made = np.flatnonzero(people["has_contact"] & (people["contact_day"] > scene.world.parameters.tracking_day))
    part = take(people, made)
    from_lead = (part["converted_day"] == part["contact_day"]).astype(np.int64)
    return pa.table(
        {
            "Id": scene.ids("ContactHistory", np.arange(len(made)) % BLOCK_STRIDE),
            "IsDeleted": bools(part["deleted"]),
            "ContactId": scene.ids("Contact", made),
            "CreatedById": scene.owner(part["owner"]),
            "CreatedDate": scene.when(part, "contact_"),
            "Field": choice(from_lead, ("created", "contactCreatedFromLead")),
            "DataType": constant("Text", len(made)),
            "OldValue": constant(None, len(made)),
            "NewValue": constant(None, len(made)),
        }
    )
