"""Normal forms: what two spellings of one address, domain, company or name have in common.

Expressions of the portable subset, so that a form is the same on every engine. Of characters
beyond ASCII only the Latin letters of `_ACCENTED` are folded; all others stay as they are.
"""

from __future__ import annotations

from typing import Final

import ibis
import ibis.expr.types as ir

_ACCENTED: Final = "àáâãäåāăąçćčďđèéêëēęěğìíîïīıłľñńňòóôõöøōőŕřśšşșťțùúûüūůűýÿźžż"
_PLAIN: Final = "aaaaaaaaacccddeeeeeeegiiiiiillnnnoooooooorrssssttuuuuuuuyyzzz"
_DOUBLED: Final = (("ß", "ss"), ("æ", "ae"), ("œ", "oe"))

LEGAL_FORMS: Final = (
    "ab", "ag", "aps", "as", "asa", "bv", "bvba", "co", "company", "corp", "corporation", "cv", "doo", "eg", "ev",
    "gbr", "gmbh", "inc", "incorporated", "kft", "kg", "kgaa", "kk", "limited", "llc", "llp", "lp", "ltd", "ltda",
    "mbh", "nv", "ohg", "oy", "oyj", "plc", "pte", "pty", "pvt", "sa", "sarl", "sas", "se", "sl", "slu", "spa",
    "spzoo", "srl", "sro", "ug",
)  # fmt: skip
"""Endings of company names that say the legal form; a name may end in several ("GmbH & Co. KG")."""

PLACEHOLDERS: Final = frozenset(
    {
        "anonymous", "company", "consultant", "demo", "example", "freelance", "freelancer", "home", "independent",
        "individual", "me", "my", "myself", "na", "n a", "nil", "no", "none", "not applicable",
        "not available", "not provided", "not specified", "null", "other", "personal", "private", "retired", "self",
        "self employed", "selfemployed", "student", "tba", "tbd", "test", "unemployed", "unknown",
        "xxx",
    }
)  # fmt: skip
"""What people write where a form insists on a company, in normal form; no company is meant."""

_ENDING: Final = f"( and)?( ({'|'.join(LEGAL_FORMS)})( and)?)+$"


def email(address: ir.StringValue) -> ir.StringValue:
    """An address in lower case without blanks around it, or null if it has not exactly one @ inside.

    Parts behind a plus sign and dots stay: whether they matter, the provider alone knows.
    """
    clean = address.strip().lower()
    return ibis.cases((clean.re_search("^[^@ ]+@[^@ ]+[.][^@ ]+$"), clean))


def domain(form: ir.StringValue) -> ir.StringValue:
    """What stands behind the @ of a normal form of `email`."""
    return form.re_replace("^[^@]*@", "")


def local_part(form: ir.StringValue) -> ir.StringValue:
    """What stands before the @ of a normal form of `email`."""
    return form.re_replace("@.*$", "")


def site(address: ir.StringValue) -> ir.StringValue:
    """The host of a web address, without scheme, `www.`, port and path; null if it has no dot."""
    host = address.strip().lower().re_replace("^[a-z]+://", "").re_replace("[/?#:].*$", "")
    host = host.re_replace("^www[0-9]*[.]", "")
    return ibis.cases((host.re_search("^[^. ]+([.][^. ]+)+$"), host))


def _folded(text: ir.StringValue) -> ir.StringValue:
    folded = text.lower().translate(_ACCENTED, _PLAIN)
    for letter, both in _DOUBLED:
        folded = folded.replace(letter, both)
    return folded


def company(name: ir.StringValue) -> ir.StringValue:
    """A company's name without accents, marks, a leading "the" and legal forms at the end; null if nothing is left.

    "The Acme & Söhne GmbH & Co. KG" and "acme and sohne" have one form. A name that is nothing but
    a legal form keeps it.
    """
    plain = _folded(name).replace("&", " and ").replace("+", " and ")
    plain = plain.re_replace("[.'’`]", "").re_replace('[-,;:!?"()/|*_#@–—\\\\\\[\\]]+', " ")
    plain = plain.re_replace(" +", " ").strip().re_replace("^the ", "")
    short = plain.re_replace(_ENDING, "").strip()
    return ibis.coalesce(short.nullif(""), plain.nullif(""))


def person_name(name: ir.StringValue) -> ir.StringValue:
    """A first or last name without accents, marks and blanks, or null if nothing is left."""
    return _folded(name).re_replace("[-.,'’`\" ]", "").nullif("")
