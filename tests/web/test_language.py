"""Words and numbers in the reader's language: every text of a template can be translated, a language is a file."""

from __future__ import annotations

import datetime as dt
import html
import re
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import write_po
from markupsafe import Markup

from leadline import workspace
from leadline.web import locale, phrases
from leadline.web.templating import environment, folder
from tests.small_org import built
from tests.web.served import served

TEMPLATES = sorted(folder("templates").rglob("*.html"))
SPOKEN = re.compile(r"[^\W\d_]{2,}")
"""At least two letters in a row: a word."""

NO_WORDS = frozenset(
    {"Leadline", "leadline", "connect", "pull", "Esc", "CSV", "XLSX", "UTC", "toml", "boards", "models", "SQL"}
)
"""Names that are the same in every language."""

TYPED = re.compile(r"leadline [a-z -]+|[a-z_]+\?\S+")
"""A command, or an address of a number: typed the same in every language."""

ATTRIBUTES = re.compile(r'\b(?:aria-label|title|placeholder|alt|data-(?:light|dark|system|slow))="([^"]*)"')
BEGIN, END = "⟦", "⟧"


def loose_texts(source: str) -> list[str]:
    """Texts of a template that no catalogue can reach: words between marks or in attributes a reader meets."""
    said = []
    for _, kind, value in environment().lex(source):
        said.append(value if kind == "data" else "\x00")
    text = re.sub(r"\x00+", "\x00", "".join(said))
    found = [one for one in ATTRIBUTES.findall(text) if "\x00" not in one]
    text = re.sub(r"<(script|style|code|pre|svg)\b.*?</\1>", " ", text, flags=re.DOTALL)
    found += re.sub(r"<[^>]*>", "\x00", text).split("\x00")
    spoken = [one.strip() for one in found if not TYPED.fullmatch(one.strip())]
    return [one for one in spoken if set(SPOKEN.findall(html.unescape(one))) - NO_WORDS]


def test_the_finder_of_loose_texts_finds() -> None:
    assert loose_texts('<p title="Hello">{{ _("x") }} there</p><code>volume</code>') == ["Hello", "there"]
    assert loose_texts('<p title="{{ _("a") }}">{{ _("x") }} {# note #}</p>') == []


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.stem)
def test_every_text_of_a_template_can_be_translated(path: Path) -> None:
    assert loose_texts(path.read_text(encoding="utf-8")) == []


NAMES = ("stage", "Time in stage", "the first visit", "Measured", "campaign type")
"""A column, a card, a choice, a field and a dimension: names of the program, which templates do not hold."""


SENTENCES = {
    "{1} of {2} campaigns with responses have no ActualCost: no ROI.": "ohne Kosten: {1} (alle: {2})",
    "{1} to {2}": "{2} aus {1}",
    "hatched": "schraffiert",
    "rate": "Rate",
}
"""Sentences of the program with places for figures and names, and texts inside drawings."""


def catalogue(place: Path) -> int:
    """Write a second language in which every text stands in brackets; how many texts it has."""
    made = Catalog(locale="de")
    found = extract_from_dir(folder("templates"), method_map=[("**.html", "jinja2.ext:babel_extract")])
    for _, _, message, _, _ in found:
        if isinstance(message, tuple):
            made.add(message[:2], tuple(f"{BEGIN}{one}{END}" for one in message[:2]), flags=["python-format"])
        else:
            made.add(message, f"{BEGIN}{message}{END}", flags=["python-format"])
    for text in NAMES:
        made.add(text, f"{BEGIN}{text}{END}")
    for text, told in SENTENCES.items():
        made.add(text, told)
    place.mkdir(exist_ok=True)
    with (place / "de.po").open("wb") as file:
        write_po(file, made)
    return len(made)


@pytest.fixture
def second(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    count = catalogue(tmp_path / "locales")
    monkeypatch.setattr(locale, "catalogues", lambda: tmp_path / "locales")
    locale.languages.cache_clear()
    yield count
    locale.languages.cache_clear()


def test_a_second_language_is_a_file(second: int, tmp_path_factory: pytest.TempPathFactory) -> None:
    assert second > 200, "the templates have hundreds of texts"
    with served(workspace.open(built(tmp_path_factory.mktemp("language")))) as site:
        client = site.local()
        for path in ("/trust", "/search?q=spring", "/boards", "/models/new", "/data", "/deal/006000000000001AAA"):
            text = client.get(path, headers={"accept-language": "de-AT,de;q=0.9,en;q=0.5"}).text
            assert '<html lang="de" dir="ltr">' in text, path
            assert text.count(BEGIN) == text.count(END) > 20, path
            assert BEGIN not in client.get(path).text, "English stays what it is"
        velocity = client.get("/velocity", headers={"accept-language": "de"}).text
        assert [name for name in NAMES if f"{BEGIN}{name}{END}" not in velocity] == []
        # 41,000.00 in the English of the file, with point and comma changed places in German.
        german = client.get("/deal/006000000000001AAA", headers={"accept-language": "de"}).text
        assert "41.000,00" in german
        assert "41,000.00" not in german


def test_the_most_wanted_language_that_is_there_is_taken(second: int) -> None:
    told = {
        "": "en",
        "fr": "en",
        "de": "de",
        "fr, de-CH;q=0.8": "de",
        "en, de;q=0.9": "en",
        "de;q=0, en": "en",
        "de;q=x": "en",
    }
    assert {header: locale.of(header).code for header in told} == told


def test_numbers_days_and_money_are_written_as_the_language_does(second: int) -> None:
    german = locale.languages()["de"]
    amount, moment = Decimal("-1234.5"), dt.datetime(2026, 3, 31, 14, 5, tzinfo=dt.UTC)
    assert [locale.count(12345), locale.rate(0.1234), locale.number(2.25)] == ["12,345", "12.3 %", "2.2"]
    assert [locale.amount("1234.50", "EUR"), locale.amount(amount, "JPY")] == ["1,234.50 EUR", "-1,234 JPY"]
    assert [locale.day("2026-03-31"), locale.moment(moment, "Europe/Berlin")] == ["2026-03-31", "2026-03-31 16:05"]
    with locale.speaking(german):
        assert [locale.count(12345), locale.rate(0.1234), locale.number(2.25)] == ["12.345", "12,3%", "2,2"]
        assert locale.amount("1234.50", "EUR") == "1.234,50 EUR"
        assert [locale.day("2026-03-31"), locale.day(None)] == ["31.03.2026", "–"]
    assert [locale.count(None), locale.rate(float("nan")), locale.moment("")] == ["–", "–", "–"]


def test_a_catalogue_is_named_after_a_language(tmp_path: Path) -> None:
    (tmp_path / "klingon.po").write_text("")
    with pytest.raises(ValueError, match=r"klingon\.po is named after no language"):
        locale.languages(tmp_path)


def test_sentences_with_figures_and_names_are_texts_of_the_catalogue(second: int) -> None:
    sentence = "6 of 1,041 campaigns with responses have no ActualCost: no ROI."
    assert phrases.phrase(sentence) == sentence, "English stays what it is"
    with locale.speaking(locale.languages()["de"]):
        assert phrases.phrase(sentence) == "ohne Kosten: 6 (alle: 1,041)"
        assert phrases.phrase("MQL to SAL", ("MQL", "SAL", "SA")) == "SAL aus MQL"
        assert phrases.phrase("MQL to SAL") == "MQL to SAL", "names are open places only where they are told"
        assert phrases.phrase("view cohort · hatched") == "view cohort · schraffiert"
        assert phrases.phrase("What no catalogue knows: 12 %") == "What no catalogue knows: 12 %"


@pytest.mark.parametrize(
    ("text", "opened", "held"),
    [
        ("12.3 % (-4.5 to 6) of 1,234", "{1} % ({2} to {3}) of {4}", ["12.3", "-4.5", "6", "1,234"]),
        ("Spring 24 won 3 in 2026-03-27", "{1} won {2} in {3}", ["Spring 24", "3", "2026-03-27"]),
        ("a 1st of MQL2", "a 1st of MQL2", []),
    ],
)
def test_figures_and_names_leave_their_places_open(text: str, opened: str, held: list[str]) -> None:
    assert phrases.key(text, ("Spring 24", "Spring")) == (opened, held)


def test_texts_of_a_drawing_are_translated_and_stay_escaped(second: int) -> None:
    made = Markup(
        '<svg><g aria-label="stage: A &amp; B; rate: 3"></g><text x="1">rate</text><text>A &lt; B</text></svg>'
    )
    assert phrases.drawing(made) == made
    with locale.speaking(locale.languages()["de"]):
        told = str(phrases.drawing(made))
    assert 'aria-label="⟦stage⟧: A &amp; B; Rate: 3"' in told
    assert ">Rate</text>" in told
    assert ">A &lt; B</text>" in told
