"""Cookies as a header: read by no script, sent by no other site."""

from __future__ import annotations

from http.cookies import SimpleCookie

from starlette.datastructures import MutableHeaders


def give(headers: MutableHeaders, name: str, value: str, *, tls: bool, seconds: int | None = None) -> None:
    """Add a cookie to a response; 0 seconds take it back.

    Without TLS, on this machine alone, it is not `Secure`: some browsers refuse such cookies there.
    """
    made: SimpleCookie = SimpleCookie()
    made[name] = value
    made[name]["path"] = "/"
    made[name]["httponly"] = True
    made[name]["samesite"] = "Lax"
    if tls:
        made[name]["secure"] = True
    if seconds is not None:
        made[name]["max-age"] = seconds
    headers.append("Set-Cookie", made[name].OutputString())
