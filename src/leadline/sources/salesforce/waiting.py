"""How time passes between tries."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

TRIES: Final = 7
"""How often one thing is asked for."""

_FIRST_WAIT: Final = 0.5
_LONGEST_WAIT: Final = 30.0


@dataclass
class Waiting:
    """How time passes between tries; tests pass their own."""

    sleep: Callable[[float], None] = time.sleep
    random: Callable[[], float] = field(default_factory=lambda: random.SystemRandom().random)

    def before_try(self, number: int) -> None:
        """Wait before a try again; `number` counts from 1."""
        longest = min(_LONGEST_WAIT, _FIRST_WAIT * 2.0**number)
        self.sleep(longest * (0.5 + self.random() / 2))
