"""The usual pages are worked out before anybody asks, once for each snapshot."""

from __future__ import annotations

from concurrent.futures import Future
from pathlib import Path
from typing import Any

import pytest

from leadline import workspace
from leadline.config import ServeSettings
from leadline.errors import LeadlineError
from leadline.web.answers import Answers
from leadline.web.app import create_app
from leadline.web.site import Site
from leadline.web.warming import PAGES, Warmer
from tests import small_org


def test_the_usual_pages_ask_nothing_more_of_the_engine(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
):
    some = {path: PAGES[path] for path in ("/", "/funnel")}
    monkeypatch.setattr("leadline.web.warming.PAGES", some)
    site = Site(workspace.open(small_org.built(tmp_path_factory.getbasetemp())), ServeSettings())
    app = create_app(site)
    first = Warmer(app, site)
    assert first.once() == len(some)
    assert first.once() == 0

    begun: list[Future[object]] = []
    begin = Answers._begin  # what the engine is asked goes through here

    def counted(*asked: Any, **told: Any) -> Future[object]:
        begun.append(begin(*asked, **told))
        return begun[-1]

    monkeypatch.setattr(Answers, "_begin", counted)
    second = Warmer(app, site)
    assert second.once() == len(some)
    # Refusals are not kept, answers are.
    assert all(isinstance(one.exception(), LeadlineError) for one in begun)
    site.close()


def test_without_a_snapshot_there_is_nothing_to_work_out(tmp_path: Path):
    site = Site(workspace.create(tmp_path), ServeSettings())
    assert Warmer(create_app(site), site).once() == 0
    site.close()


def test_it_ends_in_the_middle_of_a_page(tmp_path_factory: pytest.TempPathFactory):
    site = Site(workspace.open(small_org.built(tmp_path_factory.getbasetemp())), ServeSettings())
    warmer = Warmer(create_app(site), site)
    warmer.start()
    warmer.close()
    site.close()
    assert not warmer.alive
