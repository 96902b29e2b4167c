"""Leads to accounts: ordered rules, what tells several candidates apart, and how far each rule is to be believed.

The first rule with a candidate decides. Where it has several, those whose name the lead also gives
are kept; of accounts of one family the highest is taken; else the lead is matched to none and its
candidates are listed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import ibis
import ibis.expr.types as ir

from leadline.model.store import Store

RULES: Final = ("contact email", "domain", "company name")
"""In order: a contact of the account has the lead's e-mail; the e-mail's domain (else the lead's
website) is the account's website or that of its contacts; both write the same company."""

OVERRIDE: Final = "override"
"""The rule of a match that the workspace's file makes."""

LEAST_SHARE: Final = 5
"""A domain is an account's if at least one in so many contacts with it are there, or the website says so."""

EXPECTED: Final = {RULES[0]: 98, RULES[1]: 90, RULES[2]: 80}
"""Per cent of the matches of a rule that are taken to be right before this org's own leads are asked."""

WEIGHT: Final = 20
"""For how many converted leads that expectation counts beside the org's own."""

MILLION: Final = 1_000_000
"""Parts in which a score is told: whole numbers are the same on every engine."""

_ROUNDS: Final = 6


@dataclass(frozen=True, slots=True)
class Judged:
    """How a rule does on converted leads, whose account is known: how many it would place, how many rightly."""

    rule: str
    placed: int
    right: int

    @property
    def score_parts(self) -> int:
        """Expected share of right matches in millionths: the org's own, and `EXPECTED` for `WEIGHT` leads beside."""
        expected = EXPECTED[self.rule] * WEIGHT // 100
        return (self.right + expected) * MILLION // (self.placed + WEIGHT)


def match(store: Store) -> list[Judged]:
    """The steps `lead_matches` (made) and `lead_candidates` (not made), and how each rule is judged.

    lead_matches: person_id, account_id, rule, agrees, told_apart_by, candidate_count, score_parts.
    lead_candidates: person_id, account_id, rule, agrees, candidate_count.
    Both of leads that were not converted and have no account. Needs the steps of `parties.prepare`.
    """
    _keep_domains(store)
    _keep_families(store)
    people = store.steps["match_people"]
    loose = people.filter(people.object == "Lead", people.account_id.isnull())
    nothing = ibis.null("string")
    askers = loose.select(
        "person_id",
        "email",
        "company",
        "host",
        self_id="person_id",
        own_account=nothing,
        own_domain=nothing,
    )
    decided = _decided(store, "lead", askers)
    judged = _judged(store)
    scores = {one.rule: one.score_parts for one in judged}
    score = ibis.cases(*[(decided.rule == rule, ibis.literal(scores[rule], "int64")) for rule in RULES])
    made = decided.filter(decided.chosen).select(
        "person_id", "account_id", "rule", "agrees", "told_apart_by", "candidate_count", score_parts=score
    )
    store.step("lead_matches", made)
    store.step(
        "lead_candidates",
        decided.anti_join(store.steps["lead_matches"], "person_id").select(
            "person_id", "account_id", "rule", "agrees", "candidate_count"
        ),
    )
    return judged


def _keep_domains(store: Store) -> None:
    """Step `account_domains`: domain, account_id, contacts with it there, whether the website says so."""
    contacts = store.steps["match_contacts"].filter(ibis._.domain.notnull())
    counted = contacts.group_by("domain", "account_id").aggregate(contacts=contacts.count())
    total = counted.contacts.sum().over(ibis.window(group_by="domain"))
    shared = counted.mutate(total=total)
    usual = shared.filter(shared.contacts * LEAST_SHARE >= shared.total)
    sites = store.steps["match_accounts"].filter(ibis._.site.notnull())
    both = ibis.union(
        usual.select("domain", "account_id", "contacts", of_site=ibis.literal(False)),
        sites.select("account_id", domain="site", contacts=ibis.literal(0, "int64"), of_site=ibis.literal(True)),
    )
    known = both.group_by("domain", "account_id").aggregate(contacts=both.contacts.sum(), of_site=both.of_site.any())
    store.step("account_domains", known)


def _keep_families(store: Store) -> None:
    """Step `account_families`: account_id, top_id, depth, of accounts below another one.

    Accounts in a circle, or more than 64 below the top, are in no family.
    """
    accounts = store.steps["match_accounts"]
    there = accounts.select(parent_id="account_id")
    below = accounts.filter(accounts.parent_id.notnull() & (accounts.parent_id != accounts.account_id))
    up = below.semi_join(there, "parent_id").select("account_id", top_id="parent_id", depth=ibis.literal(1, "int64"))
    up = store.step("account_up_0", up)
    for turn in range(_ROUNDS if store.count(up) else 0):
        onward = up.select(top_id="account_id", further="top_id", more="depth")
        joined = up.left_join(onward, "top_id")
        raised = joined.select(
            "account_id",
            top_id=ibis.coalesce(joined.further, joined.top_id),
            depth=joined.depth + joined.more.fill_null(0),
        )
        up = store.step(f"account_up_{turn + 1}", raised)
    endless = up.select(top_id="account_id")
    store.step("account_families", up.anti_join(endless, "top_id"))


def _decided(store: Store, name: str, askers: ir.Table) -> ir.Table:
    """Every candidate of the first rule that has any, after names have told them apart.

    Columns: person_id, account_id, rule, agrees, candidate_count (of the rule), told_apart_by, chosen.
    """
    found = store.step(f"{name}_found", _found(store, askers))
    person = ibis.window(group_by="person_id")
    first = found.mutate(best=found.rule_no.min().over(person))
    level = first.filter(first.rule_no == first.best)
    level = level.mutate(candidate_count=level.count().over(person), named=level.is_named.sum().over(person))
    kept = level.filter((level.named == 0) | (level.is_named == 1))
    kept = store.step(f"{name}_kept", kept.mutate(left=kept.count().over(person)))
    top = _highest(store, kept.filter(kept.left > 1))
    joined = kept.left_join(top, ["person_id", "account_id"])
    by_family = joined.highest.notnull()
    return joined.select(
        "person_id",
        "account_id",
        "agrees",
        "candidate_count",
        rule=ibis.cases(*[(joined.rule_no == number, rule) for number, rule in enumerate(RULES)]),
        told_apart_by=ibis.cases(
            (by_family, "hierarchy"), ((joined.candidate_count > 1) & (joined.left == 1), "company name")
        ),
        chosen=(joined.left == 1) | by_family,
    )


def _found(store: Store, askers: ir.Table) -> ir.Table:
    """Pairs of asker and account: person_id, account_id, rule_no (of the first rule), is_named, agrees."""
    contacts = store.steps["match_contacts"].select("email", "account_id", holder_id="person_id")
    by_mail = askers.join(contacts, "email")
    by_mail = by_mail.filter(by_mail.holder_id != by_mail.self_id)
    by_host = askers.join(store.steps["account_domains"], [("host", "domain")])
    own = (by_host.own_account == by_host.account_id) & (by_host.own_domain == by_host.host)
    others = by_host.contacts - ibis.ifelse(own.fill_null(False), 1, 0)
    by_host = by_host.filter(by_host.of_site | (others > 0))
    names = store.steps["match_accounts"].select("account_id", company="name_key")
    by_name = askers.join(names, "company")
    pairs = ibis.union(
        *[
            part.select("person_id", "account_id", rule_no=ibis.literal(number, "int64"), agrees=part[column])
            for number, (part, column) in enumerate(((by_mail, "email"), (by_host, "host"), (by_name, "company")))
        ]
    )
    is_name = ibis.ifelse(pairs.rule_no == len(RULES) - 1, 1, 0)
    # Of one rule a pair has one value, so that the least of the first rule's is that one.
    ranked = pairs.mutate(
        is_name=is_name, best=pairs.rule_no.min().over(ibis.window(group_by=["person_id", "account_id"]))
    )
    told = ibis.cases((ranked.rule_no == ranked.best, ranked.agrees))
    return (
        ranked.mutate(told=told)
        .group_by("person_id", "account_id")
        .aggregate(rule_no=ibis._.rule_no.min(), is_named=ibis._.is_name.max(), agrees=ibis._.told.min())
    )


def _highest(store: Store, several: ir.Table) -> ir.Table:
    """Of askers whose candidates are one family, the one that stands highest: person_id, account_id, highest."""
    families = store.steps["account_families"]
    placed = several.select("person_id", "account_id").left_join(families, "account_id")
    placed = placed.select(
        "person_id",
        "account_id",
        top_id=ibis.coalesce(placed.top_id, placed.account_id),
        depth=placed.depth.fill_null(0),
    )
    person = ibis.window(group_by="person_id")
    placed = placed.mutate(
        low=placed.top_id.min().over(person),
        high=placed.top_id.max().over(person),
        least=placed.depth.min().over(person),
    )
    top = placed.filter((placed.low == placed.high) & (placed.depth == placed.least))
    alone = top.mutate(beside=top.count().over(person))
    return alone.filter(alone.beside == 1).select("person_id", "account_id", highest=ibis.literal(True))


def _judged(store: Store) -> list[Judged]:
    """Each rule on converted leads as if they were not: their own contact is left out."""
    known = store.steps["match_converted"]
    if not store.count(known.limit(1)):
        return [Judged(rule, 0, 0) for rule in RULES]
    contacts = store.steps["match_contacts"].select("person_id", own_account="account_id", own_domain="domain")
    placed = known.left_join(contacts, "person_id")
    askers = placed.select(
        "email", "host", "company", "own_account", "own_domain", self_id="person_id", person_id="lead_id"
    )
    decided = _decided(store, "converted", askers)
    truth = known.select(person_id="lead_id", true_id="account_id")
    chosen = decided.filter(decided.chosen).join(truth, "person_id")
    counted = chosen.group_by("rule").aggregate(
        placed=chosen.count(), right=(chosen.account_id == chosen.true_id).cast("int64").sum()
    )
    found = {row["rule"]: row for row in store.rows(counted)}
    return [Judged(rule, *(found[rule][key] if rule in found else 0 for key in ("placed", "right"))) for rule in RULES]
