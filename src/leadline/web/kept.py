"""Rendered pages, kept: who may see the same gets the same page, with name and form token put in last.

A page is kept by snapshot, address, record filter, mask, role, way in and language, and drops out
with its snapshot. What is put in for each reader lies between parts that are packed once; it is
never packed itself, so that the size of an answer tells nothing about it.
"""

from __future__ import annotations

import secrets
import threading
import zlib
from collections import OrderedDict
from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from fastapi import Request
from markupsafe import escape

from leadline.render.present import clean
from leadline.web import locale
from leadline.web.access.csrf import csrf_token

if TYPE_CHECKING:
    from leadline.web.access.who import Principal
    from leadline.web.desk import Pin

KEPT_BYTES: Final = 96 * 1024**2
"""Pages kept at most; the ones not read for longest go first."""
LIKED: Final = 64
"""Addresses remembered of which the most read are made anew after a publish."""
PATHS: Final = frozenset({"/", "/funnel", "/velocity", "/influence", "/definitions", "/explain", "/records", "/table"})
"""Pages that say nothing but what their snapshot says and leave no mark when they are read."""

_RUN: Final = secrets.token_hex(16)
TOKEN: Final = f"token{_RUN}"
"""Stands for the form token in what templates write."""
NAME: Final = f"name{_RUN}"
"""Stands for the reader's name."""
_MARKS: Final = (TOKEN.encode(), NAME.encode())

_HEAD: Final = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"
_END: Final = b"\x03\x00"
_LONGEST: Final = 0xFFFF


@dataclass(frozen=True, slots=True)
class Page:
    """A page taken apart at its marks.

    Attributes:
        parts: what stands between them, as it is and packed.
        marks: what is to be put in behind each part but the last: 0 the form token, 1 the name.
    """

    parts: tuple[tuple[bytes, bytes], ...]
    marks: tuple[int, ...]

    @property
    def size(self) -> int:
        """Bytes it takes."""
        return sum(len(plain) + len(packed) for plain, packed in self.parts)

    def plain(self, fills: tuple[bytes, bytes]) -> bytes:
        """The page for one reader."""
        told = [self.parts[0][0]]
        for mark, (part, _) in zip(self.marks, self.parts[1:], strict=True):
            told += [fills[mark], part]
        return b"".join(told)

    def packed(self, fills: tuple[bytes, bytes]) -> bytes:
        """The same as gzip."""
        plain = self.plain(fills)
        told = [_HEAD, self.parts[0][1]]
        for mark, (_, part) in zip(self.marks, self.parts[1:], strict=True):
            told += [_stored(fills[mark]), part]
        told += [_END, zlib.crc32(plain).to_bytes(4, "little"), len(plain).to_bytes(4, "little")]
        return b"".join(told)


def taken_apart(text: str) -> Page:
    """A page by the text a template wrote."""
    rest, parts, marks = text.encode(), [], []
    while found := [(at, number) for number, mark in enumerate(_MARKS) if (at := rest.find(mark)) >= 0]:
        at, number = min(found)
        parts.append(rest[:at])
        marks.append(number)
        rest = rest[at + len(_MARKS[number]) :]
    return Page(tuple((part, _squeezed(part)) for part in (*parts, rest)), tuple(marks))


def fills(request: Request) -> tuple[bytes, bytes]:
    """What is put in for the reader of a request."""
    return str(escape(csrf_token(request))).encode(), str(escape(clean(request.state.who.name))).encode()


def filled(text: str, request: Request) -> str:
    """A page that is not kept, for its reader."""
    token, name = (fill.decode() for fill in fills(request))
    return text.replace(TOKEN, token).replace(NAME, name)


def _squeezed(part: bytes) -> bytes:
    """Packed so that anything may follow: ends on a whole byte, and looks back to nothing before it."""
    packer = zlib.compressobj(6, zlib.DEFLATED, -zlib.MAX_WBITS)
    return packer.compress(part) + packer.flush(zlib.Z_FULL_FLUSH)


def _stored(fill: bytes) -> bytes:
    """A block that holds bytes as they are."""
    assert len(fill) <= _LONGEST  # names and tokens are short
    return b"\x00" + len(fill).to_bytes(2, "little") + (len(fill) ^ _LONGEST).to_bytes(2, "little") + fill


@dataclass(frozen=True, slots=True)
class Reading:
    """An address as somebody reads it: with whose rights, in which language."""

    path: str
    query: bytes
    language: str
    who: Principal

    @property
    def key(self) -> Hashable:
        """What the page depends on, beside the snapshot; the reader's name is put in last."""
        who = self.who
        ways = (who.role, who.door in ("local", "account", "oidc"), who.scope is None)
        return (self.path, self.query, self.language, tuple(sorted(who.records.items())), who.masked, *ways)


def reading(request: Request) -> Reading | None:
    """What a request reads, if such pages are kept."""
    if request.method != "GET" or request.url.path not in PATHS or request.state.who is None:
        return None
    language = locale.of(request.headers.get("accept-language")).code
    return Reading(request.url.path, request.scope["query_string"], language, request.state.who)


class Pages:
    """The pages of one server that are kept.

    Args:
        kept_bytes: size of what is kept.
    """

    def __init__(self, kept_bytes: int = KEPT_BYTES) -> None:
        self._most = kept_bytes
        self._lock = threading.Lock()
        self._pages: OrderedDict[tuple[str, Hashable], Page] = OrderedDict()
        self._liked: OrderedDict[Hashable, tuple[int, Reading]] = OrderedDict()
        self._age = 0
        self.held_bytes = 0

    @property
    def age(self) -> int:
        """Grows when pages are forgotten: what was begun before is not kept any more."""
        return self._age

    def find(self, pin: Pin, wanted: Reading) -> Page | None:
        """The page somebody wants to read, if it is kept; either way it counts as read."""
        with self._lock:
            count, _ = self._liked.pop(wanted.key, (0, wanted))
            self._liked[wanted.key] = (count + 1, wanted)
            if len(self._liked) > LIKED:
                self._liked.popitem(last=False)
            found = self._pages.get((pin.key, wanted.key))
            if found is not None:
                self._pages.move_to_end((pin.key, wanted.key))
            return found

    def keep(self, pin: Pin, wanted: Reading, page: Page, age: int) -> None:
        """Keep a page begun at an age."""
        with self._lock:
            if age != self._age or page.size > self._most // 4:
                return
            full = (pin.key, wanted.key)
            self.held_bytes += page.size - (self._pages.pop(full).size if full in self._pages else 0)
            self._pages[full] = page
            while self.held_bytes > self._most:
                self.held_bytes -= self._pages.popitem(last=False)[1].size

    def only(self, snapshot: str) -> None:
        """Drop the pages of every other snapshot."""
        with self._lock:
            for full in [full for full in self._pages if full[0] != snapshot]:
                self.held_bytes -= self._pages.pop(full).size

    def forget(self) -> None:
        """Drop all pages, e.g. after a file of the workspace has changed."""
        with self._lock:
            self._age += 1
            self._pages.clear()
            self.held_bytes = 0

    def most_read(self, count: int) -> Iterable[Reading]:
        """What was read most since this was asked last, most first; older reading counts half."""
        with self._lock:
            ranked = sorted(self._liked.values(), key=lambda one: -one[0])
            for key, (read, wanted) in list(self._liked.items()):
                if read // 2:
                    self._liked[key] = (read // 2, wanted)
                else:
                    del self._liked[key]
        return [wanted for _, wanted in ranked[:count]]
