"""Connected apps, the token endpoint and sessions."""

from __future__ import annotations

import base64
import datetime as dt
import hmac
import json
import secrets
import time
from dataclasses import dataclass, field
from typing import Any, Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from leadline_double.org import Org
from leadline_double.problems import ApiError, TokenError
from leadline_double.web import Reply, Request

JWT: Final = "urn:ietf:params:oauth:grant-type:jwt-bearer"
LOGIN_HOSTS: Final = ("login.salesforce.com", "test.salesforce.com")
SESSION_SECONDS: Final = 7200
_LONGEST_ASSERTION: Final = 180 + 60
"""An assertion lives three minutes; another is given for clocks that differ."""


@dataclass
class ConnectedApp:
    """An app the admin allowed: its key pair, its flows, who is pre-authorised, and whether refresh tokens rotate."""

    consumer_key: str = "3MVG9doubleConsumerKey"
    consumer_secret: str = field(default_factory=lambda: secrets.token_hex(16))
    public_key: bytes | None = None
    users: tuple[str, ...] = ("integration@double.example",)
    client_credentials: bool = True
    rotation: bool = True
    scope: str = "api refresh_token"


@dataclass
class Session:
    """An access token: until when, for which app."""

    expires_at: dt.datetime
    app: str


def _decode(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


class Tokens:
    """Answers the token endpoint and knows which access tokens live.

    Assertions are checked against the machine's clock, since clients sign with it; sessions end by the org's.
    """

    def __init__(self, org: Org, apps: tuple[ConnectedApp, ...], site: str, domain: str) -> None:
        self.org, self.site, self.domain = org, site, domain
        self.apps = {one.consumer_key: one for one in apps}
        self.sessions: dict[str, Session] = {}
        self.refresh_tokens: dict[str, str] = {}
        self.refreshes = 0
        self.issued = 0

    def session_for(self, app: ConnectedApp) -> str:
        """A new access token."""
        token = f"{self.org.organization_id[:15]}!{secrets.token_urlsafe(48)}"
        ends = self.org.clock.now() + dt.timedelta(seconds=SESSION_SECONDS)
        self.sessions[token] = Session(ends, app.consumer_key)
        self.issued += 1
        return token

    def refresh_token_for(self, app: ConnectedApp) -> str:
        """A new refresh token, as a login in the browser would give."""
        token = "5Aep861" + secrets.token_urlsafe(48)
        self.refresh_tokens[token] = app.consumer_key
        return token

    def expire_all(self) -> None:
        """End every session, as an admin or the idle limit does."""
        self.sessions.clear()

    def check(self, request: Request) -> None:
        """Let a request in.

        Raises:
            ApiError: INVALID_SESSION_ID.
        """
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        session = self.sessions.get(token)
        if scheme not in {"Bearer", "OAuth"} or session is None or session.expires_at <= self.org.clock.now():
            raise ApiError("INVALID_SESSION_ID", "Session expired or invalid", 401)

    def answer(self, request: Request) -> Reply:
        """The token endpoint.

        Raises:
            TokenError: the grant is refused.
        """
        if request.method != "POST":
            raise TokenError("invalid_request", "must use HTTP POST")
        form = request.form()
        flow = {
            JWT: self._assertion,
            "client_credentials": self._client_credentials,
            "refresh_token": self._refresh,
        }.get(form.get("grant_type", ""))
        if flow is None:
            raise TokenError("unsupported_grant_type", "grant type not supported")
        app, extra = flow(request, form)
        return Reply(self._granted(app, request) | extra, headers={"Cache-Control": "no-store"})

    def _host(self, request: Request) -> str:
        return request.headers.get("host", "").split(":")[0]

    def instance_url(self, request: Request) -> str:
        """Where the client shall go: the My Domain, or this very site when it was asked on loopback."""
        if self._host(request) in LOGIN_HOSTS:
            return f"https://{self.domain}"
        return f"https://{self._host(request)}" if self._host(request) == self.domain else self.site

    def _granted(self, app: ConnectedApp, request: Request) -> dict[str, Any]:
        instance = self.instance_url(request)
        return {
            "access_token": self.session_for(app),
            "signature": base64.b64encode(secrets.token_bytes(32)).decode(),
            "scope": app.scope,
            "instance_url": instance,
            "id": f"https://login.salesforce.com/id/{self.org.organization_id}/{self.org.user_id}",
            "token_type": "Bearer",
            "issued_at": str(int(time.time() * 1000)),
            "api_instance_url": instance,
        }

    def _app(self, key: str, secret: str | None) -> ConnectedApp:
        app = self.apps.get(key)
        if app is None:
            raise TokenError("invalid_client_id", "client identifier invalid")
        if secret is not None and not hmac.compare_digest(secret, app.consumer_secret):
            raise TokenError("invalid_client", "invalid client credentials")
        return app

    def _client_credentials(self, request: Request, form: dict[str, str]) -> tuple[ConnectedApp, dict[str, str]]:
        key, secret = form.get("client_id", ""), form.get("client_secret", "")
        scheme, _, basic = request.headers.get("authorization", "").partition(" ")
        if scheme == "Basic":
            key, _, secret = base64.b64decode(basic).decode().partition(":")
        if self._host(request) in LOGIN_HOSTS:
            raise TokenError("invalid_grant", "request not supported on this domain")
        app = self._app(key, secret)
        if not app.client_credentials:
            raise TokenError("invalid_grant", "no client credentials user enabled")
        return app, {}

    def _refresh(self, request: Request, form: dict[str, str]) -> tuple[ConnectedApp, dict[str, str]]:
        token = form.get("refresh_token", "")
        app = self._app(form.get("client_id", ""), form.get("client_secret"))
        if self.refresh_tokens.get(token) != app.consumer_key:
            raise TokenError("invalid_grant", "expired access/refresh token")
        self.refreshes += 1
        if not app.rotation:
            return app, {}
        del self.refresh_tokens[token]
        return app, {"refresh_token": self.refresh_token_for(app)}

    def _assertion(self, request: Request, form: dict[str, str]) -> tuple[ConnectedApp, dict[str, str]]:
        try:
            head, payload, signature = form.get("assertion", "").split(".")
            algorithm, claims = json.loads(_decode(head))["alg"], json.loads(_decode(payload))
            signed = _decode(signature)
        except (ValueError, KeyError, TypeError):
            raise TokenError("invalid_grant", "invalid assertion") from None
        app = self._app(str(claims.get("iss")), None)
        self._verify(app, algorithm, f"{head}.{payload}".encode(), signed)
        allowed = {f"https://{host}" for host in (*LOGIN_HOSTS, self.domain)} | {self.site}
        if str(claims.get("aud", "")).rstrip("/") not in allowed:
            raise TokenError("invalid_grant", "audience is invalid")
        self._check_expiry(claims.get("exp"))
        if claims.get("sub") != self.org.user_name or claims.get("sub") not in app.users:
            raise TokenError("invalid_grant", "user hasn't approved this consumer")
        return app, {}

    def _verify(self, app: ConnectedApp, algorithm: str, text: bytes, signature: bytes) -> None:
        key = load_pem_public_key(app.public_key) if app.public_key else None
        if algorithm != "RS256" or not isinstance(key, RSAPublicKey):
            raise TokenError("invalid_grant", "invalid assertion")
        try:
            key.verify(signature, text, padding.PKCS1v15(), hashes.SHA256())
        except InvalidSignature:
            raise TokenError("invalid_grant", "invalid assertion") from None

    def _check_expiry(self, claim: Any) -> None:
        """Seconds; as text from one known client, in milliseconds from another."""
        try:
            ends = float(claim)
        except (TypeError, ValueError):
            raise TokenError("invalid_grant", "invalid assertion") from None
        seconds = ends / 1000 if ends > 1e11 else ends
        now = time.time()
        if seconds <= now or seconds > now + _LONGEST_ASSERTION:
            raise TokenError(
                "invalid_grant", "expired authorization code" if seconds <= now else "assertion is too long"
            )
