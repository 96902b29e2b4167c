"""Money as integers of minor units: 41,000.00 USD is 4100000 with two digits.

Source of the digits: ISO 4217, list one. An org's own `CurrencyType.DecimalPlaces` wins where
it is known; this list stands in where it is not.
"""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Context, Decimal, InvalidOperation

_NO_DIGITS = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF"
_THREE_DIGITS = "BHD IQD JOD KWD LYD OMR TND"
_DIGITS = dict.fromkeys(_NO_DIGITS.split(), 0) | dict.fromkeys(_THREE_DIGITS.split(), 3)

# Amounts stay below 2^50 minor units and rates have at most 18 significant digits; 60 digits
# keep their products and quotients exact to far beyond the rounding place.
_EXACT = Context(prec=60, rounding=ROUND_HALF_EVEN)


def digits(currency: str) -> int:
    """Decimal places of an ISO currency: 0, 2 or 3; 2 for a code that is not known."""
    return _DIGITS.get(currency.upper(), 2)


def to_minor(amount: str | int | Decimal, places: int) -> tuple[int, bool]:
    """A decimal amount in major units → minor units, rounded half to even.

    Args:
        amount: a decimal number or its text, `41000.005`; no float, which has lost it already.
        places: decimal places of the currency, 0 to 3.

    Returns:
        The minor units, and whether rounding changed the amount.

    Raises:
        ValueError: not a finite decimal number.
    """
    try:
        exact = Decimal(amount)
    except InvalidOperation as fault:
        raise ValueError(f"{amount!r} is no decimal number") from fault
    if not exact.is_finite():
        raise ValueError(f"{amount!r} is no amount")
    scaled = exact.scaleb(places, _EXACT)
    minor = int(scaled.quantize(Decimal(1), context=_EXACT))
    return minor, minor != scaled


def format_minor(minor: int, places: int, *, grouped: bool = False) -> str:
    """Minor units → decimal text in major units.

    Args:
        minor: integer amount.
        places: decimal places of the currency.
        grouped: thousands separated by commas, for people; without, for machines.
    """
    major = Decimal(minor).scaleb(-places, _EXACT)
    return f"{major:,.{places}f}" if grouped else f"{major:.{places}f}"


def convert(minor: int, places: int, rate: Decimal, to_places: int, to_rate: Decimal) -> int:
    """Minor units of one currency → those of another, rounded half to even once.

    Args:
        minor: amount in the currency it is in.
        places: its decimal places.
        rate: units of that currency per unit of the corporate currency.
        to_places: decimal places of the target currency.
        to_rate: units of the target currency per unit of the corporate currency.

    Raises:
        ValueError: a rate that is not above 0.
    """
    if rate <= 0 or to_rate <= 0:
        raise ValueError("a conversion rate must be above 0")
    scaled = _EXACT.multiply(Decimal(minor).scaleb(to_places - places, _EXACT), to_rate)
    return int(_EXACT.divide(scaled, rate).quantize(Decimal(1), context=_EXACT))
