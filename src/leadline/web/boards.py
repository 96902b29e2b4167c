"""Boards: cards that a team arranged, and views it saved, one readable TOML file each in `boards/` of the workspace.

title = "Monday"

[[cards]]
title = "Volume by type"
ask = "volume?by=campaign_type"
show = "chart"
"""

from __future__ import annotations

import hashlib
import re
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, ValidationError

from leadline import charts
from leadline.address import parse
from leadline.config import TomlTable
from leadline.config_faults import Fault, all_faults
from leadline.errors import ConfigError, UnknownNameError, UsageError, did_you_mean
from leadline.web import tomltext
from leadline.workspace.imports import write_config

FOLDER = "boards"
"""Folder of a workspace that holds them."""

ENDING = ".toml"
MOST_CARDS = 24
"""Cards of one board: more would not be read, and each asks a question."""

PAGES = ("overview", "funnel", "velocity", "influence", "trust")
"""Pages whose views can be saved."""

Show = Literal["number", "chart", "table"]

_NAME = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
_CHARTS = sorted({name for names in charts.NAMES.values() for name in names})
_HEAD = "# A board of the dashboard; edit it here or there.\n"


class Card(TomlTable):
    """One card: a question, and how its answer is shown."""

    title: str = Field("", max_length=200, description="What stands above it")
    ask: str = Field(
        min_length=1, max_length=2000, description="Address of a table, or of a number for show = 'number'"
    )
    show: Show = Field("table", description="number, chart or table")
    chart: str = Field("", description="Which chart; the usual one without")
    wide: bool = Field(False, description="Whether it takes the whole width")

    @classmethod
    def _table_faults(cls, table: dict[str, Any]) -> Iterator[Fault]:
        asked = table.get("ask")
        if isinstance(asked, str) and asked:
            try:
                address = parse(asked)
            except UsageError as fault:
                yield "ask", str(fault)
            else:
                if table.get("show") == "number" and not address.column:
                    yield "ask", "names a whole table; a number stands behind '#', e.g. volume#count@stage=Won"
        chart = table.get("chart")
        if isinstance(chart, str) and chart and chart not in _CHARTS:
            yield "chart", f"is no chart.{did_you_mean(chart, _CHARTS)}"


class Board(TomlTable):
    """All of one file: a board has cards, a saved view has a page."""

    title: str = Field(min_length=1, max_length=200)
    note: str = Field("", max_length=2000, description="A sentence or two for its readers")
    page: str = Field("", description="Of a saved view: the page it is of")
    query: str = Field("", max_length=4000, description="Of a saved view: the state of the page")
    cards: list[Card] = Field(default_factory=list)

    @classmethod
    def _table_faults(cls, table: dict[str, Any]) -> Iterator[Fault]:
        page, cards = table.get("page", ""), table.get("cards", [])
        if page and page not in PAGES:
            yield "page", f"must be one of {', '.join(PAGES)}.{did_you_mean(str(page), PAGES)}"
        if page and cards:
            yield "cards", "a saved view has none: it is the page itself"
        if isinstance(cards, list) and len(cards) > MOST_CARDS:
            yield "cards", f"are {len(cards)}; a board has at most {MOST_CARDS}"

    @property
    def link(self) -> str:
        """Where a saved view leads; empty for a board."""
        if not self.page:
            return ""
        path = "/" if self.page == "overview" else f"/{self.page}"
        return f"{path}?{self.query}" if self.query else path


@dataclass(frozen=True, slots=True)
class Kept:
    """A board as its file holds it.

    Attributes:
        name: of the file, without its ending.
        version: tells one state of the file from another.
        board: what it says, or None where it has faults.
        faults: what is wrong with it.
    """

    name: str
    version: str
    board: Board | None
    faults: tuple[str, ...] = ()

    @property
    def title(self) -> str:
        """Its title, else its name."""
        return self.name if self.board is None else self.board.title


class Boards:
    """The boards of a workspace; `folder` is that of the workspace."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / FOLDER

    def all(self) -> tuple[Kept, ...]:
        """Every board by title, those with faults too."""
        paths = self.folder.glob(f"*{ENDING}") if self.folder.is_dir() else ()
        found = [self._read(path) for path in paths if _NAME.fullmatch(path.stem)]
        return tuple(sorted(found, key=lambda one: (one.title.casefold(), one.name)))

    def get(self, name: str) -> Kept:
        """One board.

        Raises:
            UnknownNameError: there is no such board.
        """
        path = self.folder / f"{name}{ENDING}"
        if not _NAME.fullmatch(name) or not path.is_file():
            raise UnknownNameError("board", name, [one.name for one in self.all()])
        return self._read(path)

    def free_name(self, title: str) -> str:
        """A name for a new file."""
        base = name = tomltext.file_name(title)
        taken = 1
        while (self.folder / f"{name}{ENDING}").exists():
            taken += 1
            name = f"{base}-{taken}"
        return name

    def save(self, name: str, board: Board, *, version: str | None = None) -> Path:
        """Write a board; `version` is the state that was edited, None for a new file.

        Raises:
            UsageError: the name cannot be one, or the file has changed meanwhile.
        """
        path = self._path(name)
        there = _version(path.read_bytes()) if path.exists() else None
        if there != version:
            raise UsageError(
                f"The board {name!r} has been changed by somebody else meanwhile; open it anew and change it again."
            )
        self.folder.mkdir(exist_ok=True)
        return write_config(self.folder, written(board), path.name)

    def delete(self, name: str, *, version: str) -> None:
        """Remove a board.

        Raises:
            UsageError: the file has changed meanwhile.
            UnknownNameError: there is no such board.
        """
        if self.get(name).version != version:
            raise UsageError(f"The board {name!r} has been changed by somebody else meanwhile; look at it first.")
        self._path(name).unlink()

    def _path(self, name: str) -> Path:
        if not _NAME.fullmatch(name) or len(name) > 2 * tomltext.LONGEST_NAME:
            raise UsageError(f"{name!r} cannot name a board: write small letters, digits and single dashes.")
        return self.folder / f"{name}{ENDING}"

    def _read(self, path: Path) -> Kept:
        content = path.read_bytes()
        version = _version(content)
        try:
            return Kept(path.stem, version, read(content, path.name))
        except ConfigError as fault:
            return Kept(path.stem, version, None, tuple(fault.faults))


def read(content: bytes, name: str) -> Board:
    """A board from the text of its file.

    Raises:
        ConfigError: it is no TOML, or has unknown keys or wrong values (all listed).
    """
    try:
        return Board.model_validate(tomllib.loads(content.decode("utf-8-sig")))
    except UnicodeDecodeError as error:
        raise ConfigError(name, [f"byte {error.start} is not UTF-8; save the file as UTF-8"]) from error
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(name, [f"is not valid TOML: {error}"]) from error
    except ValidationError as error:
        raise ConfigError(name, all_faults(error, Board)) from error


def written(board: Board) -> str:
    """The text of a board's file."""
    told = board.model_dump(exclude_defaults=True)
    cards = told.pop("cards", [])
    parts = [_HEAD + tomltext.pairs(told), *("[[cards]]\n" + tomltext.pairs(card) for card in cards)]
    return "\n".join(parts)


def moved(cards: Sequence[Card], at: int, by: int) -> list[Card]:
    """The cards with one of them moved up or down; at the ends they stay as they are."""
    order = list(cards)
    to = at + by
    if 0 <= at < len(order) and 0 <= to < len(order):
        order.insert(to, order.pop(at))
    return order


def _version(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:16]
