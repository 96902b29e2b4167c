"""What the org refuses: one exception, rendered as the platform renders it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


class ApiError(Exception):
    """A refusal of a whole request, or of one row where the caller collects them.

    Attributes:
        code: the platform's error code, e.g. INVALID_FIELD.
        message: its sentence.
        status: HTTP status when the whole request is refused.
        fields: names of the fields it is about; None leaves the key out.
    """

    def __init__(self, code: str, message: str, status: int = 400, fields: Sequence[str] | None = None) -> None:
        super().__init__(f"{code}: {message}")
        self.code, self.message, self.status = code, message, status
        self.fields = None if fields is None else list(fields)

    def body(self) -> list[dict[str, Any]]:
        """The answer to a request."""
        entry: dict[str, Any] = {"message": self.message, "errorCode": self.code}
        if self.fields is not None:
            entry["fields"] = self.fields
        return [entry]

    def row(self) -> dict[str, Any]:
        """The entry of `errors` in the result of one row."""
        return {"statusCode": self.code, "message": self.message, "fields": self.fields or []}


class TokenError(Exception):
    """A refusal of the token endpoint, which has a form of its own."""

    def __init__(self, error: str, description: str, status: int = 400) -> None:
        super().__init__(f"{error}: {description}")
        self.error, self.description, self.status = error, description, status


def not_found() -> ApiError:
    """No such resource, as recorded."""
    return ApiError("NOT_FOUND", "The requested resource does not exist", 404)


def malformed(message: str) -> ApiError:
    """A query outside the language that the double knows."""
    return ApiError("MALFORMED_QUERY", message)
