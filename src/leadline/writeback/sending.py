"""Rows of a plan on their way to the org: 200 a call, row by row what came back, never a row twice.

No change is asked for again before the org was asked whether it was made: an answer that did not
come whole may belong to a change that was.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from leadline.errors import OrgUnreachableError
from leadline.sources.salesforce import nets, rest
from leadline.sources.salesforce.session import Session, from_json
from leadline.sources.salesforce.transport import Response
from leadline.sources.salesforce.waiting import TRIES
from leadline.writeback.journal import NOT_DONE, Answer, Journal
from leadline.writeback.planning import BATCH
from leadline.writeback.target import Target

if TYPE_CHECKING:
    import duckdb

_AGAIN: Final = frozenset({"UNABLE_TO_LOCK_ROW", "SERVER_UNAVAILABLE", "UNKNOWN_EXCEPTION"})
"""Codes of rows that may pass when they are sent once more."""
_ROLLED_BACK: Final = "ALL_OR_NONE_OPERATION_ROLLED_BACK"
CHANGED: Final = "CHANGED_MEANWHILE"
"""Our code of a row that somebody else changed while it was being sent."""


@dataclass(frozen=True, slots=True)
class Row:
    """One row: what it is now, what it is to be; None where there is no record. `extra` is sent with new ones."""

    no: int
    action: str
    id: str
    old: dict[str, str | None] | None
    new: dict[str, str | None] | None
    extra: dict[str, str | None]


class Sender:
    """Does rows of one target, one batch after the other.

    Args:
        heard: called with the number of rows that have their answer.
    """

    def __init__(self, session: Session, target: Target, journal: Journal, heard: Callable[[int], None]) -> None:
        self._session, self._target, self._journal, self._heard = session, target, journal, heard

    def settle(self, rows: Sequence[Row]) -> None:
        """Ask the org what became of rows that an earlier process sent and had no answer to."""
        for some in _batches(rows):
            self._journal.back(self._seen(some))

    def send(self, rows: Sequence[Row]) -> None:
        """Do rows of one action; each has its answer in the journal afterwards.

        Raises:
            ApiError: the org refuses a whole call; nothing of it was done.
            ApiLimitError: the calls are used up; the next run goes on.
            OrgUnreachableError: the org cannot be reached; the next run goes on.
        """
        waiting, attempt = list(rows), 0
        while waiting:
            if attempt:
                self._session.waiting.before_try(attempt)
            answers = self._once(waiting)
            last = attempt + 1 >= TRIES
            again = {one.no for one in answers if one.code == NOT_DONE or (one.code in _AGAIN and not last)}
            if last and any(one.code == NOT_DONE for one in answers):
                raise OrgUnreachableError("The org, asked to write rows,", f"no whole answer; {TRIES} tries")
            self._journal.back([one if one.no not in again else Answer(one.no, "", NOT_DONE) for one in answers])
            self._heard(len(waiting) - len(again))
            waiting, attempt = [one for one in waiting if one.no in again], attempt + 1

    def _once(self, rows: Sequence[Row]) -> list[Answer]:
        """Send rows; where no whole answer comes, look."""
        self._journal.sent(one.no for one in rows)
        try:
            told = self._call(rows)
        except OrgUnreachableError:
            self._session.waiting.before_try(1)
            return self._seen(rows)
        return [_answer(row, said) for row, said in zip(rows, told, strict=True)]

    def _call(self, rows: Sequence[Row]) -> list[dict[str, Any]]:
        target, what = self._target, f"{rows[0].action} {len(rows)} {self._target.object} rows"

        def parse(response: Response) -> list[dict[str, Any]]:
            told = from_json(response)
            if not isinstance(told, list) or len(told) != len(rows) or not all("success" in one for one in told):
                raise ValueError("not an answer for each row")
            return told

        path = self._session.data("composite/sobjects")
        if rows[0].action == "delete":
            ids = quote(",".join(one.id for one in rows), safe=",")
            return self._session.once("DELETE", f"{path}?ids={ids}&allOrNone=false", parse, what)
        method, make = ("POST", self._created) if rows[0].action == "create" else ("PATCH", self._changed)
        records = [{"attributes": {"type": target.object}, **make(one)} for one in rows]
        return self._session.once(method, path, parse, what, body={"allOrNone": False, "records": records})

    def _created(self, row: Row) -> dict[str, Any]:
        values = {name: self._target.sent(name, text) for name, text in (row.new or {}).items()}
        given = {name: value for name, value in (row.extra | values).items() if value is not None}
        return {**self._target.fixed, **given}

    def _changed(self, row: Row) -> dict[str, Any]:
        old, new = row.old or {}, row.new or {}
        moved = [name for name in self._target.changed if new[name] != old[name]]
        return {"Id": row.id, **{name: self._target.sent(name, new[name]) for name in moved}}

    def _seen(self, rows: Sequence[Row]) -> list[Answer]:
        """What the org shows of rows that were sent: done, not done, or changed by somebody else."""
        return self._seen_created(rows) if rows[0].action == "create" else self._seen_changed(rows)

    def _seen_changed(self, rows: Sequence[Row]) -> list[Answer]:
        images = self._images(f"Id IN ({{}}){self._and()}", [one.id for one in rows])
        found = []
        for row in rows:
            image = images.get(row.id)
            if image == row.new:
                found.append(Answer(row.no, row.id))
            elif image == row.old:
                found.append(Answer(row.no, row.id, NOT_DONE))
            else:
                found.append(Answer(row.no, row.id, CHANGED, "somebody else changed this record meanwhile"))
        return found

    def _seen_created(self, rows: Sequence[Row]) -> list[Answer]:
        key = self._target.key
        groups = sorted({str((one.new or {})[key[0]]) for one in rows})
        images = self._images(f"{key[0]} IN ({{}}){self._and()}", groups)
        taken = set(self._journal.done.values())
        ids = {tuple(image[name] for name in key): record for record, image in images.items() if record not in taken}
        found = []
        for row in rows:
            record = ids.get(tuple((row.new or {})[name] for name in key))
            found.append(Answer(row.no, "", NOT_DONE) if record is None else Answer(row.no, record))
        return found

    def _and(self) -> str:
        return self._target.condition.replace(" WHERE ", " AND ", 1)

    def _images(self, condition: str, ids: Sequence[str]) -> dict[str, dict[str, str | None]]:
        """Live records that meet a condition on ids: id → image."""
        target, found = self._target, dict[str, dict[str, str | None]]()
        for some in nets.batches(ids):
            where = condition.format(nets.id_list(some))
            soql = f"SELECT Id, IsDeleted, {', '.join(target.fields)} FROM {target.object} WHERE {where}"
            for one in rest.records(self._session, soql, f"{target.object} rows that were sent"):
                if not one["IsDeleted"]:
                    found[one["Id"]] = {name: self._text(name, one[name]) for name in target.fields}
        return found

    def _text(self, name: str, value: Any) -> str | None:
        if value is None or value == "":
            return None
        return f"{float(value):.{self._target.scale}f}" if self._target.forms[name] == "percent" else str(value)


def rows_of(con: duckdb.DuckDBPyConnection, condition: str) -> Iterator[Row]:
    """Rows of the table `rows` of a connection, in their order."""
    found = con.cursor().execute(
        f"SELECT no, action, coalesce(id, ''), old, new, extra FROM rows WHERE {condition} ORDER BY no"
    )
    while some := found.fetchmany(BATCH):
        for no, action, record, old, new, extra in some:
            yield Row(no, action, record, old and json.loads(old), new and json.loads(new), json.loads(extra or "{}"))


def batches(rows: Iterator[Row]) -> Iterator[list[Row]]:
    """Rows in portions of one action that fit into one call."""
    for _, same in groupby(rows, key=lambda one: one.action):
        yield from _batches(list(same))


def _batches(rows: Sequence[Row]) -> Iterator[list[Row]]:
    for _, same in groupby(rows, key=lambda one: one.action):
        some = list(same)
        yield from (some[at : at + BATCH] for at in range(0, len(some), BATCH))


def _answer(row: Row, said: dict[str, Any]) -> Answer:
    if said["success"]:
        return Answer(row.no, str(said.get("id") or row.id))
    errors = said.get("errors") or [{}]
    code = str(errors[0].get("statusCode") or "UNKNOWN")
    return Answer(row.no, row.id, NOT_DONE if code == _ROLLED_BACK else code, str(errors[0].get("message") or ""))
