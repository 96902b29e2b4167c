"""Campaign members, tasks and events as records."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from leadline.demo import ids
from leadline.demo.columns import bools, choice, constant, dates, instants
from leadline.demo.params import LINK_BOTH, LINK_CONTACT, LINK_LEAD, LINK_LOSER, T_EVENT
from leadline.demo.scene import Scene
from leadline.demo.world import take

MEMBER_STATUSES = ("Sent", "Responded", "Invited", "Attended")
"""Statuses of members: the first two in most campaigns, the last two in webinars and events."""

ATTENDED_TYPES = (2, T_EVENT)
"""Campaign types whose members are invited and attend."""

_SUBJECTS = ("Call", "Send quote", "Follow up, second try", 'Demo "full"')


def member_tables(scene: Scene) -> Iterator[tuple[str, pa.Table]]:
    """Object and records."""
    yield "CampaignMember", _members(scene)
    yield "Task", _tasks(scene)
    yield "Event", _events(scene)


def _members(scene: Scene) -> pa.Table:
    members, world = scene.stories.members, scene.world
    count = len(members["person"])
    made = scene.moment(members)
    latest = scene.clock.as_of_utc - 3600
    touched = instants(np.maximum(np.minimum(made + members["touched"], latest), made))
    kind = world.campaigns["kind"][members["campaign"]]
    status = members["responded"] + 2 * np.isin(kind, ATTENDED_TYPES)
    campaigns = ids.text("Campaign", np.arange(len(world.campaigns["kind"])))
    writer = scene.user(members["writer"])
    lead, contact = _linked(scene)
    return pa.table(
        {
            "Id": scene.ids("CampaignMember", np.arange(count)),
            "IsDeleted": bools(members["deleted"]),
            "CampaignId": campaigns.take(pa.array(members["campaign"])),
            "LeadId": lead,
            "ContactId": contact,
            "Status": choice(status, MEMBER_STATUSES),
            "HasResponded": bools(members["responded"]),
            "CreatedDate": instants(made),
            "CreatedById": writer,
            "LastModifiedDate": touched,
            "LastModifiedById": writer,
            "SystemModstamp": touched,
            "FirstRespondedDate": dates(scene.clock, members["responded_day"]),
            "CurrencyIsoCode": constant("USD", count),
            "Type": choice(pc.is_valid(contact).to_numpy(zero_copy_only=False).astype(np.int64), ("Lead", "Contact")),
        }
    )


def _linked(scene: Scene) -> tuple[pa.Array, pa.Array]:
    """LeadId and ContactId; a member of a merged record may still point at the loser."""
    members, losers = scene.stories.members, scene.stories.losers
    link, loser = members["link"], members["loser"]
    on_loser = link == LINK_LOSER
    of_contact = losers["contact"][loser] if len(losers["contact"]) else np.zeros(len(link), bool)
    record = np.where(on_loser, scene.count + loser, members["person"])
    lead = np.isin(link, (LINK_LEAD, LINK_BOTH)) | (on_loser & ~of_contact)
    contact = np.isin(link, (LINK_CONTACT, LINK_BOTH)) | (on_loser & of_contact)
    return scene.ids("Lead", record, lead), scene.ids("Contact", record, contact)


def _tasks(scene: Scene) -> pa.Table:
    activities, people = scene.stories.activities, scene.stories.people
    part = take(activities, ~activities["event"])
    person, done = part["person"], part["done"]
    count = len(person)
    made = scene.moment(part)
    completed = instants(made, done)
    touched = instants(made)
    return pa.table(
        {
            "Id": scene.ids("Task", np.arange(count)),
            "IsDeleted": bools(people["deleted"][person]),
            "WhoId": _who(scene, person),
            "Subject": choice(part["subject"], _SUBJECTS),
            "Status": choice(done.astype(np.int64), ("Not Started", "Completed")),
            "IsClosed": bools(done),
            "ActivityDate": dates(scene.clock, part["day"]),
            "OwnerId": scene.owner(people["owner"][person]),
            "AccountId": scene.ids("Account", people["account"][person], people["has_contact"][person]),
            "CompletedDateTime": completed,
            "CreatedDate": instants(made - 3600),
            "CreatedById": scene.owner(people["owner"][person]),
            "LastModifiedDate": touched,
            "SystemModstamp": touched,
        }
    )


def _who(scene: Scene, person: np.ndarray) -> pa.Array:
    """Activities of a converted lead follow it to the contact."""
    contact = scene.stories.people["has_contact"][person]
    return pc.if_else(pa.array(contact), scene.ids("Contact", person), scene.ids("Lead", person))


def _events(scene: Scene) -> pa.Table:
    activities, people = scene.stories.activities, scene.stories.people
    part = take(activities, activities["event"])
    person = part["person"]
    count = len(person)
    start = scene.moment(part)
    made = instants(np.minimum(start - 86_400, scene.clock.as_of_utc - 7200))
    return pa.table(
        {
            "Id": scene.ids("Event", np.arange(count)),
            "IsDeleted": bools(people["deleted"][person]),
            "WhoId": _who(scene, person),
            "Subject": choice(part["subject"], _SUBJECTS),
            "ActivityDate": dates(scene.clock, part["day"]),
            "ActivityDateTime": instants(start),
            "StartDateTime": instants(start),
            "EndDateTime": instants(start + 1800),
            "OwnerId": scene.owner(people["owner"][person]),
            "AccountId": scene.ids("Account", people["account"][person], people["has_contact"][person]),
            "CreatedDate": made,
            "CreatedById": scene.owner(people["owner"][person]),
            "LastModifiedDate": made,
            "SystemModstamp": made,
        }
    )
