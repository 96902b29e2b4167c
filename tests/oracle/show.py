"""`python -m tests.oracle.show SEED [ID]`: a random org and what the oracle says, to find out why two answers differ.

With an id only records that hold it, and answers about it, are shown.
"""

from __future__ import annotations

import random
import sys
from collections.abc import Mapping
from pprint import pformat
from typing import Any

from leadline.config import Settings
from tests.oracle import tables
from tests.oracle.answers import Answers
from tests.oracle.oracle import answer
from tests.oracle.org import random_org
from tests.oracle.records import Org


def lines(seed: int, only: str) -> list[str]:
    """Settings, records and answers as text."""
    org, settings, as_of = random_org(random.Random(seed))
    return records_and_answers(org, settings, answer(org, settings, as_of), only)


def records_and_answers(org: Org, settings: Settings, answers: Answers, only: str) -> list[str]:
    """The same of an org at hand."""
    clock = answers.clock
    found = [settings.model_dump_json(indent=1, exclude_defaults=True), f"as of {clock.as_of} in {clock.zone}"]
    for name, rows in org.items():
        for row in rows:
            text = ", ".join(f"{field}={value}" for field, value in row.items() if value is not None)
            if only in text:
                found.append(f"{name}: {text}")
    shown: dict[str, Mapping[Any, object]] = {
        "persons": answers.persons,
        "responses": tables.responses(answers),
        "journeys": tables.journeys(answers),
        "opportunities": tables.opportunities(answers),
    }
    for title, table in shown.items():
        found.append(f"--- {title}")
        found += [f"{name}: {pformat(value, width=150)}" for name, value in table.items() if only in f"{name} {value}"]
    return found


if __name__ == "__main__":
    print("\n".join(lines(int(sys.argv[1]), sys.argv[2] if len(sys.argv) > 2 else "")))
