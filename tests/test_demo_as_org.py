"""The demo org served as an org: logged in to as its own lines say."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from leadline.demo import as_org, org
from leadline.errors import DependencyError
from leadline.sources.salesforce.grants import Account, Login
from leadline.sources.salesforce.hosts import TEST_HOST
from leadline.sources.salesforce.rest import count
from leadline.sources.salesforce.session import Session
from leadline.sources.salesforce.transport import HttpTransport
from leadline.writeback import target
from tests.connector_org import Drawer

PEOPLE = 60


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("demo-org")
    org.generate(folder, people=PEOPLE, seed=7)
    return folder


def test_it_takes_the_login_and_has_the_records(files: Path, monkeypatch: pytest.MonkeyPatch):
    with as_org.serving(files) as served:
        monkeypatch.setenv(TEST_HOST, served.host)
        monkeypatch.setenv("SSL_CERT_FILE", str(served.certificate))
        account = Account("jwt", f"https://{served.host}", served.client_id, served.user, served.key_file)
        assert served.key_file.stat().st_mode & 0o077 == 0
        with HttpTransport() as transport:
            session = Session(Login(account, Drawer(), transport, lock_file=files / "lock"), transport)
            lines = (files / "Campaign.csv").read_text(encoding="utf-8").count('\n"701')
            assert count(session, "Campaign", "") == lines > 0
            own = target.own_model(session, as_org.OWN_MODEL)
            assert target.influence(session, own).condition.endswith(f"'{own.id}'")


def test_without_a_server_it_says_what_to_install(files: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "leadline_double.server", None)
    with pytest.raises(DependencyError, match=r"leadline\[web\]"), as_org.serving(files):
        pass
