"""Who may do what: every route × method × role, each with the status it must answer (S15).

The table below is the rule in writing. A route that the app has and the table lacks fails, and so
does one that the table has and the app lacks: nobody adds a door without saying who may use it.
"""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import quote

import httpx
import pytest

from leadline.web.access.who import Role
from tests.demo_workspace import Demo, imported
from tests.web.served import ACCOUNTS, Served, routes, served, token

GOOD = "seventeen herons at dusk"
ACCOUNTS_OF: tuple[Role, ...] = ("viewer", "analyst", "admin")
COMERS = ("stranger", *ACCOUNTS_OF)
NUMBER = quote("volume#count@stage=MQL", safe="")

READ = (401, 200, 200, 200)
"""Everybody who is signed in reads."""
ADMIN_READ = (401, 403, 403, 200)
OPEN = (200, 200, 200, 200)
WRITE = (401, 403, 422, 422)
"""A form sent empty: who may change is told which fields lack, who may not is refused before that."""
ADMIN_WRITE = (401, 403, 403, 400)

# The route → the address asked (its own if None), and what stranger, viewer, analyst and admin are answered.
TABLE: dict[tuple[str, str], tuple[str | None, tuple[int, int, int, int]]] = {
    ("GET", "/"): (None, READ),
    ("GET", "/activity"): (None, ADMIN_READ),
    ("GET", "/boards"): (None, READ),
    ("GET", "/boards/add"): (f"/boards/add?ask={NUMBER}", READ),
    ("GET", "/boards/save"): ("/boards/save?page=funnel", READ),
    ("GET", "/boards/{name}"): ("/boards/weekly", READ),
    ("GET", "/boards/{name}/edit"): ("/boards/weekly/edit", READ),
    ("GET", "/boards/{name}/file"): ("/boards/weekly/file", READ),
    ("GET", "/chart/{name}.{ending}"): ("/chart/funnel.svg?address=volume", READ),
    ("GET", "/data"): (None, READ),
    # An upload that is not there: whoever may not upload is not told so.
    ("GET", "/data/upload/{key}"): ("/data/upload/x", (401, 403, 403, 400)),
    ("GET", "/deal/{record}"): ("/deal/DEAL", READ),
    ("GET", "/definitions"): (None, READ),
    ("GET", "/explain"): (f"/explain?address={NUMBER}", READ),
    ("GET", "/export/{ending}"): ("/export/csv?address=volume", READ),
    ("GET", "/filter"): ("/filter?page=funnel", (401, 303, 303, 303)),
    ("GET", "/funnel"): (None, READ),
    ("GET", "/health"): (None, OPEN),
    ("GET", "/influence"): (None, READ),
    # Viewers are masked: the page of a person would unmask them.
    ("GET", "/journey/{person}"): ("/journey/PERSON", (401, 403, 200, 200)),
    ("GET", "/login"): (None, OPEN),
    ("GET", "/models"): (None, READ),
    ("GET", "/models/new"): (None, READ),
    ("GET", "/models/{name}/edit"): ("/models/mine/edit", READ),
    ("GET", "/models/{name}/file"): ("/models/mine/file", READ),
    # No provider is configured, so nobody comes in by one.
    ("GET", "/oidc/back"): (None, (403, 403, 403, 403)),
    ("GET", "/oidc/begin"): (None, (403, 403, 403, 403)),
    ("GET", "/openapi.json"): (None, READ),
    ("HEAD", "/openapi.json"): (None, READ),
    ("GET", "/records"): (f"/records?address={NUMBER}", READ),
    ("GET", "/search"): ("/search?q=a", READ),
    ("GET", "/share"): ("/share?page=/funnel", READ),
    ("GET", "/start"): (None, OPEN),
    # The style of the sign-in page; the folder itself is no file.
    ("GET", "/static"): ("/static/access.css", OPEN),
    ("GET", "/table"): ("/table?address=volume", READ),
    ("GET", "/trust"): (None, READ),
    ("GET", "/trust/diff"): (None, READ),
    ("GET", "/trust/finding/{code}"): ("/trust/finding/FINDING", READ),
    ("GET", "/trust/finding/{code}/records.csv"): ("/trust/finding/FINDING/records.csv", READ),
    ("GET", "/velocity"): (None, READ),
    ("POST", "/boards/add"): (None, WRITE),
    ("POST", "/boards/save"): (None, WRITE),
    ("POST", "/boards/{name}/card"): ("/boards/weekly/card", WRITE),
    ("POST", "/boards/{name}/delete"): ("/boards/weekly/delete", WRITE),
    ("POST", "/boards/{name}/edit"): ("/boards/weekly/edit", WRITE),
    ("POST", "/data/upload"): (None, ADMIN_WRITE),
    ("POST", "/data/upload/{key}/drop"): ("/data/upload/x/drop", ADMIN_WRITE),
    ("POST", "/data/upload/{key}/import"): ("/data/upload/x/import", ADMIN_WRITE),
    # The workspace has data already.
    ("POST", "/data/demo"): (None, (401, 403, 403, 400)),
    # An empty draft is shown with its faults, and nothing of it is kept.
    ("POST", "/models/preview"): (None, (401, 403, 200, 200)),
    ("POST", "/models/save"): (None, (401, 403, 400, 400)),
    ("POST", "/share"): (None, WRITE),
    ("POST", "/share/revoke"): (None, WRITE),
    ("POST", "/trust/accept"): (None, WRITE),
    ("POST", "/trust/freeze"): (None, WRITE),
    # Forms of the way in take no role; sent empty they lack their fields.
    ("POST", "/login"): (None, (422, 422, 422, 422)),
    ("POST", "/start"): (None, (422, 422, 422, 422)),
    ("POST", "/logout"): (None, (401, 303, 303, 303)),
}

BOARD = 'title = "Weekly"\n\n[[cards]]\nask = "volume"\n'
MODEL = """\
kind = "points"
title = "Mine"
base = 5

[[rules]]
on = "campaign_type"
points = { Webinar = 15 }
"""


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Demo:
    made = imported(tmp_path_factory.mktemp("org"), people=100, seed=11)
    for folder, name, text in (("boards", "weekly", BOARD), ("models", "mine", MODEL)):
        kept = made.workspace.folder / folder
        kept.mkdir(exist_ok=True)
        (kept / f"{name}.toml").write_text(text, encoding="utf-8")
    return made


@pytest.fixture(scope="module")
def named(demo: Demo) -> dict[str, str]:
    """A deal, a person and a finding that are there."""
    opened = demo.open()
    found = {
        "DEAL": opened.arrow(opened["deals"].select("opportunity_id"))["opportunity_id"].to_pylist(),
        "PERSON": opened.arrow(opened["person_records"].select("person_id"))["person_id"].to_pylist(),
        "FINDING": demo.workspace.audit.table().table["code"].to_pylist(),
    }
    return {name: min(values) for name, values in found.items()}


@pytest.fixture(scope="module")
def house(demo: Demo) -> Iterator[Served]:
    with served(demo.workspace, ACCOUNTS) as running:
        for role in ACCOUNTS_OF:
            running.site.accounts.add(role, role, GOOD)
        yield running


def comer(house: Served, role: str) -> httpx.Client:
    return house.client() if role == "stranger" else house.signed_in(role, GOOD)


def test_the_table_names_every_route_and_no_other(house: Served) -> None:
    assert set(TABLE) == set(routes(house.site))


@pytest.mark.parametrize("role", COMERS)
def test_every_route_answers_each_role_as_written(house: Served, named: dict[str, str], role: str) -> None:
    client = comer(house, role)
    csrf = token(client.get("/login"))
    wrong = []
    # Signing out ends the session the other questions are asked in: it comes last.
    for (method, route), (address, expected) in sorted(TABLE.items(), key=lambda one: one[0] == ("POST", "/logout")):
        asked = address or route
        for name, value in named.items():
            asked = asked.replace(name, value)
        answer = client.request(method, asked, data={"csrf": csrf} if method == "POST" else None)
        if answer.status_code != expected[COMERS.index(role)]:
            wrong.append((method, asked, answer.status_code, expected[COMERS.index(role)]))
    assert not wrong, "\n".join(map(str, wrong))


def test_no_other_method_opens_a_route(house: Served) -> None:
    """Of PUT, PATCH, DELETE and TRACE none does what GET or POST refuses, and none fails."""
    client, stranger = comer(house, "admin"), comer(house, "stranger")
    csrf = token(client.get("/login"))
    known = {route for _, route in TABLE}
    for route in sorted(known):
        asked = (TABLE.get(("GET", route)) or TABLE[("POST", route)])[0] or route
        for method in ("PUT", "PATCH", "DELETE", "TRACE"):
            told = client.request(method, asked, headers={"x-csrf-token": csrf}).status_code
            assert told in (404, 405), (method, asked, told)
            outside = stranger.request(method, asked).status_code
            assert outside in (401, 403, 404, 405), (method, asked, outside)
