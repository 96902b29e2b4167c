"""Files of Salesforce records → a staged load: the one way in for exports of every kind.

Whatever lies at a path – a folder, a ZIP, the parts of a weekly export, one file – is named
(`naming`), read as text (`csv_reader`, `parquet_reader`), typed and counted (`stage_file`), made
unique by Id (`stage_object`) and dated (`extracted`). Nothing is sniffed: what is not declared is
either unmistakable and said in a note, or refused with the option that settles it.
"""

from __future__ import annotations

import datetime as dt
import zoneinfo
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from leadline.config import FileMap, Settings
from leadline.errors import SourceError, did_you_mean
from leadline.findings import Finding
from leadline.schema import OBJECTS
from leadline.sources import manifest
from leadline.sources.archives import Listing, SourceFile, list_files
from leadline.sources.batches import Reader
from leadline.sources.csv_reader import CsvReader
from leadline.sources.csv_segment import REPORT_FOOTER
from leadline.sources.dates_in import DateOrder
from leadline.sources.extracted import extraction, stamp_fields
from leadline.sources.file_task import FileTask
from leadline.sources.naming import is_of, map_of, name_columns, object_of
from leadline.sources.numbers_in import Style
from leadline.sources.parquet_reader import ParquetReader
from leadline.sources.rejects import RejectFile
from leadline.sources.stage_object import ObjectResult, ObjectStage, Progress, typing_connection
from leadline.sources.staged import Coverage, FileAccount, StagedLoad

_NAMED: Final = "named after"
_SPOKEN: Final[dict[str, Style]] = {",": "comma", ".": "point"}


@dataclass(frozen=True, slots=True)
class _Options:
    """What holds for every file that has no map of its own saying otherwise."""

    settings: Settings
    staging: Path
    rejected: Path
    date_order: DateOrder | None
    encoding: str | None
    timezone: str | None


@dataclass
class _Sorted:
    """Files by what is done with them."""

    tasks: dict[str, list[FileTask]] = field(default_factory=dict)
    passed: list[FileAccount] = field(default_factory=list)
    stated: dict[str, int] = field(default_factory=dict)


def stage(
    path: Path | Sequence[Path],
    settings: Settings,
    *,
    staging: Path,
    rejected: Path,
    date_order: DateOrder | None = None,
    encoding: str | None = None,
    timezone: str | None = None,
    extracted_at: dt.datetime | None = None,
    coverage: Coverage | None = None,
    progress: Progress | None = None,
) -> StagedLoad:
    """Read and type everything at `path`.

    Args:
        path: a folder, a ZIP archive or a file (CSV, Parquet), or several of them that are one export.
        settings: for `files` (column maps), the reporting zone and the funnel's stamps.
        staging: folder for the typed Parquet files.
        rejected: folder for the files of rejected rows.
        date_order: order of day, month and year in dates that are not ISO; a file's map wins.
        encoding: of all CSV files; a file's map wins. Without it UTF-8, a byte-order mark, or what
            is recognised and said.
        timezone: zone of instants that name none; a file's map wins. Without it UTC.
        extracted_at: when the records were taken (aware); without it the records tell.
        coverage: whether absent ids mean deleted records; without it "full" for folders and
            archives, "partial" as soon as one path is a single file.
        progress: hears of rows done per file.

    Raises:
        SourceError: nothing is recognised, a file cannot be read as asked, or every row is rejected.
        AmbiguousDatesError: dates whose day and month cannot be told apart.
    """
    options = _Options(settings, staging, rejected, date_order, encoding, _known_zone(timezone))
    staging.mkdir(parents=True, exist_ok=True)
    paths = [path] if isinstance(path, Path) else list(path)
    listing = list_files(*paths)
    found = _sort(listing, options)
    name = _named(paths)
    if not found.tasks:
        raise _nothing_recognised(name, listing, found)
    try:
        with typing_connection(staging) as con:
            results = [
                ObjectStage(con, of, tasks, staging, progress).run() for of, tasks in sorted(found.tasks.items())
            ]
            objects = [result.staged for result in results]
            refusal = _all_rejected(name, results)
            if refusal is None:
                moment, evidence = _declared(extracted_at) if extracted_at else extraction(con, objects, settings)
    except BaseException:
        # Nothing is loaded, so nothing is left that would look like the account of a load.
        for task in (one for tasks in found.tasks.values() for one in tasks):
            task.rejects.discard()
        raise
    if refusal is not None:
        raise refusal
    coverage = coverage or ("full" if listing.whole else "partial")
    accounts = _accounts(listing, found, results)
    return StagedLoad(
        objects=tuple(objects),
        accounts=manifest.agreed(accounts, found.stated),
        extracted_at=moment,
        extracted_at_evidence=evidence,
        coverage=coverage,
        name=name,
        findings=(*_findings(listing, results, coverage), *manifest.differences(accounts, found.stated)),
    )


def _named(paths: Sequence[Path]) -> str:
    """What messages call the load: the name of its path, of several the first few."""
    names = [path.name or str(path) for path in paths]
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return ", ".join(names[:3]) + more


def _all_rejected(path: str, results: list[ObjectResult]) -> SourceError | None:
    """The refusal of a load without a single row; the files of rejected rows are kept for it."""
    accounts = [account for result in results for account in result.accounts]
    faulty = [account for account in accounts if account.rejected]
    if not faulty or any(account.loaded for account in accounts):
        return None
    told = "; ".join(f"{account.file}: {account.notes[-1]}" for account in faulty)
    return SourceError(f"Every row of {path} was rejected, nothing was imported. {told}.")


def _declared(extracted_at: dt.datetime) -> tuple[dt.datetime, str]:
    zoned = extracted_at if extracted_at.tzinfo else extracted_at.replace(tzinfo=dt.UTC)
    return zoned.astimezone(dt.UTC), "declared with --extracted-at"


def _known_zone(timezone: str | None) -> str | None:
    if timezone is not None and timezone not in zoneinfo.available_timezones():
        near = did_you_mean(timezone, zoneinfo.available_timezones())
        raise SourceError(f"There is no time zone {timezone!r}.{near} Write a name such as Europe/Berlin.")
    return timezone


def _sort(listing: Listing, options: _Options) -> _Sorted:
    found = _Sorted()
    for source in listing.files:
        file_map = map_of(source.base, options.settings.files)
        name = file_map.object if file_map else object_of(source.base)
        if file_map is None and manifest.is_manifest(source) and (said := manifest.stated(source)) is not None:
            found.stated |= said
            notes = (f"states how many rows {len(said):,} files have",)
            found.passed.append(FileAccount(source.name, None, 0, 0, 0, notes=notes))
        elif name is None:
            found.passed.append(_passed_over(source, "no object is called like this and no map names it", options))
        else:
            _sort_named(source, name, file_map, options, found)
    return found


def _sort_named(source: SourceFile, name: str, file_map: FileMap | None, options: _Options, found: _Sorted) -> None:
    """Sort a file that is called like an object or mapped to one."""
    reader = _reader(source, file_map, options)
    if not reader.names:
        found.passed.append(FileAccount(source.name, None, 0, 0, 0, notes=("passed over: the file is empty",)))
    elif file_map is None and not is_of(name, reader.names):
        why = (
            f"{_NAMED} {name}, but none of its columns is a field of it and no map names it{_first_line(reader.names)}"
        )
        found.passed.append(_passed_over(source, why, options))
    else:
        found.tasks.setdefault(name, []).append(_task(source, name, reader, file_map, options))


def _first_line(names: list[str]) -> str:
    """What a header of a single column looks like: often a whole line within quotes, or another delimiter."""
    return f" (its only column is {names[0][:60]!r})" if len(names) == 1 else ""


def _reader(source: SourceFile, file_map: FileMap | None, options: _Options) -> Reader:
    if source.is_parquet:
        return ParquetReader(source, options.staging)
    if file_map is None:
        return CsvReader(source, encoding=options.encoding)
    return CsvReader(source, delimiter=file_map.delimiter, encoding=file_map.encoding or options.encoding)


def _task(source: SourceFile, name: str, reader: Reader, file_map: FileMap | None, options: _Options) -> FileTask:
    own = file_map or FileMap(object=name)
    if own.decimal and source.is_parquet:
        raise SourceError(
            f"{source.name} is Parquet, whose numbers have no decimal mark to declare. Remove decimal from the table "
            f'[files."{source.base}"] of leadline.toml.'
        )
    return FileTask(
        source=source,
        reader=reader,
        naming=name_columns(name, reader.names, file_map, source.name),
        order=own.date_order or options.date_order,
        zone=_known_zone(own.timezone) or options.timezone,
        decimal=_SPOKEN[own.decimal] if own.decimal else None,
        rejects=RejectFile(options.rejected, source.name),
        stamps=stamp_fields(name, options.settings),
    )


def _passed_over(source: SourceFile, why: str, options: _Options) -> FileAccount:
    """The account of a file that is left alone: its rows are counted, and all of them are rejected."""
    try:
        rows = _reader(source, None, options).count()
    except SourceError as fault:
        return FileAccount(
            source.name, None, 0, 0, 0, notes=(f"passed over: {why}; its rows were not counted: {fault}",)
        )
    return FileAccount(source.name, None, rows, 0, rows, notes=(f"passed over: {why}; {rows:,} rows were not loaded",))


def _nothing_recognised(path: str, listing: Listing, found: _Sorted) -> SourceError:
    names = [account.file for account in found.passed] + [name for name, _ in listing.passed]
    shown = ", ".join(names[:12]) + (", …" if len(names) > 12 else "") or "nothing"
    example = next((source.base for source in listing.files), "sales_pipeline.csv")
    named = [
        f"{one.file} is {one.notes[0].removeprefix('passed over: ')}"
        for one in found.passed
        if _NAMED in str(one.notes)
    ]
    return SourceError(
        f"Nothing in {path} is recognised as records of Salesforce. Found: {shown}. {'. '.join([*named[:3], ''])}"
        f"Files are named after their object ({', '.join(list(OBJECTS)[:6])}, …), as Lead.csv or Leads.csv, and have "
        "its fields as columns, by name or label; others need a map in leadline.toml: "
        f'[files."{example}"] object = "{object_of(example) or "Opportunity"}", columns = {{ Id = "opportunity_id" }}.'
    )


def _accounts(listing: Listing, found: _Sorted, results: list[ObjectResult]) -> tuple[FileAccount, ...]:
    """Accounts of all that was found, in the order in which it lies there."""
    accounts = {account.file: account for result in results for account in result.accounts}
    accounts |= {account.file: account for account in found.passed}
    ordered = [accounts[source.name] for source in listing.files]
    ordered += [FileAccount(name, None, 0, 0, 0, notes=(f"passed over: {why}",)) for name, why in listing.passed]
    return tuple(ordered)


def _findings(listing: Listing, results: list[ObjectResult], coverage: Coverage) -> list[Finding]:
    found = []
    if listing.missing_parts:
        deleted = " With full coverage their records would count as deleted." if coverage == "full" else ""
        found.append(
            Finding(
                code="export-part-missing",
                severity="error",
                message=f"The weekly export lacks {', '.join(listing.missing_parts)}.{deleted}",
                moves=("volume", "conversion", "velocity", "influence"),
                remedy="Download the missing parts and import all of them together.",
            )
        )
    for result in results:
        for account, reasons in zip(result.accounts, result.reasons, strict=True):
            if reasons - {REPORT_FOOTER}:
                found.append(
                    Finding(
                        code="rows-rejected",
                        severity="warning",
                        message=f"{account.file}: {account.notes[-1]}.",
                        object=result.staged.object,
                        rows=account.rejected,
                        moves=("volume", "conversion", "velocity", "influence"),
                        remedy=f"Correct the rows listed in {account.rejected_file} and import the file again.",
                    )
                )
    return found
