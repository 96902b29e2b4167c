"""Cards of a page: a question, its table, and in its place the reason where it cannot be answered so."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from leadline.errors import OverLimitError, PendingError, SnapshotError, UsageError

if TYPE_CHECKING:
    from leadline.address import Address
    from leadline.results import Result
    from leadline.web.charts import Block as Chart
    from leadline.web.tables import Table
    from leadline.web.view import View


@dataclass(frozen=True, slots=True)
class Field:
    """A choice of a page's form: `options` are pairs of value and text."""

    name: str
    label: str
    value: str
    options: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Card:
    """A card with a table.

    Attributes:
        fault: why there is no answer; empty if there is one.
        result: the answer itself.
        pending: it is being worked out.
    """

    id: str
    title: str
    lead: str = ""
    grade: str | None = None
    table: Table | None = None
    fault: str = ""
    notes: tuple[str, ...] = ()
    chart: Chart | None = None
    result: Result | None = None
    pending: bool = False


def card(
    view: View,
    name: str,
    title: str,
    address: Address,
    *,
    lead: str = "",
    chart: str | None = None,
    notes: bool = True,
    **table: Any,
) -> Card:
    """Ask a question and make a card of the answer; a question that cannot be put so says why.

    Args:
        view: whose page it is.
        name: id on the page.
        title: heading.
        address: the question.
        lead: a line below the heading.
        chart: name of a chart to draw as well; "" for the usual one.
        notes: whether notes of the answer are shown.
        table: arguments of `tables.table`.
    """
    try:
        result = view.ask(address)
    except PendingError:
        return Card(name, title, lead, pending=True)
    except (UsageError, OverLimitError, SnapshotError) as fault:
        return Card(name, title, lead, fault=str(fault))
    return Card(
        id=name,
        title=title,
        lead=lead,
        grade=result.trust.grade,
        table=view.table(result, caption=title, **table),
        notes=result.notes if notes else (),
        chart=None if chart is None else view.chart(result, chart or None, title=title),
        result=result,
    )


def options(values: Sequence[str], texts: Sequence[str] = ()) -> tuple[tuple[str, str], ...]:
    """Values of a choice with their texts; a value is its own text without one."""
    named = [*texts, *(value.replace("_", " ") for value in values[len(texts) :])]
    return tuple(zip(values, named, strict=True))
