"""Encodings: what proves itself is recognised and said, the rest is declared or refused."""

from __future__ import annotations

import codecs

import pytest

from leadline.errors import SourceError
from leadline.sources.csv_reader import Sizes
from tests.test_sources_csv import loaded_and_rejected, read

TEXT = "Id,Name\na,Zoë 漢字\nb,x\nc,\n"
LATIN = "Id,Name\na,Zoë\nb,Müller – “x”\n"
SMALL = Sizes(segment=16, tail=5)


def rows(content: bytes, **options) -> list[tuple[str | None, ...]]:
    return list(loaded_and_rejected(read(content, **options)[1])[0].values())


EXPECTED = [("a", "Zoë 漢字"), ("b", "x"), ("c", None)]


@pytest.mark.parametrize(
    ("content", "encoding"),
    [
        (TEXT.encode(), "utf-8"),
        (codecs.BOM_UTF8 + TEXT.encode(), "utf-8"),
        (TEXT.encode("utf-16"), "utf-16"),
        (codecs.BOM_UTF16_BE + TEXT.encode("utf-16-be"), "utf-16"),
        (TEXT.encode("utf-32"), "utf-32"),
    ],
)
@pytest.mark.parametrize("sizes", [None, SMALL])
def test_utf8_and_byte_order_marks(content: bytes, encoding: str, sizes: Sizes | None):
    reader, batches = read(content, sizes)
    assert reader.names == ["Id", "Name"]
    assert list(loaded_and_rejected(batches)[0].values()) == EXPECTED
    assert (reader.encoding, reader.notes) == (encoding, [])


@pytest.mark.parametrize("sizes", [None, SMALL])
def test_single_byte_text_is_recognised_and_said(sizes: Sizes | None):
    reader, batches = read(LATIN.encode("cp1252"), sizes)
    assert list(loaded_and_rejected(batches)[0].values()) == [("a", "Zoë"), ("b", "Müller – “x”")]
    assert reader.encoding == "cp1252"
    assert ["cp1252" in note and "--encoding" in note for note in reader.notes] == [True]


def test_a_byte_that_windows_does_not_know_makes_it_latin_1():
    reader, batches = read("Id,Name\na,Zoë\x81\n".encode("latin-1"))
    assert list(loaded_and_rejected(batches)[0].values()) == [("a", "Zoë\x81")]
    assert reader.encoding == "latin-1"


def test_a_header_in_single_byte_text_is_recognised():
    reader, batches = read("Id,Größe\na,1\n".encode("cp1252"))
    assert reader.names == ["Id", "Größe"]
    assert len(batches) == 1


def test_a_declared_encoding_is_taken_without_a_word():
    reader, batches = read(LATIN.encode("cp1252"), encoding="windows-1252")
    assert (reader.encoding, reader.notes) == ("cp1252", [])
    assert list(loaded_and_rejected(batches)[0].values())[1] == ("b", "Müller – “x”")
    assert rows(TEXT.encode("utf-16-le"), encoding="utf-16-le") == EXPECTED


@pytest.mark.parametrize("sizes", [None, SMALL])
def test_damaged_utf8_stays_utf8_and_loses_only_the_damaged_rows(sizes: Sizes | None):
    content = "Id,Name\na,Zoë\nb,Müller\nc,".encode() + b"Ren\xe9" + "\nd,é\n".encode()
    reader, batches = read(content, sizes)
    loaded, rejected = loaded_and_rejected(batches)
    assert list(loaded.values()) == [("a", "Zoë"), ("b", "Müller"), ("d", "é")]
    assert rejected == {4: "bytes that are no valid UTF-8"}
    assert "damaged" in reader.notes[0]


def test_a_byte_order_mark_is_stronger_than_the_declaration():
    reader, batches = read(codecs.BOM_UTF8 + TEXT.encode(), encoding="cp1252")
    assert list(loaded_and_rejected(batches)[0].values()) == EXPECTED
    assert "not as the declared cp1252" in reader.notes[0]


def test_bytes_that_the_declared_encoding_does_not_know_are_refused():
    with pytest.raises(SourceError, match=r"not ascii.*--encoding"):
        read(TEXT.encode(), encoding="ascii")
    with pytest.raises(SourceError, match="not utf-16"):
        read(TEXT.encode("utf-16")[:-1])


@pytest.mark.parametrize("name", ["klingon", "base64", "rot13"])
def test_what_is_no_text_encoding_is_refused(name: str):
    with pytest.raises(SourceError, match=f"no text encoding '{name}'"):
        read(b"Id\na\n", encoding=name)


def test_utf16_without_a_mark_is_refused_with_the_option():
    with pytest.raises(SourceError, match="--encoding utf-16-le"):
        read(TEXT.encode("utf-16-le"))
