"""The demo org as a service on this machine, for trying `connect`, `pull` and `push` without an org."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from leadline.errors import DependencyError

if TYPE_CHECKING:
    from leadline_double import Org

OWN_MODEL: Final = "Leadline"
_SHOWN: Final = ("CampaignInfluence", "CampaignInfluenceModel")
_KEY_FILE: Final = "login-key.pem"


@dataclass(frozen=True, slots=True)
class Served:
    """A running org, and what a login needs.

    Attributes:
        host: `localhost:PORT`, as the environment variable for tests names it.
        certificate: PEM file to trust.
        client_id, user, key_file: of the login jwt.
    """

    host: str
    certificate: Path
    client_id: str
    user: str
    key_file: Path


@contextmanager
def serving(files: Path) -> Iterator[Served]:
    """Serve an org made of files in API form, until the block ends; its time goes on like that of the machine.

    Args:
        files: the folder of `leadline demo`.

    Raises:
        DependencyError: the extra `web` is not installed.
    """
    try:
        from leadline_double.loading import org_of_files
        from leadline_double.server import key_pair, serve
        from leadline_double.tokens import ConnectedApp
    except ImportError as error:
        raise DependencyError(
            f"Serving the demo org needs {error.name}, which is not installed: pip install 'leadline[web]'."
        ) from error
    org = org_of_files(files, only_loaded=False)
    for name in _SHOWN:
        org.objects[name].hidden = False
    org.add_model(OWN_MODEL)
    key = files.resolve() / _KEY_FILE
    key.touch(mode=0o600)
    key.chmod(0o600)
    key.write_bytes(key_pair().private)
    app = ConnectedApp(public_key=key_pair().public, users=(org.user_name,))
    with serve(org, app) as double, _ticking(org):
        assert double.ca_file is not None, "it is served with TLS"
        host = double.url.removeprefix("https://")
        yield Served(host, double.ca_file, app.consumer_key, org.user_name, key)


@contextmanager
def _ticking(org: Org) -> Iterator[None]:
    """Time in the org goes on second by second."""
    ended = threading.Event()

    def tick() -> None:
        while not ended.wait(1):
            with org.lock:
                org.clock.advance(seconds=1)

    thread = threading.Thread(target=tick, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
