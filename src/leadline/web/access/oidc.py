"""Sign-in by an OpenID provider: code flow with PKCE, state and nonce; only the configured provider is ever asked."""

from __future__ import annotations

import os
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import Any, Final, Protocol
from urllib.parse import urlencode, urlsplit

import httpx
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from leadline.config import OidcSettings
from leadline.errors import LoginError, UsageError
from leadline.web.access.secret import fingerprint, token

SECRET_VARIABLE: Final = "LEADLINE_OIDC_SECRET"
"""Environment variable with the client's secret."""

BACK: Final = "/oidc/back"
"""Path the provider leads back to."""

WAIT_S: Final = 600
"""Seconds a sign-in may take at the provider."""

_MOST: Final = 1000
_TIMEOUT_S: Final = 10.0
_LEEWAY_S: Final = 60
"""Clocks of two machines differ."""
_ALGORITHMS: Final = ["RS256", "RS384", "RS512", "PS256", "ES256", "ES384"]
"""Signatures by a key of the provider; none that the client's secret could make."""


class Fetch(Protocol):
    """Asks the provider; tests put a provider of their own in its place."""

    def __call__(self, url: str, form: Mapping[str, str] | None = None) -> dict[str, Any]:
        """The JSON object of an address, sent a form if there is one."""


def fetched(url: str, form: Mapping[str, str] | None = None) -> dict[str, Any]:
    """Ask the provider over the network; redirects are not followed.

    Raises:
        LoginError: no whole answer.
    """
    try:
        with httpx.Client(timeout=_TIMEOUT_S, follow_redirects=False) as client:
            answer = client.get(url) if form is None else client.post(url, data=dict(form))
            answer.raise_for_status()
            found = answer.json()
    except (httpx.HTTPError, ValueError) as error:
        raise LoginError(f"The sign-in provider gave no whole answer ({type(error).__name__}).") from None
    if not isinstance(found, dict):
        raise LoginError("The sign-in provider gave no whole answer (no object).")
    return found


class Provider:
    """One provider and the sign-ins that are under way.

    Args:
        settings: table [serve.oidc].
        public_url: address of this server.
        fetch: asks the provider.
        now: clock in UTC seconds.
    """

    def __init__(
        self,
        settings: OidcSettings,
        public_url: str,
        fetch: Fetch = fetched,
        now: Callable[[], float] = time.time,
    ) -> None:
        self.settings = settings
        self._back = public_url.rstrip("/") + BACK
        self._fetch = fetch
        self._now = now
        self._lock = threading.Lock()
        self._begun: OrderedDict[str, tuple[float, str, str, str]] = OrderedDict()
        self._known: dict[str, Any] | None = None

    def begin(self, visitor: str, onward: str) -> str:
        """Begin a sign-in of one browser and return the provider's address to go to.

        Raises:
            LoginError: the provider cannot be reached or is not the one configured.
        """
        state, nonce, verifier = token(), token(), token() + token()
        with self._lock:
            self._begun[fingerprint(state + visitor)] = (self._now(), nonce, verifier, onward)
            while len(self._begun) > _MOST:
                self._begun.popitem(last=False)
        question = {
            "response_type": "code",
            "client_id": self.settings.client_id,
            "redirect_uri": self._back,
            "scope": " ".join(self.settings.scopes),
            "state": state,
            "nonce": nonce,
            "code_challenge": create_s256_code_challenge(verifier),
            "code_challenge_method": "S256",
        }
        return f"{self._about()['authorization_endpoint']}?{urlencode(question)}"

    def finish(self, visitor: str, state: str, code: str) -> tuple[str, str]:
        """Name of the account and the page to go on to, from what the provider sent back.

        Raises:
            LoginError: the sign-in was not begun in this browser, took too long, or its token does not hold.
        """
        with self._lock:
            begun = self._begun.pop(fingerprint(state + visitor), None)
        if begun is None or self._now() - begun[0] > WAIT_S:
            raise LoginError("This sign-in was not begun here, or took too long. Begin it anew.")
        _, nonce, verifier, onward = begun
        answer = self._fetch(
            str(self._about()["token_endpoint"]),
            {
                "grant_type": "authorization_code",
                "code": code,
                "redirect_uri": self._back,
                "client_id": self.settings.client_id,
                "client_secret": _client_secret(),
                "code_verifier": verifier,
            },
        )
        return self._name(self._claims(str(answer.get("id_token", "")), nonce)), onward

    def _about(self) -> dict[str, Any]:
        """What the provider says of itself; it must be the issuer that is configured."""
        if self._known is None:
            issuer = self.settings.issuer.rstrip("/")
            found = self._fetch(f"{issuer}/.well-known/openid-configuration")
            if str(found.get("issuer", "")).rstrip("/") != issuer:
                raise LoginError("The sign-in provider names another issuer than serve.oidc.issuer.")
            for name in ("authorization_endpoint", "token_endpoint", "jwks_uri"):
                if urlsplit(str(found.get(name, ""))).scheme != urlsplit(issuer).scheme:
                    raise LoginError(f"The sign-in provider names no usable {name}.")
            self._known = found
        return self._known

    def _claims(self, written: str, nonce: str) -> CodeIDToken:
        """The claims of an identity token whose signature, issuer, audience, time and nonce hold."""
        keys = KeySet.import_key_set(self._fetch(str(self._about()["jwks_uri"])))  # type: ignore[arg-type]
        options = {
            "iss": {"essential": True, "value": self._about()["issuer"]},
            "aud": {"essential": True, "value": self.settings.client_id},
            "nonce": {"essential": True, "value": nonce},
        }
        try:
            decoded = jwt.decode(written, keys, algorithms=_ALGORITHMS)
            found = CodeIDToken(
                decoded.claims, decoded.header, options, {"client_id": self.settings.client_id, "nonce": nonce}
            )
            found.validate(now=int(self._now()), leeway=_LEEWAY_S)
        except (JoseError, ValueError) as error:
            raise LoginError(f"The token of the sign-in provider does not hold ({type(error).__name__}).") from None
        return found

    def _name(self, claims: Mapping[str, Any]) -> str:
        name = claims.get(self.settings.name_claim)
        if not isinstance(name, str) or not name:
            raise LoginError(f"The sign-in provider does not say {self.settings.name_claim}.")
        if self.settings.name_claim == "email" and claims.get("email_verified") is not True:
            raise LoginError("The sign-in provider has not verified that e-mail address.")
        return name


def _client_secret() -> str:
    """The secret of this client.

    Raises:
        UsageError: the environment does not hold it.
    """
    found = os.environ.get(SECRET_VARIABLE, "")
    if not found:
        raise UsageError(f"Sign-in by a provider needs the client's secret in {SECRET_VARIABLE}.")
    return found
