"""Records as files: CSV as the API gives it, CSV as the weekly export gives it, Parquet."""

from __future__ import annotations

import shutil
import zipfile
from pathlib import Path
from typing import Final, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq
from numpy.typing import NDArray

from leadline.demo.ids import fixed_width
from leadline.schema import OBJECTS

Format = Literal["csv", "parquet", "export-zip"]

NOT_EXPORTED: Final = frozenset(
    {
        "Organization", "CampaignMemberStatus", "OpportunityStage", "LeadStatus", "CampaignInfluenceModel",
        "LeadHistory", "ContactHistory", "OpportunityFieldHistory",
    }
)  # fmt: skip
"""Objects that the weekly export has no file for."""

_NOT_EXPORTED_FIELDS: Final[dict[str, frozenset[str]]] = {
    "Lead": frozenset({"Name"}),
    "Contact": frozenset({"Name"}),
    "User": frozenset({"Name"}),
    "OpportunityContactRole": frozenset({"IsPrimary"}),
    "CampaignMember": frozenset({"LastModifiedById", "Type"}),
    "CampaignInfluence": frozenset({"RevenueShare"}),
    "Event": frozenset({"StartDateTime", "EndDateTime"}),
}
_EMPTY_LOOKUP: Final = "000000000000000AAA"
_BLANK_LOOKUPS: Final = frozenset({"MasterRecordId", "AccountId", "CreatedById"})
_DAY_MS: Final = 86_400_000
_DAYS: Final = 60_000
_BATCH: Final = 65_536


def _two(number: int) -> str:
    return f"{number:02d}"


def _clock_texts() -> NDArray[np.uint8]:
    texts = "".join(f"{_two(n // 3600)}:{_two(n // 60 % 60)}:{_two(n % 60)}" for n in range(86_400))
    return np.frombuffer(texts.encode(), np.uint8).reshape(86_400, 8)


def _day_texts() -> NDArray[np.uint8]:
    days = np.datetime_as_string(np.arange(_DAYS).astype("datetime64[D]"))
    return np.frombuffer("".join(days.tolist()).encode(), np.uint8).reshape(_DAYS, 10)


_FRACTIONS: Final = pa.array([f"{n:03d}".rstrip("0") or "0" for n in range(1000)])


class Texts:
    """Arrow columns as the text of one format."""

    def __init__(self, export: bool) -> None:
        self.export = export
        self._days, self._times = _day_texts(), _clock_texts()

    def table(self, object_name: str, table: pa.Table) -> pa.Table:
        """A table of the same rows whose columns are ready for the CSV writer."""
        hidden = _NOT_EXPORTED_FIELDS.get(object_name, frozenset()) if self.export else frozenset()
        columns = {
            name: self._column(object_name, name, table[name]) for name in table.column_names if name not in hidden
        }
        return pa.table(columns)

    def _column(self, object_name: str, name: str, column: pa.ChunkedArray) -> pa.Array:
        whole = column.combine_chunks()
        values = pa.concat_arrays(whole.chunks) if isinstance(whole, pa.ChunkedArray) else whole
        text = self._text(values)
        if not self.export:
            return text
        return text.cast(pa.string()).fill_null(self._empty(object_name, name))

    def _empty(self, object_name: str, name: str) -> str:
        lookup = OBJECTS[object_name].get(name) == "id" and name not in _BLANK_LOOKUPS
        return _EMPTY_LOOKUP if lookup else ""

    def _text(self, values: pa.Array) -> pa.Array:
        if pa.types.is_timestamp(values.type):
            return self._instants(values)
        if pa.types.is_decimal(values.type):
            return _decimal_text(values)
        if self.export and pa.types.is_date32(values.type):
            return pc.binary_join_element_wise(values.cast(pa.string()), "00:00:00", " ")
        if self.export and pa.types.is_boolean(values.type):
            return values.cast(pa.int8()).cast(pa.string())
        if pa.types.is_floating(values.type):
            return pa.array([None if v is None else f"{v:g}" for v in values.unique().to_pylist()], pa.string()).take(
                pc.index_in(values, values.unique())
            )
        return values

    def _instants(self, values: pa.Array) -> pa.Array:
        """`2026-01-05T10:00:00.000Z`, in the export `2026-01-05 10:00:00`."""
        tail = b"" if self.export else b".000Z"
        milliseconds = np.asarray(values.cast(pa.int64()).fill_null(0))
        day, rest = np.divmod(milliseconds, _DAY_MS)
        out = np.empty((len(values), 19 + len(tail)), np.uint8)
        out[:, :10] = self._days[day]
        out[:, 10] = ord(" " if self.export else "T")
        out[:, 11:19] = self._times[rest // 1000]
        out[:, 19:] = np.frombuffer(tail, np.uint8)
        return fixed_width(out, np.asarray(values.is_valid()))


def _decimal_text(values: pa.Array) -> pa.Array:
    """Decimals without superfluous zeros but one: 26000.0, 1234.57."""
    scale = 10**values.type.scale
    words = np.frombuffer(values.buffers()[1], np.int64).reshape(-1, 2)[values.offset : values.offset + len(values), 0]
    whole, part = np.divmod(words, scale)
    digits = _FRACTIONS if scale == 1000 else pa.array([f"{n:04d}".rstrip("0") or "0" for n in range(scale)])
    text = pc.binary_join_element_wise(pa.array(whole).cast(pa.string()), digits.take(pa.array(part)), ".")
    return pc.if_else(values.is_valid(), text, pa.scalar(None, pa.string()))


def _csv_options(export: bool) -> pa_csv.WriteOptions:
    return pa_csv.WriteOptions(quoting_style="all_valid" if export else "needed", batch_size=_BATCH)


class CsvFolder:
    """A folder of `Object.csv`, values as the API gives them."""

    def __init__(self, folder: Path, export: bool = False) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self._texts = Texts(export)
        self._options = _csv_options(export)
        self._open: dict[str, pa_csv.CSVWriter] = {}
        self.paths: dict[str, list[Path]] = {}

    def write(self, object_name: str, table: pa.Table) -> None:
        """Append records to the file of their object."""
        texts = self._texts.table(object_name, table)
        if object_name not in self._open:
            path = self.folder / f"{object_name}.csv"
            self._open[object_name] = pa_csv.CSVWriter(path, texts.schema, write_options=self._options)
            self.paths[object_name] = [path]
        self._open[object_name].write_table(texts)

    def close(self) -> None:
        """Finish every file."""
        for writer in self._open.values():
            writer.close()


class ParquetFolder:
    """A folder of `Object.parquet`, values typed."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self._open: dict[str, pq.ParquetWriter] = {}
        self.paths: dict[str, list[Path]] = {}

    def write(self, object_name: str, table: pa.Table) -> None:
        """Append records to the file of their object."""
        if object_name not in self._open:
            path = self.folder / f"{object_name}.parquet"
            self._open[object_name] = pq.ParquetWriter(path, table.schema)
            self.paths[object_name] = [path]
        self._open[object_name].write_table(table)

    def close(self) -> None:
        """Finish every file."""
        for writer in self._open.values():
            writer.close()


class ExportZip:
    """The weekly export: two ZIPs, `CampaignMember.csv` split over both, no deleted rows."""

    def __init__(self, folder: Path, organization: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._parts = folder / "parts"
        self._csv = (CsvFolder(self._parts / "1", export=True), CsvFolder(self._parts / "2", export=True))
        self._zips = tuple(folder / f"WE_{organization}_{number}.ZIP" for number in (1, 2))
        self.paths: dict[str, list[Path]] = {}

    def write(self, object_name: str, table: pa.Table) -> None:
        """Append the records that an export would hold."""
        if object_name in NOT_EXPORTED:
            return
        if "IsDeleted" in table.column_names:
            table = table.filter(pc.invert(table["IsDeleted"]))
        if object_name == "CampaignMember":
            half = (len(table) + 1) // 2
            self._csv[0].write(object_name, table.slice(0, half))
            self._csv[1].write(object_name, table.slice(half))
        else:
            self._csv[0 if object_name in OBJECTS and object_name < "Lead" else 1].write(object_name, table)

    def close(self) -> None:
        """Pack the files into the ZIPs and remove them."""
        for part, archive in zip(self._csv, self._zips, strict=True):
            part.close()
            with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as zipped:
                for object_name, paths in sorted(part.paths.items()):
                    self.paths.setdefault(object_name, []).append(archive)
                    for path in paths:
                        _pack(zipped, path)
                        path.unlink()
            part.folder.rmdir()
        self._parts.rmdir()


def _pack(zipped: zipfile.ZipFile, path: Path) -> None:
    """Add a file without its moment, so that the same org gives the same archive."""
    entry = zipfile.ZipInfo(path.name)
    entry.compress_type = zipfile.ZIP_DEFLATED
    with path.open("rb") as source, zipped.open(entry, "w", force_zip64=True) as target:
        shutil.copyfileobj(source, target, 1 << 20)


Writer = CsvFolder | ParquetFolder | ExportZip


def open_writer(folder: Path, kind: Format, organization: str) -> Writer:
    """The writer of a format into a folder, which is made if needed."""
    if kind == "csv":
        return CsvFolder(folder)
    if kind == "parquet":
        return ParquetFolder(folder)
    return ExportZip(folder, organization)
