"""From settings to a session: who logs in, with which secrets, over which transport."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from leadline.config import SalesforceSettings
from leadline.errors import LoginError
from leadline.sources.salesforce import hosts, vault
from leadline.sources.salesforce.grants import Account, Login
from leadline.sources.salesforce.session import Session
from leadline.sources.salesforce.transport import Transport
from leadline.sources.salesforce.vault import Vault
from leadline.sources.salesforce.waiting import Waiting

_LOCK: Final = "login.lock"


def account(settings: SalesforceSettings, workspace: Path) -> Account:
    """Who logs in.

    Raises:
        LoginError: the settings do not say it all.
    """
    missing = [] if settings.client_id else ["client_id"]
    if settings.flow == "jwt":
        missing += [name for name in ("user", "key_file") if not getattr(settings, name)]
    if missing or settings.client_id is None:
        raise LoginError(
            f"[salesforce] of leadline.toml lacks {', '.join(missing)} for the login. Set it up: leadline connect --help"
        )
    key = workspace / settings.key_file if settings.key_file else None
    return Account(settings.flow, hosts.login_address(settings.domain), settings.client_id, settings.user or "", key)


def session(
    settings: SalesforceSettings,
    workspace: Path,
    transport: Transport,
    *,
    store: Vault | None = None,
    waiting: Waiting | None = None,
) -> Session:
    """A session of the workspace's org; it logs in with its first call.

    Raises:
        LoginError: the settings do not say it all.
    """
    held = store or vault.open_vault(workspace, settings.secrets)
    lock = workspace / vault.FOLDER / _LOCK
    login = Login(account(settings, workspace), held, transport, lock_file=lock, waiting=waiting)
    return Session(login, transport, waiting=waiting)
