"""Small results over REST: `queryAll`, page by page."""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import quote

from leadline.errors import ApiError, IncompleteError
from leadline.sources.salesforce import faults, typed
from leadline.sources.salesforce.session import Session, from_json
from leadline.sources.salesforce.task import Task
from leadline.sources.salesforce.transport import Response

LONGEST_ADDRESS: Final = 12_000
"""Characters of a query in an address; the platform takes about 16,000 in all."""
_STARTS: Final = 3
_SIZE: Final = {"Sforce-Query-Options": "batchSize=2000"}


def fits(soql: str) -> bool:
    """Whether a query is short enough to be asked in an address."""
    return len(quote(soql)) <= LONGEST_ADDRESS


def count(session: Session, name: str, condition: str) -> int:
    """Records of an object, deleted ones too, that meet a condition ("" for all)."""
    soql = f"SELECT COUNT() FROM {name}{condition}"
    told = session.call("GET", session.data(f"queryAll/?q={quote(soql)}"), _total, f"the number of {name} records")
    return int(told)


def _total(response: Response) -> int:
    return int(_answer(response)["totalSize"])


def records(session: Session, soql: str, what: str) -> list[dict[str, Any]]:
    """All records of a small result."""
    found: list[dict[str, Any]] = []
    path = session.data(f"queryAll/?q={quote(soql)}")
    while path:
        answer = session.call("GET", path, _answer, what, headers=_SIZE)
        found += answer["records"]
        path = "" if answer["done"] else answer["nextRecordsUrl"]
    return found


def read(session: Session, task: Task) -> None:
    """Read a query to its end; a place in the result that expires means from the start again.

    Raises:
        IncompleteError: the pages do not add up to what the org announced.
        SalesforceError: as calls do.
    """
    for start in range(1, _STARTS + 1):
        task.start_over()
        try:
            announced = _pages(session, task)
        except ApiError as error:
            if error.code != faults.NO_LOCATOR or start == _STARTS:
                raise
            continue
        if task.rows == announced:
            task.finish()
            return
    raise IncompleteError(
        f"{task.shape.name}: the org announced {announced:,} records and sent {task.rows:,}, {_STARTS} times over. "
        "Nothing was changed; run the pull again."
    )


def _pages(session: Session, task: Task) -> int:
    """Keep all pages; returns how many records the org announced."""
    path = session.data(f"queryAll/?q={quote(task.soql)}")
    seen: set[str] = set()
    while True:
        answer = session.call("GET", path, _answer, f"records of {task.shape.name}", headers=_SIZE)
        task.add(typed.typed(typed.from_records(answer["records"], task.shape, task.fields), task.shape))
        if answer["done"]:
            return int(answer["totalSize"])
        path = str(answer["nextRecordsUrl"])
        if path in seen:
            return int(answer["totalSize"])
        seen.add(path)


def _answer(response: Response) -> dict[str, Any]:
    """A page of a query, with the keys that every page has.

    Raises:
        ValueError: it has not.
    """
    answer = from_json(response)
    whole = isinstance(answer, dict) and isinstance(answer.get("records"), list) and "totalSize" in answer
    if not whole or (answer.get("done") is False and not answer.get("nextRecordsUrl")):
        raise ValueError("not a page of a query")
    return answer | {"done": answer.get("done", True)}
