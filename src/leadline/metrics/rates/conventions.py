"""Conversion by any of its conventions, the summary formula of Salesforce reports among them."""

from __future__ import annotations

from leadline.errors import UnknownNameError, UsageError
from leadline.metrics import conversion as by_cohort
from leadline.metrics.query import Query
from leadline.metrics.rates import summary_ratio
from leadline.metrics.rates.flags import OPENED
from leadline.model.opened import Opened
from leadline.results import Result

CONVENTIONS = (*by_cohort.CONVENTIONS, summary_ratio.CONVENTION)


def convert(
    opened: Opened,
    query: Query,
    *,
    convention: str = "cohort",
    window_days: int | None = None,
    from_stage: str | None = None,
    to_stage: str | None = None,
    date_field: str | None = None,
) -> Result:
    """Conversion per transition by one of `CONVENTIONS`.

    Args:
        date_field: of the convention `summary`, which date decides a record's period; None is its
            opening. The other arguments are those of `conversion`.

    Raises:
        UnknownNameError: convention, stage, date, unit, funnel or dimension that does not exist.
        UsageError: a transition backwards, a window below 0, or a date with another convention.
    """
    if convention not in CONVENTIONS:
        raise UnknownNameError("convention", convention, CONVENTIONS)
    steps = {"window_days": window_days, "from_stage": from_stage, "to_stage": to_stage}
    if convention == summary_ratio.CONVENTION:
        return summary_ratio.summary_ratio(opened, query, date_field=date_field or OPENED, **steps)  # type: ignore[arg-type]
    if date_field is not None:
        raise UsageError(
            f"--date-field belongs to --convention {summary_ratio.CONVENTION}; by {convention} the entries into stages decide."
        )
    return by_cohort.conversion(opened, query, convention=convention, **steps)  # type: ignore[arg-type]
