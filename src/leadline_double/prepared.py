"""Ready-made bulk results, for measuring clients: sending them costs next to nothing."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv

from leadline.demo import ids
from leadline_double.problems import ApiError
from leadline_double.rendered import Rendered

BLOCK = 65_536


class Prepared:
    """Columns of one object as texts in API form, without line ends inside.

    Every bulk query of the object is answered with all rows, whatever its WHERE says.
    """

    def __init__(self, table: pa.Table) -> None:
        texts = {name: pc.fill_null(table[name].cast(pa.string()), "") for name in table.column_names}
        self._table = pa.table(texts)
        self._kept: dict[tuple[str, ...], Rendered] = {}

    @property
    def count(self) -> int:
        """Rows."""
        return len(self._table)

    def rendered(self, columns: tuple[str, ...], ending: str = "\n") -> Rendered:
        """The columns asked for, rendered once; columns that the table lacks are empty.

        Raises:
            ApiError: INVALID_FIELD where the line ending is not LF.
        """
        if ending != "\n":
            raise ApiError("INVALID_FIELD", "prepared results have LF only")
        if columns not in self._kept:
            empty: Any = pa.nulls(self.count, pa.string()).fill_null("")
            chosen = pa.table(
                {name: self._table[name] if name in self._table.column_names else empty for name in columns}
            )
            sink = io.BytesIO()
            pa_csv.write_csv(chosen, sink, pa_csv.WriteOptions(quoting_style="all_valid", batch_size=BLOCK))
            text = sink.getvalue()
            ends = np.flatnonzero(np.frombuffer(text, np.uint8) == ord("\n")).astype(np.uint64) + 1
            head = int(ends[0])
            self._kept[columns] = Rendered(text[:head], text[head:], ends - head)
        return self._kept[columns]


def member_rows(count: int) -> pa.Table:
    """Rows like campaign members, as texts in API form; each stamp is older than the clock's start."""
    number = np.arange(count, dtype=np.int64)
    person, campaign = number * 7 % max(1, count // 5), number % 400
    responded = number % 3 == 0
    moments = np.datetime_as_string(np.datetime64("2024-07-01T00:00:00") + number % 60_000_000, unit="s")
    stamp = pc.binary_join_element_wise(pa.array(moments.tolist(), pa.string()), "000Z", ".")
    days = np.datetime_as_string(np.datetime64("2024-07-01") + number % 700, unit="D")
    blank = pa.nulls(count, pa.string()).fill_null("")
    day_texts = pa.array(days.tolist(), pa.string())
    return pa.table(
        {
            "Id": ids.text("CampaignMember", number),
            "IsDeleted": pa.array(np.zeros(count, bool)),
            "CampaignId": ids.text("Campaign", campaign),
            "LeadId": pc.if_else(pa.array(person % 2 == 0), ids.text("Lead", person), blank),
            "ContactId": pc.if_else(pa.array(person % 2 == 1), ids.text("Contact", person), blank),
            "Status": pc.if_else(pa.array(responded), "Responded", "Sent"),
            "HasResponded": pa.array(responded),
            "CreatedDate": stamp,
            "CreatedById": ids.text("User", number % 12),
            "LastModifiedDate": stamp,
            "LastModifiedById": ids.text("User", number % 12),
            "SystemModstamp": stamp,
            "FirstRespondedDate": pc.if_else(pa.array(responded), day_texts, blank),
            "CurrencyIsoCode": pc.if_else(pa.array(number % 4 == 0), "EUR", "USD"),
            "Type": pc.if_else(pa.array(person % 2 == 0), "Lead", "Contact"),
        }
    )
