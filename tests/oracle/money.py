"""Money as integers of minor units in the reporting currency (§2)."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from leadline.config import Settings
from tests.oracle.clock import Clock, When
from tests.oracle.records import Records, Row, flag, number, text, when

DEFAULT_DIGITS = 2


@dataclass(frozen=True)
class Money:
    """Minor units of the reporting currency, or the reason why there are none: no_amount, no_rate."""

    minor: int | None
    reason: str | None = None


def half_even(value: Fraction) -> int:
    """§2: rounded half-even (Python's own rounding of fractions)."""
    return round(value)


class Rates:
    """Conversion into the reporting currency."""

    def __init__(self, records: Records, settings: Settings, clock: Clock) -> None:
        self._types = {text(row, "IsoCode"): row for row in records.alive("CurrencyType")}
        self._dated = records.alive("DatedConversionRate")
        self._settings = settings.amount
        self._clock = clock
        corporate = [text(row, "IsoCode") for row in self._types.values() if flag(row, "IsCorporate")]
        self.corporate = corporate[0] if corporate else None
        self.reporting = settings.workspace.currency or self.corporate

    def digits(self, currency: str | None) -> int:
        """§2: CurrencyType.DecimalPlaces; two where the org does not say."""
        places = number(self._types.get(currency), "DecimalPlaces")
        return DEFAULT_DIGITS if places is None else int(places)

    def rate(self, currency: str, on: dt.date | None) -> Fraction | None:
        """Units of the currency per unit of the corporate one; None if there is no such rate."""
        if currency == self.corporate:
            return Fraction(1)
        if self._settings.rate == "budget":
            budget = self._settings.budget.get(currency)
            found = None if budget is None else Decimal(str(budget))
        elif self._settings.rate == "dated" and self._dated and on is not None:  # D32: without a CloseDate static
            found = self._dated_rate(currency, on)
        else:
            found = number(self._types.get(currency), "ConversionRate")
        return Fraction(found) if found else None

    def _dated_rate(self, currency: str, on: dt.date) -> Decimal | None:
        """§2: the dated rate at CloseDate; beyond the table the newest row known."""
        rows = [(day, row) for row in self._dated if text(row, "IsoCode") == currency and (day := self._start(row))]
        begun = [(day, row) for day, row in rows if day <= on]
        return number(max(begun, key=lambda pair: pair[0])[1], "ConversionRate") if begun else None

    def _start(self, row: Row) -> dt.date | None:
        start = when(row, "StartDate")
        return None if start is None else self._clock.day(start)

    def convert(self, amount: Decimal | None, currency: str | None, on: When | None) -> Money:
        """§2: rounded at the door in its own currency, converted once, rounded half-even."""
        if amount is None:
            return Money(None, "no_amount")
        currency = currency or self.corporate or self.reporting
        own = half_even(Fraction(amount) * 10 ** self.digits(currency))
        if currency == self.reporting:
            return Money(own)
        day = None if on is None else self._clock.day(on)
        source = self.rate(currency, day) if currency else None
        target = self.rate(self.reporting, day) if self.reporting else None
        if source is None or target is None:
            return Money(None, "no_rate")
        major = Fraction(own, 10 ** self.digits(currency)) / source * target
        return Money(half_even(major * 10 ** self.digits(self.reporting)))
