"""Bytes of any declared or recognisable encoding → bytes of UTF-8.

Only what proves itself is recognised: a byte-order mark, valid UTF-8, and, when neither holds,
single-byte text. Everything recognised rather than declared is said in a note.
"""

from __future__ import annotations

import codecs
from dataclasses import dataclass

from leadline.errors import SourceError
from leadline.sources.archives import ByteStream, Opener

PIECE = 1 << 22
_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
# The five bytes to which Windows-1252 gives no character.
_NOT_CP1252 = bytes((0x81, 0x8D, 0x8F, 0x90, 0x9D))


@dataclass(frozen=True, slots=True)
class Encoding:
    """How a file's bytes become text.

    Attributes:
        codec: Python's name of the encoding.
        mark: length in bytes of a UTF-8 byte-order mark to leave out.
        settled: whether invalid UTF-8 is a fault of single rows; if not, it is a reason to look
            at the whole file once more (`recognise`).
        note: what was recognised rather than declared, or an empty string.
    """

    codec: str
    mark: int = 0
    settled: bool = False
    note: str = ""


def encoding_of(opener: Opener, declared: str | None, file: str) -> Encoding:
    """The declared encoding, else what a byte-order mark says, else UTF-8 until it proves wrong.

    Raises:
        SourceError: the declared name is no text encoding.
    """
    codec = _known(declared, file) if declared else None
    with opener() as stream:
        head = stream.read(4)
    for mark, marked in _MARKS:
        if head.startswith(mark):
            differs = codec is not None and not codec.startswith(marked)
            note = f"starts with a byte-order mark: read as {marked}, not as the declared {codec}" if differs else ""
            return Encoding(marked, len(mark) if marked == "utf-8" else 0, settled=codec is not None, note=note)
    if codec is None:
        return Encoding("utf-8")
    return Encoding(codec, settled=True)


def recognise(opener: Opener) -> Encoding:
    """What a file is that has no byte-order mark, no declared encoding and invalid UTF-8 in it.

    Where valid sequences of UTF-8 are at least as many as broken ones it is damaged UTF-8, and
    the rows with the broken ones are rejected. Otherwise it is single-byte text: Windows-1252, or
    ISO 8859-1 if it holds a byte that Windows-1252 does not know.
    """
    decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
    valid = broken = 0
    outside = False
    with opener() as stream:
        while raw := stream.read(PIECE):
            text = decoder.decode(raw)
            replaced = text.count("\ufffd")
            written = raw.count(b"\xef\xbf\xbd")
            broken += max(0, replaced - written)
            valid += len(text) - len(text.encode("ascii", "ignore")) - replaced + written
            outside = outside or len(raw.translate(None, _NOT_CP1252)) < len(raw)
    if valid >= broken:
        note = "damaged UTF-8: rows with invalid bytes are rejected; the option --encoding declares another encoding"
        return Encoding("utf-8", settled=True, note=note)
    codec = "latin-1" if outside else "cp1252"
    note = f"no valid UTF-8: read as {codec} (recognised, not declared; the option --encoding settles it)"
    return Encoding(codec, settled=True, note=note)


class Utf8Stream:
    """A binary stream of UTF-8 made from a stream in another encoding."""

    def __init__(self, stream: ByteStream, encoding: Encoding, file: str) -> None:
        self._stream = stream
        self._file = file
        self._codec = encoding.codec
        self._decoder = None
        self.taken = encoding.mark
        """Bytes of the file taken so far, for showing progress."""
        if encoding.codec == "utf-8":
            stream.read(encoding.mark)
        else:
            self._decoder = codecs.getincrementaldecoder(encoding.codec)(errors="strict")

    def read(self, size: int) -> bytes:
        """About `size` bytes of UTF-8; fewer than `size` only at the end, where it is empty at last.

        Raises:
            SourceError: bytes that the encoding does not know.
        """
        pieces: list[bytes] = []
        missing = size
        while missing > 0:
            raw = self._stream.read(missing)
            self.taken += len(raw)
            pieces.append(raw if self._decoder is None else self._decoded(raw))
            missing -= len(pieces[-1])
            if not raw:
                break
        return b"".join(pieces)

    def _decoded(self, raw: bytes) -> bytes:
        assert self._decoder is not None
        try:
            return self._decoder.decode(raw, final=not raw).encode("utf-8")
        except UnicodeError as fault:
            raise SourceError(
                f"{self._file} is not {self._codec}: {fault} (before byte {self.taken:,}). "
                "Declare its encoding with the option --encoding or, for this file alone, with "
                "encoding = … in its [files] table."
            ) from fault


def _known(name: str, file: str) -> str:
    try:
        "".encode(name)
        return codecs.lookup(name).name
    except LookupError as fault:
        raise SourceError(
            f"There is no text encoding {name!r}, declared for {file}. Write a name such as utf-8, utf-16, cp1252 or latin-1."
        ) from fault
