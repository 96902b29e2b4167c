"""What stories need of a workspace besides its snapshot: e-mail addresses, and the credit of one opportunity."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from leadline import engines
from leadline.errors import UsageError

if TYPE_CHECKING:
    from leadline.ledger import Ledger
    from leadline.model.opened import Opened
    from leadline.results import Result
    from leadline.workspace.metrics import AsOf, Metrics

WHOLE_ORG = ("markov", "shapley")
"""Kinds of models whose weights come from all opportunities; a story tells those that one opportunity settles."""


def person_id(ledger: Ledger, opened: Opened, address: str) -> str:
    """The person with an e-mail address; addresses stand in the ledger only, no snapshot holds them.

    Raises:
        UsageError: nobody has it, or several persons do.
        LedgerError: nothing has been imported.
    """
    records: list[str] = []
    with engines.writer(":memory:") as con:
        ledger.attach(con)
        for name in ("Lead", "Contact"):
            held = con.execute(
                "SELECT count(*) FROM duckdb_columns() WHERE schema_name = 'src' AND table_name = ? AND column_name = 'Email'",
                [name],
            ).fetchone()
            if held != (0,):
                query = f'SELECT "Id" FROM src."{name}" WHERE lower("Email") = lower(?) ORDER BY "Id"'
                records += [record for (record,) in con.execute(query, [address.strip()]).fetchall()]
    table = opened["person_records"]
    own = opened.arrow(table.filter(table.record_id.isin(records)).select("person_id").distinct()) if records else None
    persons = sorted(own["person_id"].to_pylist()) if own is not None else []
    if len(persons) != 1:
        found = f"{len(persons)} persons have it: {', '.join(persons)}; give an id" if persons else "nobody has it"
        raise UsageError(f"The e-mail address {address!r} names no one person: {found}.")
    return str(persons[0])


def teller(metrics: Metrics, opened: Opened, as_of: AsOf) -> Callable[[str], Result]:
    """A function that tells the credit of an opportunity under every model that one opportunity settles."""
    models = [name for name, model in metrics.known_models().items() if model.kind not in WHOLE_ORG]

    def tell(deal: str) -> Result:
        return metrics.deal_credit(deal, models=models, as_of=as_of)

    return tell
