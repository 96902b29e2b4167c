"""The walk of the demo org's truth, on stories small enough to be checked by hand."""

from __future__ import annotations

from fractions import Fraction

import pytest

from leadline.demo.params import INQUIRY, MQL, SAL, SQL, WON
from leadline.demo.truth_law import (
    DAY,
    Closed,
    Created,
    Deal,
    Entry,
    Event,
    Exit,
    Journey,
    Moment,
    Response,
    State,
    Walk,
    add_untimed,
    fate,
)
from leadline.demo.truth_measures import ADVANCED, CENSORED, EXIT, Conversion, cause, classify, lasted
from leadline.demo.truth_money import half_even, points_of, split

AS_OF = Moment(700 * DAY + 5, 700, False, 700 * DAY + 5)


def at(day: int, hour: float | None = None) -> Moment:
    """A date, or an instant at an hour of it."""
    second = 0 if hour is None else round(hour * 3600)
    return Moment(day * DAY + second, day, hour is None, day * DAY + second)


def responded(day: int, hour: float | None = None, campaign: int = 1) -> Response:
    return Response(at(day, hour), day * 100 + campaign, campaign)


def entered(stage: int, day: int, hour: float | None = None, record: str = "lead") -> Entry:
    return Entry(at(day, hour), stage, record)


def deal(number: int, created: int, closed: int | None = None, state: State = "open") -> list[Event]:
    made = Deal(number, at(created, 18), None if closed is None else at(closed, 12), state, state == "won", False)
    events: list[Event] = [Created(made.created, made)]
    return events if made.closed is None else [*events, Closed(made.closed, made)]


def walk(*events: Event) -> list[Journey]:
    return Walk(0).run(list(events), AS_OF)


def runs(journey: Journey) -> list[tuple[int, int, int | None]]:
    return [(visit.stage, visit.entered.day, visit.left.day if visit.left else None) for visit in journey.visits]


def test_a_straight_journey_to_won() -> None:
    first, second = responded(10), responded(20, campaign=2)
    [journey] = walk(first, second, entered(MQL, 21), entered(SAL, 25), *deal(1, 40, 90, "won"))
    assert runs(journey) == [(INQUIRY, 10, 21), (MQL, 21, 25), (SAL, 25, 40), (SQL, 40, 90)]
    assert (journey.ended, journey.outcome, journey.furthest) == ("closed", "won", WON)
    assert journey.won == at(90, 12)
    assert journey.tip is second
    assert fate(journey, first) == "joined before qualification"


def test_a_stage_on_the_day_of_a_date_only_response_comes_after_it() -> None:
    [journey] = walk(responded(10), entered(MQL, 10), entered(SAL, 10))
    assert runs(journey) == [(INQUIRY, 10, 10), (MQL, 10, 10), (SAL, 10, 10 + 180)]
    assert journey.tip is not None


def test_a_stamp_and_its_status_change_are_one_visit() -> None:
    [journey] = walk(entered(MQL, 10), entered(MQL, 11, 9), entered(MQL, 10, record="contact"))
    assert runs(journey) == [(MQL, 10, 11 + 180)]  # the change is the last activity
    assert (journey.re_entries(MQL), journey.requalifications) == (0, 0)


def test_going_back_is_a_regression_and_coming_again_a_re_entry() -> None:
    [journey] = walk(entered(MQL, 10), entered(SAL, 12, 9), entered(MQL, 15, 9), entered(SAL, 20, 9))
    assert [stage for stage, _, _ in runs(journey)] == [MQL, SAL, MQL, SAL]
    assert (journey.regressions, journey.re_entries(SAL), journey.re_entries(MQL)) == (1, 1, 1)


def test_a_lower_entry_on_another_record_moves_nothing() -> None:
    [journey] = walk(entered(SAL, 10), entered(MQL, 12, record="contact"), entered(MQL, 12, 9, record="contact"))
    assert runs(journey) == [(SAL, 10, 192)]
    assert journey.requalifications == 1


def test_an_open_deal_is_the_position_and_keeps_the_journey() -> None:
    events = [
        entered(MQL, 10),
        *deal(1, 20, 400, "lost"),
        Exit(at(50, 9), "recycled"),
        entered(SAL, 60, record="contact"),
    ]
    [journey] = walk(*events)
    assert runs(journey) == [(MQL, 10, 20), (SQL, 20, 400)]
    assert (journey.outcome, journey.conflicts, journey.requalifications) == ("lost", 1, 1)


def test_the_last_open_deal_ends_the_journey() -> None:
    [journey] = walk(*deal(1, 20, 60, "won"), *deal(2, 30, 90, "lost"))
    assert runs(journey) == [(SQL, 20, 90)]
    assert (journey.outcome, journey.won) == ("won", at(60, 12))
    first, second = walk(*deal(1, 20, 60, "won"), *deal(2, 61, 90, "lost"))
    assert (first.outcome, second.outcome) == ("won", "lost")


def test_a_won_deal_beside_an_open_one_leaves_it_standing() -> None:
    [journey] = walk(*deal(1, 20, 60, "won"), *deal(2, 30))
    assert (journey.outcome, journey.standing, journey.ended) == ("won", SQL, None)
    assert cause(journey, SQL) == CENSORED


@pytest.mark.parametrize(("gap", "journeys"), [(179, 1), (180, 2)])
def test_dormancy_is_180_calendar_days(gap: int, journeys: int) -> None:
    assert len(walk(responded(10, 23.9), responded(10 + gap, 0.1, campaign=2))) == journeys


@pytest.mark.parametrize(("last", "ended"), [(520, "dormant"), (521, None)])
def test_dormant_at_as_of(last: int, ended: str | None) -> None:
    [journey] = walk(responded(last, 12))
    assert (journey.ended, journey.outcome) == (ended, ended or "open")


def test_recycled_and_back() -> None:
    first, second = walk(
        responded(10), entered(MQL, 11), Exit(at(30, 9), "recycled"), responded(50, campaign=2), entered(MQL, 51)
    )
    assert (first.outcome, second.number) == ("recycled", 2)
    assert runs(second)[0] == (INQUIRY, 50, 51)
    assert second.tip is not None
    assert second.tip.campaign == 2


@pytest.mark.parametrize(("age", "tips"), [(90, True), (91, False)])
def test_look_back_is_90_calendar_days(age: int, tips: bool) -> None:
    [journey] = walk(responded(10, 23), entered(MQL, 10 + age))
    assert (journey.tip is not None) == tips
    assert fate(journey, journey.responses[0]) == ("tipped a journey" if tips else "joined before qualification")


def test_a_response_after_qualification_joined_after() -> None:
    [journey] = walk(entered(MQL, 10), responded(12))
    assert journey.origin is None
    assert fate(journey, journey.responses[0]) == "joined after"


def test_the_origin_of_a_journey_not_qualified_is_its_latest_response() -> None:
    [journey] = walk(responded(10), responded(30, campaign=7))
    assert journey.tip is None
    assert journey.origin is not None
    assert journey.origin.campaign == 7
    assert fate(journey, journey.origin) == "not qualified (yet)"


def test_stages_without_a_time() -> None:
    journeys = walk(responded(10), responded(400, campaign=2))
    add_untimed(0, journeys, {MQL}, {SAL})
    assert [(journey.furthest, journey.first(MQL)) for journey in journeys] == [(MQL, None), (SAL, None)]
    nobody: list[Journey] = []
    add_untimed(0, nobody, set(), {MQL})
    assert [(journey.start, journey.standing, journey.outcome) for journey in nobody] == [(None, None, "open")]


def classes(journey: Journey, first: int, second: int, window: int = 30) -> Conversion:
    counts = Conversion()
    classify(journey, first, second, window, AS_OF.day, counts)
    return counts


def test_conversion_classes() -> None:
    [straight] = walk(responded(10), entered(MQL, 40), entered(SAL, 71))
    assert classes(straight, INQUIRY, MQL) == Conversion(started=1, converted=1)
    assert classes(straight, INQUIRY, MQL, 29) == Conversion(started=1)
    assert classes(straight, MQL, SAL) == Conversion(started=1)
    [skipped] = walk(responded(10), entered(SAL, 20))
    assert classes(skipped, MQL, SAL) == Conversion(implied=1)
    assert classes(skipped, INQUIRY, MQL) == Conversion(started=1, converted=1)
    [backward] = walk(entered(SAL, 20), entered(MQL, 25))
    assert classes(backward, MQL, SAL) == Conversion(out_of_order=1)
    [young] = walk(responded(670), entered(MQL, 671))
    assert classes(young, INQUIRY, MQL) == Conversion(too_young=1)
    assert classes(young, INQUIRY, MQL, 29) == Conversion(started=1, converted=1)


def test_time_in_stage_and_how_it_ended() -> None:
    assert lasted(at(10, 12), at(11, 18)) == 30 * 3600
    assert lasted(at(10), at(11, 18)) == DAY
    assert lasted(at(10, 23), at(11)) == DAY
    [gone] = walk(entered(MQL, 10), Exit(at(20, 9), "disqualified"))
    assert cause(gone, MQL) == EXIT
    [moved] = walk(entered(MQL, 600), entered(SAL, 610))
    assert (cause(moved, MQL), cause(moved, SAL)) == (ADVANCED, CENSORED)
    [won] = walk(entered(MQL, 10), *deal(1, 20, 60, "won"))
    assert (cause(won, MQL), cause(won, SQL)) == (ADVANCED, ADVANCED)
    [lost] = walk(entered(MQL, 10), *deal(1, 20, 60, "lost"))
    assert (cause(lost, MQL), cause(lost, SQL)) == (ADVANCED, EXIT)


def test_money_is_split_to_the_cent() -> None:
    assert split(1000, points_of("even", 3)) == [334, 333, 333]
    assert split(1001, points_of("even", 3)) == [334, 334, 333]
    assert split(1000, points_of("first", 3)) == [1000, 0, 0]
    assert split(1000, points_of("last", 3)) == [0, 0, 1000]
    assert sum(split(99_999_999, points_of("even", 7))) == 99_999_999
    assert [half_even(Fraction(n, 2)) for n in (1, 3, 5)] == [0, 2, 2]
