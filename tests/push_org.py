"""An org on the double with deals, people and responses, and a workspace that has pulled it."""

from __future__ import annotations

import datetime as dt
import functools
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from leadline import workspace
from leadline.sources.salesforce.hosts import TEST_HOST
from leadline.sources.salesforce.transport import HttpTransport, Request, Response
from leadline.sources.salesforce.waiting import Waiting
from leadline.workspace import Workspace
from leadline_double.org import Org
from leadline_double.server import Double, serve
from tests.connector_org import Drawer

LONGEST_PAUSE = 0.002
"""Seconds of a pause between tries here; what matters is that there is one, not how long."""
SETTINGS = """
[salesforce]
flow = "client"
domain = "{url}"
client_id = "{key}"

[salesforce.push.members]
MQL_on__c = "MQL"
Fate__c = "fate"

[[funnel.main.stages]]
name = "Inquiry"
[[funnel.main.stages.sources]]
object = "CampaignMember"
milestone = "response"

[[funnel.main.stages]]
name = "MQL"
[[funnel.main.stages.sources]]
object = "Contact"
field = "MQL__c"
stamp = true

[[funnel.main.stages]]
name = "Won"
[[funnel.main.stages.sources]]
object = "Opportunity"
milestone = "won"
"""


class Mortal:
    """HTTPS that can end the process that uses it, before a request that writes or behind its answer.

    Attributes:
        left: requests that write until the process ends; None: it does not.
        late: whether the org still gets the request.
    """

    def __init__(self) -> None:
        self.inner = HttpTransport()
        self.left: int | None = None
        self.late = False

    def send(self, request: Request) -> Response:
        """Send, or end."""
        if self.left is not None and "/composite/" in request.url:
            self.left -= 1
            if self.left < 0:
                if self.late:
                    self.inner.send(request)
                raise KilledError
        return self.inner.send(request)


class KilledError(BaseException):
    """Ends a run where nothing can catch it, as a signal does."""


def furnish(org: Org, deals: int, people: int) -> None:
    """Fill an org: so many deals with so many contacts each, who all responded to campaigns of their own and one
    common; an own influence model."""
    org.add_model("Leadline")
    org.add_field("Contact", "MQL__c", "date")
    org.add_field("CampaignMember", "MQL_on__c", "date")
    org.add_field("CampaignMember", "Fate__c", "string")
    campaigns = [org.create("Campaign", Name=f"C{number}", IsActive=True) for number in range(people + 1)]
    for campaign in campaigns:
        for label, answered in (("Sent", False), ("Attended", True)):
            org.create("CampaignMemberStatus", CampaignId=campaign, Label=label, HasResponded=answered)
    account = org.create("Account", Name="A")
    for number in range(deals):
        contacts = [
            org.create("Contact", LastName=f"L{number}-{each}", AccountId=account, MQL__c=dt.date(2026, 7, 1))
            for each in range(people)
        ]
        for each, contact in enumerate(contacts):
            for campaign in (campaigns[each], campaigns[-1]):
                org.create("CampaignMember", CampaignId=campaign, ContactId=contact, Status="Attended")
        deal = org.create(
            "Opportunity", Name=f"D{number}", AccountId=account, StageName="Prospecting", Amount=1000 + number,
            CloseDate=dt.date(2026, 9, 1),
        )  # fmt: skip
        for contact in contacts:
            org.create("OpportunityContactRole", OpportunityId=deal, ContactId=contact)


@functools.cache
def _template(base: Path, deals: int, people: int) -> Path:
    """The folder of a workspace that has pulled such an org, made once per process: the same calls give the same ids."""
    folder = base / f"pushed-{deals}-{people}"
    with pytest.MonkeyPatch.context() as patch, _connected(folder, furnished(deals, people), patch) as (made, _, _):
        made.org.pull()
    return folder


def furnished(deals: int, people: int) -> Org:
    """A furnished org, an hour later."""
    org = Org()
    furnish(org, deals, people)
    org.clock.advance(hours=1)
    return org


@contextmanager
def pulled(
    folder: Path, deals: int, people: int, patch: pytest.MonkeyPatch, base: Path
) -> Iterator[tuple[Workspace, Double, Mortal]]:
    """A workspace that has pulled a furnished org and is connected with it; `base` holds what is made once."""
    shutil.copytree(_template(base, deals, people), folder)
    with _connected(folder, furnished(deals, people), patch) as made:
        yield made


@contextmanager
def _connected(folder: Path, org: Org, patch: pytest.MonkeyPatch) -> Iterator[tuple[Workspace, Double, Mortal]]:
    with serve(org) as double:
        patch.setenv(TEST_HOST, double.url.removeprefix("https://"))
        patch.setenv("SSL_CERT_FILE", str(double.ca_file))
        made = workspace.create(folder)
        text = SETTINGS.format(url=double.url, key=double.app.consumer_key)
        (folder / "leadline.toml").write_text(text, encoding="utf-8")
        transport = Mortal()
        made.org.transport, made.org.vault = transport, Drawer(client_secret=double.app.consumer_secret)
        made.org.now = org.clock.now
        made.org.waiting = Waiting(sleep=lambda seconds: time.sleep(min(seconds, LONGEST_PAUSE)))
        yield made, double, transport
        transport.inner.close()


def rows(org: Org) -> list[tuple[object, ...]]:
    """Live influence rows by all that a client may set, sorted."""
    names = sorted(name for name, one in org.objects["CampaignInfluence"].fields.items() if one.createable)
    return sorted((tuple(row.get(name) for name in names) for row in org.live("CampaignInfluence")), key=str)


def own_model(org: Org) -> str:
    """Id of the own influence model."""
    return str(next(one["Id"] for one in org.live("CampaignInfluenceModel") if one["DeveloperName"] == "Leadline"))


def settle_rows(org: Org) -> None:
    """Rows under the own model as an earlier push may have left them: per deal one right, one wrong, one to go."""
    deals = org.live("Opportunity")
    for deal in deals:
        roles = [one for one in org.live("OpportunityContactRole") if one["OpportunityId"] == deal["Id"]]
        contacts = [one["ContactId"] for one in roles]
        members = [one for one in org.live("CampaignMember") if one["ContactId"] == contacts[0]]
        first, common = sorted(one["CampaignId"] for one in members)
        make = {"OpportunityId": deal["Id"], "ModelId": own_model(org)}
        org.create("CampaignInfluence", **make, CampaignId=first, ContactId=contacts[0], Influence="16.67")
        org.create("CampaignInfluence", **make, CampaignId=common, ContactId=contacts[0], Influence="40")
        org.create("CampaignInfluence", **make, CampaignId=common, Influence="7.5", CurrencyIsoCode="EUR")
