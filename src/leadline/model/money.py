"""Money in the model: decimal amounts of records → integer minor units of the reporting currency.

Amounts are converted first and allocated later, and never added across currencies. Quotients
are rounded exactly: a float gives the candidate, decimals decide.
"""

from __future__ import annotations

from dataclasses import dataclass

import ibis
import ibis.expr.types as ir

from leadline.model.source import Source

LIMIT = 2**50
"""Amounts of this many minor units or more are refused: their products would not fit 64 bits."""

RATE = "decimal(38, 6)"
"""Type of rates and of exact products: wide enough for an amount below the limit times a rate."""

RAW = "decimal(38, 8)"
"""Type of amounts in major units."""


@dataclass(frozen=True, slots=True)
class Currency:
    """The reporting currency.

    Attributes:
        code: ISO code; empty when the source names none.
        digits: decimal places.
        corporate: ISO code of the org's corporate currency, whose rate is 1.
        dated: whether the org has dated rates.
    """

    code: str
    digits: int
    corporate: str = ""
    dated: bool = False


def static_rates(source: Source) -> ir.Table:
    """Columns: currency, static_rate (units per unit of the corporate currency), digits."""
    types = source.table("CurrencyType")
    known = types.filter(types.IsoCode.notnull())
    return known.group_by(currency="IsoCode").aggregate(
        static_rate=known.ConversionRate.cast(RATE).max(),
        digits=known.DecimalPlaces.max().fill_null(2),
    )


def dated_rates(source: Source) -> ir.Table:
    """Dated rates as half-open intervals of days; the newest row of a currency has no end.

    Columns: currency, dated_rate, from_day, to_day (null: still in force).
    """
    rows = source.table("DatedConversionRate")
    known = rows.filter(rows.IsoCode.notnull() & rows.StartDate.notnull() & rows.ConversionRate.notnull())
    dated = known.select(
        currency="IsoCode", dated_rate=known.ConversionRate.cast(RATE), from_day=day_of(known.StartDate), id="Id"
    )
    window = ibis.window(group_by="currency", order_by=["from_day", "id"])
    return dated.mutate(to_day=ibis._.from_day.lead().over(window)).drop("id")


def day_of(date: ir.DateValue) -> ir.IntegerValue:
    """Days since 1970-01-01 of a date column."""
    return (date.cast("timestamp").epoch_seconds() // 86_400).cast("int64")


def power_of_ten(digits: ir.IntegerValue) -> ir.IntegerValue:
    """10 ** digits for 0 to 3 decimal places (2 where unknown), as int64."""
    return ibis.cases((digits == 0, 1), (digits == 1, 10), (digits == 3, 1000), else_=100).cast("int64")


def minor_units(amount: ir.DecimalValue, digits: ir.IntegerValue) -> ir.IntegerValue:
    """`amount` in minor units, rounded half to even, as int64."""
    scaled = in_minor(amount, digits)
    floor = scaled.floor().cast("int64")
    rest = scaled - floor.cast(RAW)
    half = ibis.literal("0.5").cast(RAW)
    up = (rest > half) | ((rest == half) & (floor % 2 != 0))
    return floor + up.cast("int64")


def in_minor(amount: ir.DecimalValue, digits: ir.IntegerValue) -> ir.DecimalValue:
    """`amount` in minor units, not yet rounded."""
    return (amount.cast(RAW) * power_of_ten(digits).cast(RAW)).cast(RAW)


def converted(
    native: ir.IntegerValue, own_rate: ir.DecimalValue, own_digits: ir.IntegerValue, rate: ir.DecimalValue, digits: int
) -> ir.IntegerValue:
    """`native` minor units in minor units of the reporting currency, rounded half to even.

    Args:
        native: minor units of the record's currency.
        own_rate, own_digits: rate and decimal places of that currency.
        rate, digits: rate and decimal places of the reporting currency.
    """
    above = _product((native * 10**digits).cast(RATE), rate)
    below = _product(power_of_ten(own_digits).cast(RATE), own_rate)
    near = (above.cast("float64") / below.cast("float64")).round().cast("int64")
    rest = above - _product(near.cast(RATE), below)
    twice = rest + rest
    up = (twice > below) | ((twice == below) & (near % 2 != 0))
    down = (twice < -below) | ((twice == -below) & (near % 2 != 0))
    return near + up.cast("int64") - down.cast("int64")


def _product(left: ir.DecimalValue, right: ir.DecimalValue) -> ir.DecimalValue:
    return (left.cast(RATE) * right.cast(RATE)).cast(RATE)
