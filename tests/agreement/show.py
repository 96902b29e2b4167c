"""`python -m tests.agreement.show BATCH [ID]`: a batch's records and both sides' answers about an id, to find out why they differ."""

from __future__ import annotations

import random
import sys

from tests.agreement.engine import built
from tests.agreement.model import engine_journeys, engine_opportunities, engine_responses, model_differences
from tests.oracle.answers import Answers
from tests.oracle.batch import random_batch
from tests.oracle.oracle import answer
from tests.oracle.show import records_and_answers

ORGS = 25
"""Small orgs in one batch."""


def lines(seed: int, only: str) -> list[str]:
    """Differences, settings, records and both answers as text; only what holds `only`."""
    org, settings, as_of = random_batch(random.Random(seed), ORGS)
    answers: Answers = answer(org, settings, as_of)
    opened = built(org, settings, as_of)
    found = [line for line in model_differences(answers, opened) if only in line]
    found += records_and_answers(org, settings, answers, only)
    found.append("--- engine")
    for table in (engine_responses(opened), engine_journeys(opened), engine_opportunities(opened)):
        found += [f"{name}: {value}" for name, value in table.items() if only in f"{name} {value}"]
    return found


if __name__ == "__main__":
    print("\n".join(lines(int(sys.argv[1]), sys.argv[2] if len(sys.argv) > 2 else "")))
