"""The metrics, asked of one published snapshot."""

from __future__ import annotations

from typing import TYPE_CHECKING

from leadline.workspace.asking import GOALS_FILE, AsOf, CloseDate, Opener, Question
from leadline.workspace.credit import CreditMetrics
from leadline.workspace.funnel import FunnelMetrics
from leadline.workspace.questions import ask
from leadline.workspace.targets import TargetMetrics

if TYPE_CHECKING:
    from leadline.results import Result

__all__ = ["GOALS_FILE", "AsOf", "CloseDate", "Metrics", "Opener", "Question"]


class Metrics(FunnelMetrics, CreditMetrics, TargetMetrics):
    """Volume, conversion, velocity and influence, which take a `Question` beside their own arguments; goals.

    Raises:
        SnapshotError: nothing is published yet, or no snapshot is sound.
        UnknownNameError: a dimension, stage, unit, funnel or model that does not exist.
        UsageError: a question that makes no sense, e.g. a unit the metric does not know.
    """

    def ask(self, address: str) -> Result:
        """The table an address names; see `Result.address`.

        Raises:
            UnknownNameError: no metric of that name, or a parameter it does not take.
            UsageError: the address cannot be read.
        """
        from leadline.address import parse

        return ask(self, parse(address))
