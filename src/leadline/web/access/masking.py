"""Personal data hidden: who may not see persons sees stand-ins, each the same wherever that person stands."""

from __future__ import annotations

import hashlib
import re
import secrets
from dataclasses import replace
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from leadline.results import Result
from leadline.web.access.who import Principal

PERSONAL: Final = frozenset({"person_id", "person", "contact_id", "contact", "response_id", "lead_id", "email"})
"""Columns that always tell of a person."""

BY_OBJECT: Final = frozenset({"unit_id", "record_id"})
"""Columns that tell of a person where the row's object, or the unit of the result, is one."""

PERSON_PAGE: Final = "/journey/"
"""Where the page of one person is."""

OBJECTS: Final = ("Person", "Lead", "Contact", "CampaignMember")
UNITS: Final = frozenset({"people", "journeys", "responses"})

OF_PERSONS: Final = re.compile(r"\b(?:003|00Q|00v|00K|00T|00U)[A-Za-z0-9]{12}(?:[A-Za-z0-9]{3})?\b")
"""Ids of contacts, leads, campaign members, contact roles, tasks and events, wherever a text names one."""

_KEY: Final = secrets.token_bytes(32)
"""New with every start: stand-ins of two days cannot be laid side by side, and ids cannot be tried out."""


def masked(result: Result, who: Principal) -> Result:
    """A result as somebody may see it.

    Args:
        result: a table or a list of records.
        who: the reader; nothing changes for one who may see personal data.
    """
    if not who.masked:
        return result
    table = result.table
    for at, name in enumerate(table.column_names):
        column = table[name]
        if name in PERSONAL:
            hidden = _stand_ins(column)
        elif name in BY_OBJECT and "object" in table.column_names:
            of_person = pc.is_in(table["object"], pa.array(OBJECTS))
            hidden = pc.if_else(of_person, _stand_ins(column), column.cast(pa.string()))
        elif name in BY_OBJECT and result.unit in UNITS:
            hidden = _stand_ins(column)
        else:
            continue
        table = table.set_column(at, name, hidden)
    listing = result.list_records
    return replace(
        result,
        table=table,
        notes=tuple(scrubbed(note) for note in result.notes),
        list_records=None if listing is None else lambda: masked(listing(), who),
    )


def stand_in(text: str) -> str:
    """What is shown in place of an id or name of a person."""
    return "person " + hashlib.blake2b(text.encode(), key=_KEY, digest_size=5).hexdigest()


def scrubbed(text: str) -> str:
    """A text with a stand-in for every id of a person that it quotes."""
    return OF_PERSONS.sub(lambda found: stand_in(found[0]), text)


def leads_to_person(href: str) -> bool:
    """Whether a link leads to the page of one person."""
    return href.startswith(PERSON_PAGE)


def _stand_ins(column: pa.ChunkedArray) -> pa.Array:
    """Each distinct value once; what is empty stays empty."""
    encoded = column.cast(pa.string()).combine_chunks().dictionary_encode()
    known = pa.array([stand_in(value) for value in encoded.dictionary.to_pylist()], pa.string())
    return known.take(encoded.indices)
