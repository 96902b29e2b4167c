"""Whether a value of the ledger is what the org says: the same whether it was said in JSON or as a text of CSV."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any


def same(kind: str, held: Any, said: Any) -> bool:
    """Whether a value of the ledger is what the org says in JSON; an empty text is none."""
    if said is None or said == "":
        return held is None
    if kind == "datetime":
        return bool(held == dt.datetime.fromisoformat(said).replace(tzinfo=None))
    if kind == "date":
        return bool(held == dt.date.fromisoformat(said))
    if kind in ("decimal", "rate"):
        return bool(held == Decimal(str(said)))
    return bool(held == (float(said) if kind == "number" else said))


def same_text(kind: str, held: Any, text: str) -> bool:
    """The same of a cell of CSV."""
    if kind == "bool" and text:
        return bool(held is (text == "true"))
    if kind == "integer" and text:
        return bool(held == int(text))
    return same(kind, held, text)
