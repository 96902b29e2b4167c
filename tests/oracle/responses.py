"""Members that responded: when, whose, and what became of them (§3, D4, D5)."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from leadline.config import ResponseSettings
from tests.oracle.clock import Clock, Moment, When
from tests.oracle.people import People
from tests.oracle.records import Records, Row, flag, text, when

AT_ONCE = dt.timedelta(seconds=60)
LAST = dt.datetime.max.replace(tzinfo=dt.UTC)


@dataclass
class Response:
    """A campaign member that responded.

    fate: after_as_of, excluded, no_date, duplicate_member, tipped, joined_before,
    joined_after, not_qualified; `None` only while it is being worked out.
    evidence: date_field, first_responded, created or None.
    """

    id: str
    campaign: str
    person: str | None
    evidence: str | None
    moment: Moment | None
    created: Moment | None
    fate: str | None = None
    reason: str | None = None
    journey: tuple[str, int] | None = None

    @property
    def key(self) -> dt.datetime | None:
        """Sort key, None without a date."""
        return self.moment.key if self.moment else None

    @property
    def order(self) -> tuple[dt.datetime, str]:
        """§1 Ties: among responses the id decides."""
        return (self.moment.key if self.moment else LAST, self.id)


def responded(member: Row, campaign: Row | None, rule: ResponseSettings) -> bool:
    """§3: HasResponded, or a status list per campaign type ('*': any other type, any status)."""
    if rule.responded == "HasResponded":
        return flag(member, "HasResponded")
    campaign_type = text(campaign, "Type")
    listed = rule.statuses.get(campaign_type) if campaign_type is not None else None
    if listed is None:
        listed = rule.statuses.get("*", [])
    return "*" in listed or text(member, "Status") in listed


def responded_at(member: Row, rule: ResponseSettings) -> tuple[str | None, When | None]:
    """§3: the first that is present, and the evidence."""
    configured = when(member, rule.date_field) if rule.date_field else None
    if configured is not None:
        return "date_field", configured
    first = when(member, "FirstRespondedDate")
    if first is not None:
        return "first_responded", first
    created, modified = when(member, "CreatedDate"), when(member, "LastModifiedDate")
    if isinstance(created, dt.datetime) and isinstance(modified, dt.datetime) and modified - created <= AT_ONCE:
        return "created", created
    return None, None


def first_fate(
    response: Response, member: Row, at: When | None, campaign: Row | None, rule: ResponseSettings, clock: Clock
) -> None:
    """§3 Fate, the first three; §1: a record that is itself newer than as-of changes nothing."""
    proof = at if at is not None else when(member, "CreatedDate")
    if proof is not None and not clock.happened(proof):
        response.fate = "after_as_of"
    elif response.person is None:
        response.fate, response.reason = "excluded", "no person"
    elif text(campaign, "Type") in rule.exclude_campaign_types or response.campaign in rule.exclude_campaigns:
        response.fate, response.reason = "excluded", "rule"
    elif at is None:
        response.fate = "no_date"


def read(records: Records, people: People, rule: ResponseSettings, clock: Clock) -> list[Response]:
    """All members that responded; the last four fates are still None."""
    found = []
    for member in records.alive("CampaignMember"):
        campaign = records.get_alive("Campaign", text(member, "CampaignId"))
        if not responded(member, campaign, rule):
            continue
        evidence, at = responded_at(member, rule)
        created = when(member, "CreatedDate")
        response = Response(
            id=str(member["Id"]),
            campaign=str(text(member, "CampaignId")),
            person=people.of_member(member),
            evidence=evidence,
            moment=clock.response(at) if at is not None else None,
            created=clock.response(created) if created is not None else None,
        )
        first_fate(response, member, at, campaign, rule, clock)
        found.append(response)
    mark_duplicates(found)
    return found


def mark_duplicates(found: list[Response]) -> None:
    """§3 "one response per (person, campaign): the earliest"; D5: then CreatedDate, then id."""
    groups: dict[tuple[str | None, str], list[Response]] = {}
    for response in found:
        if response.fate is None:
            groups.setdefault((response.person, response.campaign), []).append(response)
    for group in groups.values():
        group.sort(key=lambda one: (one.order[0], one.created.key if one.created else LAST, one.id))
        for other in group[1:]:
            other.fate = "duplicate_member"
