"""Rendered pages that are kept: the same bytes for all who see the same, nobody's for anybody else."""

from __future__ import annotations

import gzip
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from functools import partial

import pytest

from leadline import workspace
from leadline.errors import BusyError, PendingError
from leadline.web.access.who import Principal
from leadline.web.kept import NAME, TOKEN, Pages, Reading, taken_apart
from leadline.web.lanes import AHEAD, AWAITED, Lanes
from tests import small_org
from tests.web.served import Served, served, token

WAIT_S = 20
"""Longest that a thread of a test waits for another, on a machine that may be busy."""
LOCAL = Principal("local", "admin", {}, masked=False, door="local")
HERE = Reading("/funnel", b"view=entered", "en", LOCAL)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(workspace.open(small_org.built(tmp_path_factory.getbasetemp()))) as running:
        yield running


@pytest.mark.parametrize("name", ["ann", "<b>Zoë</b>", "x" * 200, ""])
def test_what_is_put_in_stands_in_the_packed_page_as_in_the_plain_one(name: str):
    page = taken_apart(f"<p>{'ä' * 3000}</p>{TOKEN}<i>{NAME}</i>{TOKEN}")
    fills = (b"a-token", name.encode())
    told = f"<p>{'ä' * 3000}</p>a-token<i>{name}</i>a-token"
    assert page.plain(fills).decode() == told
    assert gzip.decompress(page.packed(fills)).decode() == told
    # The token is not packed: its length alone shows in the size, whatever else stands on the page.
    other = (b"ppppppp", name.encode())
    assert len(page.packed(other)) == len(page.packed(fills))


@pytest.mark.parametrize(
    "other",
    [
        replace(HERE, who=replace(LOCAL, role="viewer")),
        replace(HERE, who=replace(LOCAL, masked=True)),
        replace(HERE, who=replace(LOCAL, records={"country": "DE"})),
        replace(HERE, who=replace(LOCAL, door="link", scope="/funnel")),
        replace(HERE, query=b"view=standing"),
        replace(HERE, path="/velocity"),
        replace(HERE, language="de"),
    ],
)
def test_nobody_gets_the_page_of_other_rights_or_another_address(other: Reading):
    assert other.key != HERE.key


def test_readers_of_the_same_rights_share_a_page():
    assert replace(HERE, who=replace(LOCAL, name="ann")).key == HERE.key


def test_a_kept_page_is_the_page_and_each_reader_has_a_token_of_their_own(site: Served):
    # An address that is not drawn ahead of its first reader.
    address = "/funnel?view=standing"
    ann, bob = site.local(), site.local()
    first = ann.get(address)
    assert "vary" not in first.headers
    again, others = ann.get(address), bob.get(address)
    assert again.headers["content-encoding"] == others.headers["content-encoding"] == "gzip"
    assert again.text == first.text
    assert others.text == first.text.replace(token(first), token(others))
    assert token(others) != token(first)
    assert ann.get(address, headers={"accept-encoding": "identity"}).text == first.text
    for name in ("content-security-policy", "cache-control", "x-content-type-options"):
        assert again.headers[name] == first.headers[name]


def test_the_door_stands_before_kept_pages(site: Served):
    reader = site.local()
    page = reader.get("/velocity")
    assert reader.get("/velocity").status_code == 200
    reader.post("/logout", data={"csrf": token(page)})
    assert reader.get("/velocity").status_code == 401
    assert site.client().get("/velocity").status_code == 401


def test_what_changes_in_the_workspace_changes_the_page(site: Served):
    reader = site.local()
    reader.get("/definitions")
    site.site.answers.forget()
    assert "vary" not in reader.get("/definitions").headers
    assert "vary" in reader.get("/definitions").headers


def test_a_browser_is_shown_what_there_is_and_the_rest_later(site: Served):
    site.site.answers.forget()
    reader, pin = site.local(), site.site.answers.pin()
    go_on = threading.Event()
    for lane in range(2):
        threading.Thread(
            target=lambda at: site.site.answers.at_desk(("busy", at), lambda desk: go_on.wait(WAIT_S), LOCAL, pin),
            args=(lane,),
        ).start()
    page = reader.get("/funnel", headers={"sec-fetch-mode": "navigate"})
    go_on.set()
    assert page.text.count("data-waits") >= 6
    assert 'id="content" tabindex="-1" data-pending' in page.text
    assert '<noscript><meta http-equiv="refresh"' in page.text
    whole = reader.get("/funnel")
    assert "data-waits" not in whole.text
    assert "data-pending" not in whole.text
    # What is not whole is not kept.
    assert "data-waits" not in reader.get("/funnel", headers={"sec-fetch-mode": "navigate"}).text


def test_pages_stay_within_their_size_and_go_with_their_snapshot(site: Served):
    pin, page = site.site.answers.pin(), taken_apart("x" * 5000)
    pages = Pages(kept_bytes=10 * page.size)
    made = [replace(HERE, query=b"%d" % at) for at in range(25)]
    for one in made:
        pages.keep(pin, one, page, pages.age)
    assert pages.held_bytes == 10 * page.size
    assert pages.find(pin, made[0]) is None
    assert pages.find(pin, made[-1]) is page
    pages.keep(pin, made[-1], page, pages.age)
    assert pages.held_bytes == 10 * page.size
    pages.only("another snapshot")
    assert pages.held_bytes == 0


def test_what_was_begun_before_a_change_is_not_kept(site: Served):
    pin, pages = site.site.answers.pin(), Pages()
    age = pages.age
    pages.forget()
    pages.keep(pin, HERE, taken_apart("old"), age)
    assert pages.find(pin, HERE) is None


def test_what_is_read_most_is_known_and_fades(site: Served):
    pin, pages = site.site.answers.pin(), Pages()
    often, once = HERE, replace(HERE, path="/velocity")
    for _ in range(4):
        pages.find(pin, often)
    pages.find(pin, once)
    assert list(pages.most_read(5)) == [often, once]
    assert list(pages.most_read(5)) == [often]


def test_a_new_snapshot_is_shown_when_it_is_told(site: Served):
    answers = site.site.answers
    newest = answers.newest()
    before = replace(newest, key="before")
    answers.show(before)
    assert answers.pin() is before
    with answers.ahead_of(newest):
        assert answers.pin() is newest
    answers.show(None)
    assert answers.pin().key == newest.key


def test_what_a_reader_waits_for_comes_before_what_is_worked_out_ahead():
    lanes, begun = Lanes(1, "test"), threading.Event()
    done: list[str] = []
    go_on = threading.Event()

    def first() -> None:
        begun.set()
        go_on.wait(WAIT_S)

    held = lanes.submit(first)
    assert begun.wait(WAIT_S)
    waiting = [
        lanes.submit(partial(done.append, name), urgency)
        for name, urgency in (("ahead", AHEAD), ("one", AWAITED), ("two", AWAITED))
    ]
    go_on.set()
    for one in (held, *waiting):
        one.result(WAIT_S)
    assert done == ["one", "two", "ahead"]
    lanes.close()
    with pytest.raises(BusyError):
        lanes.submit(first)


def test_faults_belong_to_whoever_asked():
    lanes = Lanes(1, "test")
    assert isinstance(lanes.submit(lambda: 1 // 0).exception(WAIT_S), ZeroDivisionError)
    assert lanes.submit(lambda: 3).result(WAIT_S) == 3
    lanes.close()


def test_an_answer_that_is_not_there_in_time_is_told_to_be_pending(site: Served):
    answers = site.site.answers
    with pytest.raises(PendingError, match="being worked out"):
        answers.ask("velocity?by=lead_source", LOCAL, answers.pin(), until=time.monotonic())
