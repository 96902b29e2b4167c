"""How many random or fault cases a test runs: a tenth in `make test`, all in `make test-night`."""

import os

SCALE = float(os.environ.get("LEADLINE_TEST_SCALE", "0.1"))


def scaled(cases: int) -> int:
    """`cases` at full scale, at least 5."""
    return max(5, round(cases * SCALE))
