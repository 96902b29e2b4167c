"""Minor units, rounding and conversion."""

import random
from decimal import Decimal
from fractions import Fraction

import pytest

from leadline import money
from tests.scale import scaled


@pytest.mark.parametrize(
    ("currency", "places"), [("USD", 2), ("JPY", 0), ("KWD", 3), ("eur", 2), ("CLP", 0), ("XYZ", 2)]
)
def test_digits(currency, places):
    assert money.digits(currency) == places


@pytest.mark.parametrize(
    ("amount", "places", "minor", "rounded"),
    [
        ("41000", 2, 4_100_000, False),
        ("0.005", 2, 0, True),
        ("0.015", 2, 2, True),
        ("0.025", 2, 2, True),
        ("-0.015", 2, -2, True),
        ("2.5", 0, 2, True),
        ("3.5", 0, 4, True),
        ("1.2345", 3, 1234, True),
        ("1e3", 2, 100_000, False),
        (7, 3, 7000, False),
        ("11258999068426.23", 2, 2**50 - 1, False),
    ],
)
def test_half_even_at_the_door(amount, places, minor, rounded):
    assert money.to_minor(amount, places) == (minor, rounded)


@pytest.mark.parametrize("amount", ["", "abc", "NaN", "Infinity", "1,000"])
def test_refuses_what_is_no_amount(amount):
    with pytest.raises(ValueError, match="is no"):
        money.to_minor(amount, 2)


@pytest.mark.parametrize(
    ("minor", "places", "plain", "grouped"),
    [
        (4_100_000, 2, "41000.00", "41,000.00"),
        (5, 2, "0.05", "0.05"),
        (-123_456, 2, "-1234.56", "-1,234.56"),
        (1234, 0, "1234", "1,234"),
        (-1, 3, "-0.001", "-0.001"),
        (0, 2, "0.00", "0.00"),
        (2**62, 2, "46116860184273879.04", "46,116,860,184,273,879.04"),
    ],
)
def test_text(minor, places, plain, grouped):
    assert money.format_minor(minor, places) == plain
    assert money.format_minor(minor, places, grouped=True) == grouped


def test_text_and_back():
    rng = random.Random(1)
    for _ in range(scaled(5000)):
        places, minor = rng.randint(0, 3), rng.randint(-(2**50), 2**50)
        assert money.to_minor(money.format_minor(minor, places), places) == (minor, False)


def test_conversion_by_hand():
    assert money.convert(10_000, 2, Decimal("0.8"), 2, Decimal(1)) == 12_500
    assert money.convert(10_000, 2, Decimal(1), 0, Decimal("150.5")) == 15_050
    assert money.convert(1, 0, Decimal(150), 3, Decimal("0.3")) == 2


def half_even(exact):
    floor = exact.numerator // exact.denominator
    rest = exact - floor
    return floor + (rest > Fraction(1, 2) or (rest == Fraction(1, 2) and floor % 2 == 1))


def test_conversion_agrees_with_exact_fractions():
    rng = random.Random(2)
    for _ in range(scaled(5000)):
        minor, places, to_places = rng.randint(-(2**50), 2**50), rng.randint(0, 3), rng.randint(0, 3)
        rate, to_rate = (Decimal(rng.randint(1, 10**9)).scaleb(-rng.randint(0, 6)) for _ in range(2))
        exact = Fraction(minor) * Fraction(to_rate) / Fraction(rate) * Fraction(10) ** (to_places - places)
        assert money.convert(minor, places, rate, to_places, to_rate) == half_even(exact)


@pytest.mark.parametrize("rate", [Decimal(0), Decimal(-1)])
def test_rates_are_positive(rate):
    with pytest.raises(ValueError, match="above 0"):
        money.convert(1, 2, rate, 2, Decimal(1))
