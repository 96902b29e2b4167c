"""The ledger: every record as it came, with its history.

`Ledger` is all that others need; `docs/decisions/0003-ledger.md` has the rules and their reasons.
"""

from leadline.ledger.ledger import STEPS, Ledger, Loaded, LoadReport
from leadline.ledger.record import ObjectReport

__all__ = ["STEPS", "Ledger", "LoadReport", "Loaded", "ObjectReport"]
