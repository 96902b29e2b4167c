"""Answers: one computation for all who ask, one snapshot per page, an end to what takes too long."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from leadline.errors import BusyError, OverLimitError
from leadline.snapshots.snapshots import Current, Snapshots
from leadline.web import answers as answers_of_web
from leadline.web.access.who import Principal
from leadline.web.answers import Answers
from leadline.web.cells import addresses
from leadline.web.desk import Desk
from tests.demo_workspace import Demo, imported

WHO = Principal("tester", "admin", masked=False)
LIMIT_S = 1.0
LATER_S = 0.5
"""How far past its limit a question may run: the bound that the service promises."""
FOREVER = "SELECT count(*) FROM range(1000000000) a, range(1000000) b WHERE (a.range * b.range) % 7 = 3"


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Demo:
    return imported(tmp_path_factory.mktemp("org"), people=400, seed=5)


@pytest.fixture
def answers(demo: Demo) -> Iterator[Answers]:
    made = Answers(demo.workspace.folder, lanes=2, memory="400MB", limit_s=LIMIT_S)
    yield made
    made.close()


@pytest.fixture(scope="module")
def patient(demo: Demo) -> Iterator[Answers]:
    """Answers whose limit a busy machine does not reach."""
    made = Answers(demo.workspace.folder, lanes=2, memory="400MB", limit_s=60)
    yield made
    made.close()


def test_an_answer_is_that_of_the_workspace(demo: Demo, patient: Answers):
    for address in ("volume?by=campaign_type", "conversion", "influence?model=even"):
        own, found = demo.workspace.metrics.ask(address), patient.ask(address, WHO, patient.pin())
        assert found.to_dict() == own.to_dict()


def test_many_who_ask_the_same_wait_for_one_computation(patient: Answers):
    pin, ran = patient.pin(), []
    open_ = threading.Event()

    def work(desk: Desk) -> str:
        ran.append(desk)
        open_.wait(20)
        return "answer"

    with ThreadPoolExecutor(8) as readers:
        asked = [readers.submit(patient.at_desk, "one for all", work, WHO, pin) for _ in range(8)]
        time.sleep(0.1)
        open_.set()
        assert {one.result() for one in asked} == {"answer"}
    assert len(ran) == 1
    assert patient.at_desk("one for all", work, WHO, pin) == "answer"
    assert len(ran) == 1


def test_rights_part_the_answers(patient: Answers):
    pin, ran = patient.pin(), []

    def work(desk: Desk) -> int:
        ran.append(desk)
        return len(ran)

    others = [WHO, Principal("b", masked=True), Principal("c", records={"country": "DE"}, masked=False)]
    assert [patient.at_desk("by right", work, who, pin) for who in [*others, *others]] == [1, 2, 3, 1, 2, 3]


def test_a_page_stays_on_its_snapshot_while_another_is_published(demo: Demo, patient: Answers):
    before = patient.pin()
    first = patient.ask("volume", WHO, before)
    settings = demo.workspace.folder / "leadline.toml"
    text = settings.read_text(encoding="utf-8")
    settings.write_text(text.replace("look_back_days = 90", "look_back_days = 60"), encoding="utf-8")
    try:
        demo.workspace.build()
        assert patient.pin().key != before.key
        assert patient.ask("conversion", WHO, before).snapshot == first.snapshot == before.key
        assert patient.ask("conversion", WHO, patient.pin()).snapshot == patient.pin().key
        cell = addresses(first)(0, "count")
        assert patient.explain(cell, WHO, before).snapshot == before.key
    finally:
        settings.write_text(text, encoding="utf-8")
        demo.workspace.build()


def test_a_runaway_question_is_stopped_and_others_go_on(answers: Answers):
    pin = answers.pin()
    answers.at_desk(None, lambda desk: desk.opened(), WHO, pin)
    with ThreadPoolExecutor(1) as reader:
        began = time.monotonic()
        lost = reader.submit(answers.run, None, lambda opened: opened.backend.con.execute(FOREVER).fetchall(), WHO, pin)
        time.sleep(0.05)
        assert answers.at_desk("beside it", lambda desk: desk.opened().snapshot, WHO, pin) == pin.key
        with pytest.raises(OverLimitError, match="longer than 1 seconds"):
            lost.result()
    assert time.monotonic() - began < LIMIT_S + LATER_S
    assert answers.run("after it", lambda opened: opened.snapshot, WHO, pin) == pin.key


def test_more_than_can_wait_are_turned_away(answers: Answers, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(answers_of_web, "WAITING", 2)
    pin, open_ = answers.pin(), threading.Event()
    with ThreadPoolExecutor(2) as readers:
        held = [readers.submit(answers.at_desk, at, lambda _: open_.wait(20), WHO, pin) for at in range(2)]
        time.sleep(0.1)
        with pytest.raises(BusyError):
            answers.at_desk("third", lambda _: None, WHO, pin)
        open_.set()
        assert all(one.result() for one in held)


def test_what_is_kept_stays_below_its_size(demo: Demo):
    made = Answers(demo.workspace.folder, kept_bytes=64 * 1024)
    try:
        pin = made.pin()
        for at in range(40):
            made.at_desk(at, lambda _: "x" * 1000, WHO, pin)
        assert made.held_bytes <= 64 * 1024
        assert made.at_desk(39, lambda _: "new", WHO, pin) == "x" * 1000
        assert made.at_desk(0, lambda _: "new", WHO, pin) == "new"
    finally:
        made.close()


@pytest.mark.parametrize(
    "address", ["volume?by=campaign_type", "conversion?by=campaign_type", "influence?model=even,first"]
)
def test_addresses_are_those_of_the_result(patient: Answers, address: str):
    result = patient.ask(address, WHO, patient.pin())
    told = addresses(result)
    column = next(one.name for one in result.columns if one.type in ("integer", "money"))
    for row in range(min(12, result.table.num_rows)):
        assert told(row, column) == result.address(row, column)


@pytest.mark.parametrize(
    ("address", "column"),
    [
        ("volume?by=campaign_type", "count"),
        ("volume?view=cohort&grain=quarter", "count"),
        ("volume?view=standing", "count"),
        ("conversion?by=campaign_type", "started"),
        ("conversion", "converted"),
        ("velocity", "n"),
        ("fates", "count"),
        ("pipeline", "count"),
        ("comparison?from=2025-07-01&to=2026-07-01", "count"),
        ("comparison?from=2025-07-01&to=2026-07-01", "before"),
    ],
)
def test_the_list_of_a_number_has_as_many_records(patient: Answers, address: str, column: str):
    pin = patient.pin()
    result = patient.ask(address, WHO, pin)
    told, counts = addresses(result), result.table.column(column).to_pylist()
    assert counts
    for row in range(0, len(counts), 1 + len(counts) // 6):
        listed = patient.records(told(row, column), WHO, pin)
        assert listed.table.num_rows == counts[row], told(row, column)


def test_a_snapshot_is_looked_through_once_for_each_state_of_its_files(
    demo: Demo, answers: Answers, monkeypatch: pytest.MonkeyPatch
):
    folder = demo.workspace.folder
    looked: list[str] = []
    choose = Snapshots.current

    def counted(self: Snapshots) -> Current:
        looked.append("once")
        return choose(self)

    monkeypatch.setattr(Snapshots, "current", counted)
    pins = [answers.pin() for _ in range(4)]
    # The first look has no file to remember yet.
    assert len(looked) == 2
    assert all(one is pins[0] for one in pins)
    pointer = folder / "snapshots" / "current"
    os.utime(pointer, ns=(0, pointer.stat().st_mtime_ns + 1_000_000))
    assert answers.pin() is pins[0]
    assert len(looked) == 3
