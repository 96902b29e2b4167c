"""The guard that looks for secrets after each test finds them."""

from __future__ import annotations

from pathlib import Path

from leadline.sources.salesforce.vault import FileVault, Secret
from tests import canary

TEXT = "a-secret-of-this-test"


def test_a_secret_that_shows_is_found(tmp_path: Path):
    canary.watch()
    assert canary.leaks(TEXT, tmp_path) == []
    secret = Secret(TEXT)
    assert canary.leaks(f"token {secret}", tmp_path) == []
    assert canary.leaks(f"token {TEXT}", tmp_path) == ["what the test printed or logged"]
    FileVault(tmp_path).put("client_secret", secret)
    assert canary.leaks("", tmp_path) == []
    log = tmp_path / "deep" / "pull.log"
    log.parent.mkdir()
    log.write_text(f"connected with {TEXT}", encoding="utf-8")
    assert canary.leaks("", tmp_path) == [str(log)]
    log.unlink()


def test_the_next_test_begins_without_secrets(tmp_path: Path):
    (tmp_path / "other").write_text(TEXT, encoding="utf-8")
    assert canary.leaks(TEXT, tmp_path) == []
