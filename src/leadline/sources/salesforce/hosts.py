"""Which hosts may be given a login: those of Salesforce, and one for tests if the environment names it."""

from __future__ import annotations

import os
from typing import Final
from urllib.parse import urlsplit

from leadline.errors import LoginError

TEST_HOST: Final = "LEADLINE_TEST_SALESFORCE_HOST"
"""Environment variable that permits one more host ("127.0.0.1:8443"); it is meant for tests."""

_DOMAINS: Final = (".salesforce.com", ".salesforce.mil", ".sfcrmapps.cn")
_PRODUCTION: Final = "https://login.salesforce.com"
_SANDBOX: Final = "https://test.salesforce.com"


def login_address(domain: str) -> str:
    """The address of a login host: "production", "sandbox", or the My Domain of an org.

    Raises:
        LoginError: the host is none of Salesforce's.
    """
    if domain in ("", "production"):
        return _PRODUCTION
    return _SANDBOX if domain == "sandbox" else checked(domain if "://" in domain else f"https://{domain}")


def checked(address: str) -> str:
    """An address as `https://HOST`, if its host may be trusted with a token.

    Raises:
        LoginError: it is not https, holds more than a host, or the host is none of Salesforce's.
    """
    parts = urlsplit(address)
    host = (parts.hostname or "").rstrip(".")
    if _is_test_host(parts.netloc) and parts.scheme == "https":
        return f"https://{parts.netloc}"
    plain = parts.scheme == "https" and parts.netloc.lower() == host and parts.path in ("", "/") and not parts.query
    if not plain or not host.endswith(_DOMAINS):
        raise LoginError(
            f"{host or 'This address'} is no host of Salesforce's, so no login goes there. Write production, sandbox, "
            "or your My Domain, e.g. mycompany.my.salesforce.com."
        )
    return f"https://{host}"


def audience(login: str) -> str:
    """For whom a signed login is meant: the login host of production or of sandboxes."""
    host = urlsplit(login).hostname or ""
    return _SANDBOX if host == "test.salesforce.com" or ".sandbox." in host or "--" in host else _PRODUCTION


def is_my_domain(login: str) -> bool:
    """Whether the host belongs to one org, as client credentials need."""
    return login not in (_PRODUCTION, _SANDBOX)


def _is_test_host(netloc: str) -> bool:
    permitted = os.environ.get(TEST_HOST, "")
    return bool(permitted) and netloc == permitted
