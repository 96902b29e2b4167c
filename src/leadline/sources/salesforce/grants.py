"""Logins: JWT bearer, client credentials, refresh token. There is none by user name and password.

Whoever needs a token asks `Login.token`; whoever was told that it expired asks `Login.renewed`
with it: the first one logs in again, under a lock, and all others get what it got.
"""

from __future__ import annotations

import datetime as dt
import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal
from urllib.parse import urlencode

from leadline.errors import LoginError, OrgUnreachableError
from leadline.sources.salesforce import hosts
from leadline.sources.salesforce.faults import Verdict, code_of, verdict
from leadline.sources.salesforce.transport import Request, Response, Transport
from leadline.sources.salesforce.vault import Secret, Vault, require_private
from leadline.sources.salesforce.waiting import TRIES, Waiting

Flow = Literal["jwt", "client", "refresh"]
CLIENT_SECRET: Final = "client_secret"
REFRESH_TOKEN: Final = "refresh_token"
_PATH: Final = "/services/oauth2/token"
_JWT: Final = "urn:ietf:params:oauth:grant-type:jwt-bearer"
_VALID: Final = dt.timedelta(seconds=150)
"""A signed login may be valid for three minutes at most; clocks differ."""

_WHY: Final = {
    "invalid_grant": "the user has not approved the app, the key or the refresh token is not (or no longer) the right "
    "one, or the login is for the other kind of org (production, sandbox). Pre-authorise the app for the integration user",
    "invalid_client_id": "the consumer key is not known there",
    "invalid_client": "the consumer key or its secret is wrong",
    "unsupported_grant_type": "the app does not allow this kind of login",
    "inactive_user": "the integration user is not active",
    "invalid_app_access": "the integration user may not use the app",
    "rate_limit_exceeded": "too many logins in a short time",
}


@dataclass(frozen=True, slots=True)
class Account:
    """Who logs in, where and how; nothing of it is secret.

    Attributes:
        login: address of the login host.
        client_id: consumer key of the app.
        user: name of the integration user (JWT only).
        key_file: file with the private key (JWT only).
    """

    flow: Flow
    login: str
    client_id: str
    user: str = ""
    key_file: Path | None = None


@dataclass(frozen=True, slots=True)
class Token:
    """A session: where the org is and what opens it."""

    instance: str
    access: Secret
    identity: str = field(default="", repr=False)

    @property
    def org_id(self) -> str:
        """Id of the org, from the identity address `…/id/ORG/USER`."""
        return self.identity.rstrip("/").rpartition("/id/")[2].partition("/")[0]

    @property
    def user_id(self) -> str:
        """Id of the user that is logged in."""
        return self.identity.rstrip("/").rpartition("/")[2]


class Login:
    """The login of one org, shared by all threads."""

    def __init__(
        self,
        account: Account,
        vault: Vault,
        transport: Transport,
        *,
        lock_file: Path,
        waiting: Waiting | None = None,
        now: Callable[[], dt.datetime] = lambda: dt.datetime.now(dt.UTC),
    ) -> None:
        self._account, self._vault = account, vault
        self._transport, self._waiting = transport, waiting or Waiting()
        self._now = now
        self._lock_file = lock_file
        self._lock = threading.Lock()
        self._token: Token | None = None
        self._refused: LoginError | None = None

    def token(self) -> Token:
        """The present token; the first caller logs in.

        Raises:
            LoginError: the login was refused, now or before.
        """
        with self._lock:
            return self._token or self._fetch()

    def renewed(self, expired: Token) -> Token:
        """A newer token than this one.

        Raises:
            LoginError: the login was refused, now or before.
        """
        with self._lock:
            if self._token is not None and self._token is not expired:
                return self._token
            return self._fetch()

    def _fetch(self) -> Token:
        from filelock import FileLock

        if self._refused is not None:
            # A grant that was rejected stays so: asking again only locks the user out.
            raise self._refused
        self._lock_file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        try:
            # A refresh token may be good for one use: processes must take turns as threads do.
            with FileLock(self._lock_file):
                self._token = self._ask()
        except LoginError as refused:
            self._refused = refused
            raise
        return self._token

    def _ask(self) -> Token:
        form, headers = self._form()
        headers |= {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}
        url = hosts.checked(self._account.login) + _PATH
        answer = self._answer(Request("POST", url, headers, urlencode(form).encode()))
        if verdict(answer) is not Verdict.FINE:
            raise _refused(answer, self._account)
        try:
            told = json.loads(answer.body)
            instance, access, identity = told["instance_url"], Secret(told["access_token"]), str(told.get("id", ""))
        except (ValueError, KeyError, TypeError):
            raise LoginError(f"{self._account.login} answered the login with something that is no token.") from None
        if rotated := told.get("refresh_token"):
            # Before anything else: the old one is void from now on.
            self._vault.put(REFRESH_TOKEN, Secret(rotated))
        return Token(hosts.checked(instance), access, identity)

    def _answer(self, request: Request) -> Response:
        """The first answer that is no passing fault."""
        for number in range(1, TRIES):
            try:
                answer = self._transport.send(request)
                if verdict(answer) is not Verdict.AGAIN:
                    return answer
            except OrgUnreachableError:
                # The last try below tells of it.
                pass
            self._waiting.before_try(number)
        return self._transport.send(request)

    def _form(self) -> tuple[dict[str, str], dict[str, str]]:
        account = self._account
        if account.flow == "jwt":
            return {"grant_type": _JWT, "assertion": self._assertion()}, {}
        if account.flow == "client":
            if not hosts.is_my_domain(account.login):
                raise LoginError(
                    "Client credentials are taken by the My Domain of an org only, not by login.salesforce.com or "
                    "test.salesforce.com. Write e.g. --domain mycompany.my.salesforce.com"
                )
            form = {"grant_type": "client_credentials", "client_id": account.client_id}
            return form | {"client_secret": self._secret(CLIENT_SECRET).reveal()}, {}
        form = {"grant_type": "refresh_token", "client_id": account.client_id}
        form |= {"refresh_token": self._secret(REFRESH_TOKEN).reveal()}
        held = self._vault.get(CLIENT_SECRET)
        return (form | {"client_secret": held.reveal()} if held else form), {}

    def _secret(self, name: str) -> Secret:
        held = self._vault.get(name)
        if held is None:
            raise LoginError(f"The {name.replace('_', ' ')} of this workspace is not stored. Run `leadline connect`.")
        return held

    def _assertion(self) -> str:
        import jwt

        path = self._account.key_file
        if path is None or not path.exists():
            raise LoginError(f"There is no private key at {path}. Name its file: leadline connect --key-file FILE")
        require_private(path)
        claims = {
            "iss": self._account.client_id,
            "sub": self._account.user,
            "aud": hosts.audience(self._account.login),
            "exp": int((self._now() + _VALID).timestamp()),
        }
        try:
            return jwt.encode(claims, path.read_bytes(), algorithm="RS256")
        except (jwt.PyJWTError, ValueError, TypeError):
            # The reasons given there can quote the key.
            raise LoginError(f"{path} holds no private RSA key in PEM form without a passphrase.") from None


def _refused(answer: Response, account: Account) -> LoginError:
    code, _ = code_of(answer)
    why = f": {_WHY[code]}" if code in _WHY else ""
    return LoginError(f"{account.login} refused the login ({code or f'HTTP {answer.status}'}){why}.")
