"""Path attribution on a plain table of paths: no workspace, no org, one row per path.

import leadline

leadline.paths(["Search > Mail", "Mail"], [3, 1], nulls=[5, 2], model="markov").to_pandas()
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from leadline.maths.paths.models import Options
from leadline.path_table.answer import answer
from leadline.path_table.reading import Columns, columns_of, from_arrays, from_file
from leadline.path_table.transitions import transitions as chain_of
from leadline.results import Result

__all__ = ["Columns", "Options", "columns_of", "paths", "paths_of_file"]


def paths(
    paths: Sequence[str] | Sequence[Sequence[str]] | Any,
    conversions: Sequence[float] | Any,
    *,
    value: Sequence[Any] | Any | None = None,
    nulls: Sequence[float] | Any | None = None,
    model: str | Sequence[str] = "markov",
    separator: str = " > ",
    currency: str = "",
    options: Options | None = None,
    intervals: bool = False,
    transitions: bool = False,
) -> Result:
    """Credit of each state on paths, by one model or several.

    Args:
        paths: one text per path, its states parted by `separator`, or one list of states per path;
            lists, arrays of NumPy or columns of Arrow. Blanks around a name are not part of it.
        conversions: how often each path converted.
        value: what its conversions are worth in all, in major units; numbers or decimals.
        nulls: how often it did not convert.
        model: a name of `leadline.maths.paths.models.TEXTS`, or several.
        separator: between the states of a text.
        currency: decides the decimals of `value`; two without it.
        options: order, removal and whatever else a model can be told.
        intervals: also bootstrap intervals of the shares, 200 draws of the paths, 5th to 95th percentile.
        transitions: in place of credit the chain of `markov` itself: what comes after what, and how paths end.

    Returns:
        Rows `state, conversions, value, share, effect`, the largest first; both sums are those of the
        input, exactly. Paths without a state stand in a row without one.

    Raises:
        UsageError: arrays of different lengths, numbers that make no sense, an unknown model or option.
    """
    names, told = [model] if isinstance(model, str) else list(model), options or Options()
    table = from_arrays(paths, conversions, value, nulls, separator, currency)
    return chain_of(table, told) if transitions else answer(table, names, told, intervals)


def paths_of_file(
    file: Path,
    columns: Columns,
    *,
    model: str | Sequence[str] = "markov",
    separator: str = " > ",
    delimiter: str = ",",
    encoding: str | None = None,
    currency: str = "",
    options: Options | None = None,
    intervals: bool = False,
    transitions: bool = False,
) -> Result:
    """The same for the columns of a CSV file.

    Raises:
        SourceError: the file, or a row of it, cannot be read; the message names line and column.
        UsageError: a column that is not there, or what `paths` raises.
    """
    names, told = [model] if isinstance(model, str) else list(model), options or Options()
    table = from_file(file, columns, separator, delimiter, encoding, currency)
    return chain_of(table, told) if transitions else answer(table, names, told, intervals)
