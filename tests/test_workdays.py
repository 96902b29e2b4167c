"""The index of working days: counted day by day, at the edges, with holidays from rules and from lists."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leadline import config, workdays
from leadline.dates import day_number
from leadline.errors import ConfigError, UsageError
from tests.scale import scaled


def number(text: str) -> int:
    return day_number(dt.date.fromisoformat(text))


# November 2026 begins on a Sunday: 30 days, 21 of them Monday to Friday.
NOVEMBER = (number("2026-11-01"), number("2026-12-01"))
# The statutory holidays of Bavaria that fall on a weekday of 2026, from its holiday act; Assumption
# (15 August) is a Saturday, German Unity (3 October) too, All Saints (1 November) a Sunday.
BAVARIA_2026 = ["01-01", "01-06", "04-03", "04-06", "05-01", "05-14", "05-25", "06-04", "12-25"]


def test_a_month_without_holidays() -> None:
    index = workdays.workdays()
    assert index.between(*NOVEMBER) == 21
    assert index.between(*reversed(NOVEMBER)) == -21
    assert index.between(number("2026-11-21"), number("2026-11-23")) == 0  # Saturday and Sunday
    assert index.between(number("2026-11-20"), number("2026-11-24")) == 2  # Friday to Monday


def test_a_year_with_the_holidays_of_a_part_of_a_country() -> None:
    year = (number("2026-01-01"), number("2027-01-01"))
    assert workdays.workdays().between(*year) == 261
    bavaria = workdays.workdays(("DE-BY",))
    assert bavaria.between(*year) == 261 - len(BAVARIA_2026)
    for day in BAVARIA_2026:
        assert bavaria.between(number(f"2026-{day}"), number(f"2026-{day}") + 1) == 0
    # Epiphany and Corpus Christi are holidays of Bavaria, not of all of Germany.
    assert workdays.workdays(("DE",)).between(*year) == 261 - len(BAVARIA_2026) + 2


def test_a_holiday_that_is_kept_on_another_day() -> None:
    # 4 July 2026 is a Saturday; federal law keeps it on Friday the 3rd.
    assert workdays.workdays(("US",)).between(number("2026-07-03"), number("2026-07-04")) == 0


def test_dates_and_regions_in_one_list() -> None:
    index = workdays.workdays(("DE", "2026-12-24"))
    # 21 December 2026 is a Monday; 24 by the list, 25 by the rules.
    assert index.between(number("2026-12-21"), number("2026-12-28")) == 3
    assert index.between(number("2026-12-21"), number("2026-12-25")) == 3


def test_a_week_from_sunday_to_thursday() -> None:
    index = workdays.workdays((), ("sun", "mon", "tue", "wed", "thu"))
    assert index.between(number("2026-11-20"), number("2026-11-22")) == 0  # Friday and Saturday
    assert index.between(number("2026-11-22"), number("2026-11-27")) == 5


def test_outside_the_years_a_country_is_known_only_weekends_are_free() -> None:
    first, last = workdays.years_known(["DE"])["DE"]
    assert (first, last) == (1991, 2100)
    index, plain = workdays.workdays(("DE",)), workdays.workdays()
    for year in (first - 1, last + 1):
        days = (number(f"{year}-01-01"), number(f"{year + 1}-01-01"))
        assert index.between(*days) == plain.between(*days)
    assert index.between(number("1991-01-01"), number("1992-01-01")) < plain.between(
        number("1991-01-01"), number("1992-01-01")
    )


def test_the_ends_of_the_index() -> None:
    index = workdays.workdays()
    first, end = day_number(workdays.FIRST_DAY), day_number(workdays.END_DAY)
    assert index.before(first) == index.before(first - 1000) == 0
    assert index.before(end) == index.before(end + 1000)
    assert index.after(end - 2, 1000) == end


def test_the_table_says_the_same() -> None:
    index = workdays.workdays(("DE-BY",))
    table = index.table()
    days = table["day"].to_numpy()
    assert (days[0], days[-1]) == (day_number(workdays.FIRST_DAY), day_number(workdays.END_DAY) - 1)
    at = number("2026-11-23") - int(days[0])
    before = table["workdays_before"].to_numpy()
    assert before[at + 7] - before[at] == index.between(number("2026-11-23"), number("2026-11-30")) == 5
    assert np.array_equal(np.cumsum(table["workday"].to_numpy())[:-1], before[1:])


@settings(max_examples=scaled(300), deadline=None)
@given(
    start=st.dates(dt.date(1950, 1, 1), dt.date(2150, 1, 1)),
    length=st.integers(0, 400),
    free=st.lists(st.integers(0, 400), max_size=20),
    weekdays=st.sets(st.sampled_from(workdays.WEEKDAYS), min_size=1),
)
def test_the_index_counts_as_one_would_by_hand(
    start: dt.date, length: int, free: list[int], weekdays: set[str]
) -> None:
    off = {start + dt.timedelta(days=one) for one in free}
    index = workdays.workdays.__wrapped__(tuple(str(one) for one in off), tuple(sorted(weekdays)))
    span = [start + dt.timedelta(days=one) for one in range(length)]
    worked = [day for day in span if workdays.WEEKDAYS[day.weekday()] in weekdays and day not in off]
    first = day_number(start)
    assert index.between(first, first + length) == len(worked)
    for count, day in enumerate(worked, start=1):
        assert index.after(first, count) == day_number(day) + 1
    assert index.after(first, 0) == first


@pytest.mark.parametrize(
    ("holidays", "weekdays", "expected"),
    [
        (("2026-02-30",), workdays.MONDAY_TO_FRIDAY, "no date of the calendar"),
        (("XX",), workdays.MONDAY_TO_FRIDAY, "neither a date such as 2026-12-24 nor a country"),
        (("de",), workdays.MONDAY_TO_FRIDAY, "Did you mean 'DE'?"),
        (("DE-XX",), workdays.MONDAY_TO_FRIDAY, "no part of DE"),
        ((), ("monday",), "Did you mean 'mon'?"),
        ((), ("mon", "mon"), "named twice"),
        ((), (), "at least one weekday"),
    ],
)
def test_faults_say_what_to_write(holidays: tuple[str, ...], weekdays: tuple[str, ...], expected: str) -> None:
    with pytest.raises(UsageError, match=expected.replace("?", r"\?")):
        workdays.workdays(holidays, weekdays)


def test_the_configuration_takes_a_region_or_a_list() -> None:
    assert config.parse("[workspace]\nholidays = 'DE-BY'").workspace.holidays == ["DE-BY"]
    listed = config.parse("[workspace]\nholidays = [2026-12-24, '2026-12-31', 'US']").workspace
    assert listed.holidays == ["2026-12-24", "2026-12-31", "US"]
    assert listed.workdays == ["mon", "tue", "wed", "thu", "fri"]
    again = config.Settings.model_validate(config.Settings(workspace=listed).model_dump(mode="json"))
    assert again.workspace == listed


def test_the_configuration_names_every_fault() -> None:
    with pytest.raises(ConfigError) as caught:
        config.parse("[workspace]\nholidays = ['2026-13-01', 'GE-BY', 'DE-BYE']\nworkdays = ['mon', 'Tue']")
    text = "\n".join(caught.value.faults)
    for part in ("'2026-13-01'", "'DE-BYE'", "'Tue'", "Did you mean 'tue'?"):
        assert part in text
    assert len(caught.value.faults) == 4
    with pytest.raises(ConfigError, match="at least 1 item"):
        config.parse("[workspace]\nworkdays = []")
