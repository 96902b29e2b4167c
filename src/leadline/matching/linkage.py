"""How probable it is that two records are one person: the model of Fellegi and Sunter, run by Splink.

Nothing else of Leadline knows Splink. Each pair that shares a key is compared in four respects; how
much an agreement says depends on how often it is met among other people of this org (a common name
says less) and on how often it is met between records of one person, which is stated here. Nothing
is trained, nothing is drawn by lot: the same records give the same pairs, in any order of rows.
"""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from leadline import engines
from leadline.errors import SnapshotError

if TYPE_CHECKING:
    import pyarrow as pa

KEYS: Final = ("key_email", "key_name", "key_given", "key_host")
"""Columns of which two records must share one to be compared."""

COMPARED: Final = ("first", "last", "employer", "email")
"""Columns whose frequencies in the org weigh an agreement."""

EXPECTED_COPIES: Final = 0.05
"""Second records per person that are expected before anything is compared: one in twenty."""

MEMORY: Final = "2GB"
"""Of the engine that compares; the snapshot's own stands beside it."""

_ROUNDED: Final = 4
_LEAST: Final = 1e-9

# Per respect: condition, how often it holds for two records of one person, how often for two others,
# and what it says. An equal value has no frequency for others here: the org's own takes its place.
_RESPECTS: Final[dict[str, tuple[str, tuple[tuple[str, float, float, str], ...]]]] = {
    "given": (
        "first",
        (
            ("=", 0.80, 0.01, "same first name"),
            (
                "least(length(first_l), length(first_r)) = 1 AND left(first_l, 1) = left(first_r, 1)",
                0.06,
                0.001,
                "initial of the first name",
            ),
            ("jaro_winkler_similarity(first_l, first_r) >= 0.92", 0.07, 0.002, "similar first name"),
            ("", 0.07, 0.987, "other first name"),
        ),
    ),
    "family": (
        "last",
        (
            ("=", 0.83, 0.01, "same last name"),
            (
                "damerau_levenshtein(last_l, last_r) <= 1 AND greatest(length(last_l), length(last_r)) >= 4",
                0.12,
                0.001,
                "last name one letter off",
            ),
            ("", 0.05, 0.989, "other last name"),
        ),
    ),
    "work": (
        "employer",
        (
            ("=", 0.80, 0.001, "same employer"),
            ("host_l = host_r OR account_id_l = account_id_r", 0.10, 0.0005, "same domain or account"),
            ("", 0.10, 0.9985, "other employer"),
        ),
    ),
    "mail": (
        "email",
        (
            ("=", 0.30, 0.000001, "same e-mail"),
            (
                "local_l = local_r AND length(local_l) >= 6",
                0.15,
                0.0005,
                "same e-mail name at another domain",
            ),
            ("", 0.55, 0.999499, "other e-mail"),
        ),
    ),
}

RESPECTS: Final = tuple(_RESPECTS)
"""Columns of the answer: 0 is disagreement, more is more alike, −1 that one side has no value."""


def words(respect: str) -> dict[int, str]:
    """What each level of a column of the answer says."""
    levels = _RESPECTS[respect][1]
    return {len(levels) - 1 - place: text for place, (*_, text) in enumerate(levels)}


def pairs(records: pa.Table, people: int, least: float, spill: Path | None = None) -> pa.Table:
    """Pairs of records that are one person with at least this probability.

    Args:
        records: person_id, first, last, employer, email, local, host, account_id and `KEYS`, all text;
            n_first, n_last, n_employer, n_email: how many people of the org have that value.
        people: how many there are in the org, those without any key too.
        least: probability, 0.5 and more.
        spill: folder for what does not fit into memory.

    Returns:
        person_id, other_id (person_id < other_id), probability_parts (millionths) and `RESPECTS`, ordered by ids.

    Raises:
        SnapshotError: the pairs do not fit into memory and the spill folder.
    """
    import duckdb
    from splink.internals.exceptions import SplinkException

    with engines.writer(":memory:", MEMORY, spill=spill) as con:
        con.register("people", records)
        try:
            return con.sql(_ordered(_predicted(con, people, least))).to_arrow_table()
        except (SplinkException, duckdb.Error) as fault:
            raise SnapshotError(
                f"{len(records):,} people share a name or an address with another one, and comparing them failed "
                f"({str(fault.__cause__ or fault).splitlines()[0]}). Free memory or disk and build again, or set "
                "[matching] duplicates = false."
            ) from fault


def _predicted(con: Any, people: int, least: float) -> str:
    """Name of the table of pairs that Splink made."""
    from splink.backends.duckdb import DuckDBAPI

    api = DuckDBAPI(con)
    linker = _linker(api, people)
    for column in COMPARED:
        con.execute(_frequencies(column, people))
        linker.table_management.register_term_frequency_lookup(api.register(f"tf_of_{column}"), column)
    found = linker.inference.predict(threshold_match_probability=least, warning_mode="never")
    return str(found.physical_name)


def _linker(api: Any, count: int) -> Any:
    from splink import Linker, SettingsCreator, block_on

    # Splink reports its steps to whoever listens; here nobody does, and it must not write to stderr.
    logging.getLogger("splink").addHandler(logging.NullHandler())
    settings = SettingsCreator(
        link_type="dedupe_only",
        unique_id_column_name="person_id",
        comparisons=[_comparison(name) for name in RESPECTS],
        blocking_rules_to_generate_predictions=[block_on(key) for key in KEYS],
        probability_two_random_records_match=min(0.5, 2 * EXPECTED_COPIES / max(count - 1, 1)),
        retain_matching_columns=True,
        retain_intermediate_calculation_columns=False,
    )
    return Linker(api.register("people"), settings, log_level=None, validate_settings=False)


def _comparison(name: str) -> Any:
    from splink import comparison_level_library as levels
    from splink import comparison_library

    column, stated = _RESPECTS[name]
    made: list[Any] = [levels.NullLevel(column)]
    for condition, same, others, text in stated:
        level: Any = levels.CustomLevel(condition) if condition else levels.ElseLevel()
        if condition == "=":
            level = levels.ExactMatchLevel(column, term_frequency_adjustments=True)
        made.append(level.configure(m_probability=same, u_probability=others, label_for_charts=text))
    return comparison_library.CustomComparison(output_column_name=name, comparison_levels=made)


def _frequencies(column: str, count: int) -> str:
    """The chance that another person has the same value: of a value that n have, n − 1 of all others."""
    return (
        f'CREATE TABLE "tf_of_{column}" AS SELECT "{column}", '
        f'greatest((any_value("n_{column}") - 1) / {max(count - 1, 1)}, {_LEAST}) AS "tf_{column}" '
        f'FROM people WHERE "{column}" IS NOT NULL GROUP BY "{column}"'
    )


def _ordered(table: str) -> str:
    levels = ", ".join(f"gamma_{name}::BIGINT AS {name}" for name in RESPECTS)
    return (
        "SELECT least(person_id_l, person_id_r) AS person_id, greatest(person_id_l, person_id_r) AS other_id, "
        f"(round(match_probability, {_ROUNDED}) * 1000000)::BIGINT AS probability_parts, {levels} FROM {table} ORDER BY person_id, other_id"
    )
