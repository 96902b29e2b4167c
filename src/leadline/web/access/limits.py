"""Limits of request bodies: refused before they are read where they say their size, cut off where they do not."""

from __future__ import annotations

import asyncio
import time
from typing import Final

from fastapi import HTTPException
from starlette.types import Message, Receive

BODY_BYTES: Final = 1024**2
"""Largest form."""
BODY_SECONDS: Final = 30.0
"""How long a form may take to arrive."""
UPLOAD_PATH: Final = "/data/upload"
"""The one place that takes records."""
UPLOAD_SECONDS: Final = 1800.0
UPLOADS_AT_ONCE: Final = 2


def bounded(receive: Receive, most: int, seconds: float) -> Receive:
    """Receive a body of at most so many bytes within so many seconds.

    Args:
        receive: the server's own.
        most: bytes.
        seconds: from the first call on.
    """
    taken, until = 0, time.monotonic() + seconds

    async def limited() -> Message:
        nonlocal taken
        try:
            message = await asyncio.wait_for(receive(), max(0.0, until - time.monotonic()))
        except TimeoutError:
            raise HTTPException(408, "The request took too long to arrive.") from None
        taken += len(message.get("body", b""))
        if taken > most:
            raise HTTPException(413, too_large(most))
        return message

    return limited


def too_large(most: int) -> str:
    """The sentence for a body that is too large."""
    return f"That is larger than this server takes ({most // 1024**2} MB)."
