"""Words, numbers, days and money in the reader's language.

A language is one file, `locales/CODE.po`; English is what stands in the templates themselves.
Which one holds is kept beside the work of a request and not in what is rendered, so that macros
need no context.
"""

from __future__ import annotations

import datetime as dt
import functools
import io
import math
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from decimal import Decimal
from importlib import resources
from importlib.resources.abc import Traversable
from typing import TYPE_CHECKING, Any

from babel import Locale, UnknownLocaleError, numbers
from babel.dates import format_date, format_datetime
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import NullTranslations, Translations
from markupsafe import Markup, escape

from leadline import dates, money
from leadline.render.present import NOTHING, clean, percent

if TYPE_CHECKING:
    from jinja2 import Environment

SOURCE = "en"
"""Language of the templates."""

_ENDING = ".po"
_DAY_END = (23, 59, 59)


@dataclass(frozen=True, slots=True)
class Language:
    """A language a page can be read in.

    Attributes:
        code: what stands in the `lang` of the page, e.g. "en" or "pt-BR".
        locale: how it writes numbers and days.
        words: its catalogue.
    """

    code: str
    locale: Locale
    words: NullTranslations

    @property
    def direction(self) -> str:
        """ltr or rtl."""
        return self.locale.text_direction


def catalogues() -> Traversable:
    """The folder with one catalogue per language."""
    return resources.files("leadline.web").joinpath("locales")


@functools.cache
def languages(folder: Traversable | None = None) -> dict[str, Language]:
    """Languages by code: English, and one for every catalogue of the folder.

    Raises:
        ValueError: a catalogue is named after no language.
    """
    found = {SOURCE: Language(SOURCE, Locale.parse(SOURCE), NullTranslations())}
    place = folder or catalogues()
    for entry in sorted(place.iterdir(), key=lambda one: one.name) if place.is_dir() else ():
        if entry.name.endswith(_ENDING):
            code = entry.name.removesuffix(_ENDING)
            found[code] = Language(code, _locale(code), _catalogue(entry))
    return found


def of(accepted: str | None, known: dict[str, Language] | None = None) -> Language:
    """The language of a reader by the header `Accept-Language`; English where none fits."""
    there = known or languages()
    folded = {code.lower(): code for code in there}
    for wanted in _wanted(accepted or ""):
        for code in (wanted, wanted.partition("-")[0]):
            if code in folded:
                return there[folded[code]]
    return there[SOURCE]


@contextmanager
def speaking(language: Language) -> Iterator[Language]:
    """Write in this language until the block ends."""
    token = _CURRENT.set(language)
    try:
        yield language
    finally:
        _CURRENT.reset(token)


def current() -> Language:
    """The language that is written in now."""
    return _CURRENT.get() or languages()[SOURCE]


def gettext(text: str) -> str:
    """A text of a template in the language at hand."""
    # The entry of the empty text is the head of a catalogue.
    return str(current().words.gettext(text)) if text else ""


def ngettext(one: str, many: str, amount: int) -> str:
    """The form of a text that goes with an amount."""
    return str(current().words.ngettext(one, many, amount))


def count(value: float | None) -> str:
    """A whole number with groups of thousands."""
    if value is None or not math.isfinite(value):
        return NOTHING
    return str(numbers.format_decimal(value, format="#,##0", locale=current().locale))


def number(value: float | None) -> str:
    """A number with one decimal."""
    if value is None or not math.isfinite(value):
        return NOTHING
    return str(numbers.format_decimal(value, format="#,##0.0", locale=current().locale))


def rate(value: float | None) -> str:
    """A share from 0 to 1 as a percentage with one decimal; two below 0.1 %."""
    if value is None or not math.isfinite(value):
        return NOTHING
    if current().code == SOURCE:
        # As tables and charts of the program write it.
        return percent(value)
    pattern = "0.00%" if 0 < abs(value) < 0.001 else "#,##0.0%"
    return str(numbers.format_percent(value, format=pattern, locale=current().locale))


def amount(value: Decimal | str | float | None, currency: str = "") -> str:
    """An amount of major units with the decimal places of its currency, its code behind it."""
    if value is None or value == "" or (isinstance(value, float) and not math.isfinite(value)):
        return NOTHING
    exact = Decimal(str(value))
    # Text comes from the public contract, which writes as many decimals as the currency has.
    places = len(value.partition(".")[2]) if isinstance(value, str) else money.digits(currency)
    pattern = "#,##0" + ("." + "0" * places if places else "")
    text = numbers.format_decimal(exact, format=pattern, locale=current().locale)
    return f"{text} {currency}" if currency else str(text)


def day(value: dt.date | str | None) -> str:
    """A calendar day."""
    if value is None or value == "":
        return NOTHING
    known = dt.date.fromisoformat(value) if isinstance(value, str) else value
    if current().code == SOURCE:
        # The English of the program writes days as ISO does: no reader takes them for another day.
        return known.isoformat()
    return str(format_date(known, format="medium", locale=current().locale))


def last_day(value: dt.date | str | None) -> str:
    """The last day of a period that ends before a day."""
    if value is None or value == "":
        return NOTHING
    known = dt.date.fromisoformat(value) if isinstance(value, str) else value
    return day(known - dt.timedelta(days=1))


def moment(value: dt.datetime | str | None, zone: str = "UTC") -> str:
    """An instant in a zone to the minute; the last second of a day is that day's end."""
    if value is None or value == "":
        return NOTHING
    known = dt.datetime.fromisoformat(value) if isinstance(value, str) else value
    local = dates.in_zone(known, zone)
    if (local.hour, local.minute, local.second) == _DAY_END:
        return gettext("%(day)s (end of day)") % {"day": day(local.date())}
    if current().code == SOURCE:
        return f"{local:%Y-%m-%d %H:%M}"
    return str(format_datetime(local, format="short", locale=current().locale))


def plain(value: Any) -> str:
    """Text from data on one line, without marks that turn the writing direction."""
    return NOTHING if value is None or value == "" else clean(str(value))


def lines(value: str) -> Markup:
    """Text of several lines, each as clean as all other text; what else stands in it is escaped."""
    return Markup("\n").join(escape(clean(line)) for line in value.splitlines())


FILTERS = {
    "said": gettext,
    "count": count,
    "number": number,
    "rate": rate,
    "money": amount,
    "day": day,
    "last_day": last_day,
    "moment": moment,
    "plain": plain,
    "lines": lines,
}
"""Filters of templates by name."""


def install(environment: Environment) -> None:
    """Give templates `_`, `gettext`, `ngettext` and the filters of this module."""
    environment.add_extension("jinja2.ext.i18n")
    install_callables = environment.install_gettext_callables  # type: ignore[attr-defined]  # the extension brings it
    install_callables(gettext, ngettext, newstyle=True)
    environment.filters.update(FILTERS)


_CURRENT: ContextVar[Language | None] = ContextVar("language", default=None)


def _wanted(header: str) -> list[str]:
    """Languages of an `Accept-Language`, the most wanted first."""
    ranked: list[tuple[float, int, str]] = []
    for place, part in enumerate(header.split(",")[:20]):
        code, _, quality = part.strip().lower().partition(";q=")
        try:
            weight = float(quality) if quality else 1.0
        except ValueError:
            continue
        if code and weight > 0:
            ranked.append((-weight, place, code))
    return [code for _, _, code in sorted(ranked)]


def _locale(code: str) -> Locale:
    try:
        return Locale.parse(code, sep="-")
    except (UnknownLocaleError, ValueError) as fault:
        raise ValueError(f"The catalogue {code}{_ENDING} is named after no language.") from fault


def _catalogue(entry: Traversable) -> NullTranslations:
    compiled = io.BytesIO()
    with entry.open("rb") as file:
        write_mo(compiled, read_po(file))
    compiled.seek(0)
    return Translations(compiled)
