"""Accounts, contacts and people as matching sees them: in normal forms, one row each.

Accounts and contacts are those that are there; a person is described by its surviving record.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import ibis
import ibis.expr.types as ir

from leadline.config import MatchingSettings
from leadline.matching import forms
from leadline.matching.free_mail import FREE_MAIL, SHARED_SITES
from leadline.model.source import Source
from leadline.model.store import Store


@dataclass(frozen=True, slots=True)
class Words:
    """What says nothing of an employer.

    Attributes:
        free: domains of private mailboxes.
        shared: those, and hosts of pages of others.
        placeholders: normal forms of what stands for "no company".
    """

    free: tuple[str, ...]
    shared: tuple[str, ...]
    placeholders: tuple[str, ...]

    @classmethod
    def of(cls, settings: MatchingSettings) -> Words:
        """The shipped words and those of the settings."""
        free = FREE_MAIL | {name.strip().lower() for name in settings.free_mail}
        placeholders = forms.PLACEHOLDERS | {name.strip().lower() for name in settings.placeholders}
        return cls(tuple(sorted(free)), tuple(sorted(free | SHARED_SITES)), tuple(sorted(placeholders)))


def prepare(store: Store, source: Source, settings: MatchingSettings) -> None:
    """The steps `match_accounts`, `match_people`, `match_contacts` and `match_converted`.

    match_accounts: account_id, parent_id, name_key, site.
    match_people: person_id, object, account_id, first, last, email, local, domain (null for private
    mailboxes), host (domain, else the website's), company (of a contact its account's name; null for
    placeholders).
    match_contacts: person_id, account_id, email, domain.
    match_converted: converted leads as they were: lead_id, person_id, account_id, email, host, company.
    """
    words = Words.of(settings)
    accounts = store.step("match_accounts", _accounts(source, words))
    people = store.step("match_people", _people(source, store["people"], accounts, words))
    contacts = people.filter(people.object == "Contact", people.account_id.notnull())
    store.step("match_contacts", contacts.select("person_id", "account_id", "email", "domain"))
    store.step("match_converted", _converted(source, store["person_records"], accounts, words))


def _accounts(source: Source, words: Words) -> ir.Table:
    rows = source.table("Account")
    named = rows.select(
        account_id="Id", parent_id="ParentId", name_key=forms.company(rows.Name), site=forms.site(rows.Website)
    )
    return named.mutate(name_key=_unless(named.name_key, words.placeholders), site=_unless(named.site, words.shared))


def _people(source: Source, people: ir.Table, accounts: ir.Table, words: Words) -> ir.Table:
    leads, contacts = source.table("Lead"), source.table("Contact")
    nothing = ibis.null("string")
    both = ibis.union(
        leads.select(
            "FirstName",
            "LastName",
            person_id="Id",
            object=ibis.literal("Lead"),
            address="Email",
            employer="Company",
            pages="Website",
        ),
        contacts.select(
            "FirstName",
            "LastName",
            person_id="Id",
            object=ibis.literal("Contact"),
            address="Email",
            employer=nothing,
            pages=nothing,
        ),
    )
    known = both.join(people.select("person_id", "account_id"), "person_id")
    named = known.mutate(first=forms.person_name(known.FirstName), last=forms.person_name(known.LastName))
    formed = _formed(named, words)
    own = accounts.select("account_id", own_name="name_key")
    placed = formed.left_join(own, "account_id")
    return placed.select(
        "person_id",
        "object",
        "account_id",
        "first",
        "last",
        "email",
        "domain",
        "host",
        local=forms.local_part(placed.email),
        company=ibis.coalesce(placed.own_name, placed.company),
    )


def _converted(source: Source, records: ir.Table, accounts: ir.Table, words: Words) -> ir.Table:
    leads = source.table("Lead")
    known = leads.filter(leads.IsConverted.fill_null(False) & leads.ConvertedAccountId.notnull())
    known = known.join(records.select("record_id", "person_id"), [("Id", "record_id")])
    told = known.select(
        "person_id", lead_id="Id", account_id="ConvertedAccountId", address="Email", employer="Company", pages="Website"
    )
    return _formed(told.semi_join(accounts, "account_id"), words).select(
        "lead_id", "person_id", "account_id", "email", "host", "company"
    )


def _formed(rows: ir.Table, words: Words) -> ir.Table:
    """Adds email, domain, host and company in normal form, from address, employer and pages.

    Those have names of their own: an engine that ignores letter case takes Email and email for one.
    """
    forming = rows.mutate(
        email=forms.email(rows.address), company=forms.company(rows.employer), site=forms.site(rows.pages)
    )
    formed = forming.mutate(
        domain=_unless(forms.domain(forming.email), words.free),
        company=_unless(forming.company, words.placeholders),
        site=_unless(forming.site, words.shared),
    )
    return formed.mutate(host=ibis.coalesce(formed.domain, formed.site))


def _unless(value: ir.StringValue, words: Collection[str]) -> ir.StringValue:
    """The value, or null if it is one of the words."""
    return ibis.cases((value.notnull() & ~value.isin(list(words)), value))
