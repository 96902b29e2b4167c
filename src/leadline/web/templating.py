"""Templates: everything from data is escaped and cleaned, words and numbers come in the reader's language."""

from __future__ import annotations

import functools
import hashlib
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from markupsafe import Markup

from leadline.render.present import clean, label
from leadline.web import locale, phrases


def folder(name: str) -> Path:
    """A folder of files that come with the package."""
    place: Traversable = resources.files("leadline.web").joinpath(name)
    return Path(str(place))


@functools.cache
def environment() -> Environment:
    """The templates of the package; what is not escaped by hand is escaped here."""
    made = Environment(
        loader=FileSystemLoader(folder("templates")),
        autoescape=select_autoescape(default=True, default_for_string=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_shown,
        auto_reload=False,
    )
    locale.install(made)
    made.filters.update({"label": _label, "headline": _headline, "phrase": phrases.phrase, "drawing": phrases.drawing})
    made.globals["static"] = static
    made.globals["sql_text"] = _lines
    return made


@functools.cache
def static(name: str) -> str:
    """The address of a file of the page itself; it changes with what the file holds."""
    path = folder("static") / name
    return f"/static/{name}?v={hashlib.sha256(path.read_bytes()).hexdigest()[:12]}"


def _label(name: str) -> str:
    """A name of the program in words of the reader's language."""
    return locale.gettext(label(name))


def _headline(code: str) -> str:
    """The code of a check as a heading: "duplicate-email" as "Duplicate email"."""
    return locale.gettext(clean(code.replace("-", " ").capitalize()))


def _lines(text: str) -> Markup:
    """Text of several lines, each one cleaned and escaped."""
    return Markup("\n").join(clean(line) for line in text.splitlines())


def _shown(value: Any) -> Any:
    """Text of data without control characters or marks that turn the writing direction; None as nothing."""
    if value is None:
        return ""
    return clean(value) if isinstance(value, str) and not isinstance(value, Markup) else value
