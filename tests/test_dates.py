"""Every day in exactly one period, every instant in exactly one day."""

import datetime as dt
import random

import pytest

from leadline import dates
from leadline.dates import GRAINS, Calendar
from leadline.errors import UsageError
from tests.scale import scaled

# Half hours, quarter hours, a half-hour summer time, and zones that change at midnight.
ZONES = ["UTC", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe", "America/Sao_Paulo", "Africa/Cairo"]
CALENDARS = [Calendar(month, week) for month in range(1, 13) for week in ("monday", "saturday", "sunday")]
ONE_DAY = dt.timedelta(days=1)


def random_day(rng):
    return dt.date(1990, 1, 1) + dt.timedelta(days=rng.randrange(20_000))


def test_every_day_lies_in_exactly_one_period():
    rng = random.Random(1)
    for _ in range(scaled(10_000)):
        calendar, grain, day = rng.choice(CALENDARS), rng.choice(GRAINS), random_day(rng)
        start = calendar.start(day, grain)
        end = calendar.following(start, grain)
        assert start <= day < end
        assert calendar.start(start, grain) == start
        assert calendar.start(end - ONE_DAY, grain) == start
        assert calendar.start(end, grain) == end


@pytest.mark.parametrize("grain", GRAINS)
@pytest.mark.parametrize("calendar", CALENDARS, ids=str)
def test_periods_tile_a_range_under_distinct_labels(calendar, grain):
    first, last = dt.date(2023, 11, 17), dt.date(2026, 3, 2)
    starts = calendar.period_starts(first, last, grain)
    ends = [calendar.following(start, grain) for start in starts]
    assert starts[0] <= first < ends[0]
    assert starts[-1] <= last < ends[-1]
    assert starts[1:] == ends[:-1]
    labels = [calendar.label(start, grain) for start in starts]
    assert len(set(labels)) == len(starts)
    assert labels == sorted(labels)


def test_quarters_make_years_and_months_make_quarters():
    for calendar in CALENDARS:
        for year in calendar.period_starts(dt.date(2020, 1, 1), dt.date(2024, 1, 1), "year"):
            end = calendar.following(year, "year") - ONE_DAY
            quarters = calendar.period_starts(year, end, "quarter")
            assert len(quarters) == 4
            assert quarters[0] == year
            assert [calendar.label(q, "quarter")[-2:] for q in quarters] == ["Q1", "Q2", "Q3", "Q4"]
            assert len(calendar.period_starts(year, end, "month")) == 12


@pytest.mark.parametrize(
    ("calendar", "grain", "day", "label"),
    [
        (Calendar(), "month", dt.date(2026, 3, 31), "2026-03"),
        (Calendar(), "quarter", dt.date(2026, 3, 31), "2026-Q1"),
        (Calendar(), "year", dt.date(2026, 3, 31), "2026"),
        (Calendar(), "week", dt.date(2026, 2, 8), "2026-02-02"),
        (Calendar(week_start="sunday"), "week", dt.date(2026, 2, 8), "2026-02-08"),
        (Calendar(week_start="saturday"), "week", dt.date(2026, 2, 8), "2026-02-07"),
        (Calendar(2), "year", dt.date(2026, 1, 31), "FY2026"),
        (Calendar(2), "year", dt.date(2026, 2, 1), "FY2027"),
        (Calendar(2), "quarter", dt.date(2026, 1, 31), "FY2026-Q4"),
        (Calendar(10), "quarter", dt.date(2025, 12, 31), "FY2026-Q1"),
        (Calendar(10), "month", dt.date(2025, 12, 31), "2025-12"),
    ],
)
def test_labels(calendar, grain, day, label):
    assert calendar.label(calendar.start(day, grain), grain) == label


@pytest.mark.parametrize("zone", ZONES)
def test_every_instant_lies_in_exactly_one_day(zone):
    rng = random.Random(zone)
    for _ in range(scaled(2000)):
        instant = dt.datetime(1995, 1, 1, tzinfo=dt.UTC) + dt.timedelta(
            microseconds=rng.randrange(35 * 366 * 86_400_000_000)
        )
        day = dates.local_day(instant, zone)
        start, end = dates.day_bounds(day, zone)
        assert start <= instant < end
        assert dates.local_day(start, zone) == day
        assert dates.local_day(end, zone) == day + ONE_DAY
        assert dates.local_day(start - dt.timedelta(microseconds=1), zone) == day - ONE_DAY
        assert dates.end_of_day(day, zone) == end - dt.timedelta(microseconds=1)


@pytest.mark.parametrize(
    ("day", "zone", "hours"),
    [
        (dt.date(2026, 3, 8), "America/New_York", 23),
        (dt.date(2026, 11, 1), "America/New_York", 25),
        (dt.date(2026, 4, 5), "Australia/Lord_Howe", 24.5),
        (dt.date(2018, 11, 4), "America/Sao_Paulo", 23),  # midnight is skipped
        (dt.date(2023, 4, 28), "Africa/Cairo", 23),  # midnight is skipped
        (dt.date(2011, 12, 30), "Pacific/Apia", 0),  # the whole day is skipped
    ],
)
def test_days_of_odd_length(day, zone, hours):
    start, end = dates.day_bounds(day, zone)
    assert (end - start) / dt.timedelta(hours=1) == hours


def test_day_numbers():
    assert dates.day_number(dt.date(1970, 1, 1)) == 0
    assert dates.day_number(dt.date(2000, 3, 1)) == 11_017
    assert dates.day_of(-1) == dt.date(1969, 12, 31)
    rng = random.Random(3)
    assert all(dates.day_of(dates.day_number(day)) == day for day in (random_day(rng) for _ in range(100)))


@pytest.mark.parametrize(
    ("text", "zone", "expected"),
    [
        ("2017-12-31", "UTC", "2017-12-31T23:59:59.999999Z"),
        ("2017-12-31", "America/New_York", "2018-01-01T04:59:59.999999Z"),
        ("2017-12-31T12:00", "America/New_York", "2017-12-31T17:00:00Z"),
        ("2017-12-31 12:00:00", "UTC", "2017-12-31T12:00:00Z"),
        ("2017-12-31T12:00:00Z", "America/New_York", "2017-12-31T12:00:00Z"),
        ("2017-12-31T12:00:00.5+05:30", "UTC", "2017-12-31T06:30:00.500000Z"),
        (" 2017-12-31T12:00:00+0000 ", "UTC", "2017-12-31T12:00:00Z"),
    ],
)
def test_as_of(text, zone, expected):
    assert dates.format_instant(dates.parse_as_of(text, zone)) == expected


@pytest.mark.parametrize(
    "text", ["", "yesterday", "31.12.2017", "2017-13-01", "2017-02-30T10:00", "2017-12-31T25:00:00Z", "20171231"]
)
def test_refuses_other_instants(text):
    with pytest.raises(UsageError, match="is n"):
        dates.parse_as_of(text, "UTC")


def test_unknown_zone_is_named():
    with pytest.raises(UsageError, match="Europe/Berlyn"):
        dates.parse_as_of("2017-12-31", "Europe/Berlyn")


def test_ranges_are_half_open():
    assert dates.parse_range("2026-01-01", "2026-04-01") == (dt.date(2026, 1, 1), dt.date(2026, 4, 1))
    assert dates.parse_range(None, None) == (None, None)
    with pytest.raises(UsageError, match="--to 2026-01-02"):
        dates.parse_range("2026-01-01", "2026-01-01")
    with pytest.raises(UsageError, match="--from '2026-02-30'"):
        dates.parse_range("2026-02-30", None)
    with pytest.raises(UsageError, match="--to 'soon'"):
        dates.parse_range(None, "soon")


def test_instants_without_zone_are_utc():
    assert dates.format_instant(dt.datetime(2026, 1, 1, 2, 3, 4)) == "2026-01-01T02:03:04Z"


@pytest.mark.parametrize("arguments", [(0, "monday"), (13, "monday"), (1, "tuesday")])
def test_refuses_other_calendars(arguments):
    with pytest.raises(UsageError, match="start"):
        Calendar(*arguments)
