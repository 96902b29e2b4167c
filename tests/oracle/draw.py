"""Random values for small orgs: ids, days that matter, instants that collide."""

from __future__ import annotations

import datetime as dt
import random
import zoneinfo

from tests.oracle.clock import When
from tests.oracle.records import eighteen

PREFIX = {
    "Organization": "00D",
    "Account": "001",
    "Contact": "003",
    "Lead": "00Q",
    "Campaign": "701",
    "CampaignMember": "00v",
    "Opportunity": "006",
    "OpportunityContactRole": "00K",
    "OpportunityHistory": "008",
    "OpportunityStage": "01J",
    "LeadHistory": "017",
    "ContactHistory": "018",
    "CurrencyType": "01L",
    "DatedConversionRate": "04w",
}
ZONES = ("UTC", "America/New_York", "Asia/Kolkata", "Europe/Berlin")
TIMES = ("00:00:00", "00:00:01", "02:30:00", "09:00:00", "12:00:00", "23:59:59")
OFFSETS = (1, 29, 30, 31, 59, 60, 61, 89, 90, 91, 179, 180, 181, 270, 364, 365, 366)
CLOCK_CHANGES = tuple(dt.date.fromisoformat(day) for day in ("2024-03-10", "2024-03-31", "2024-10-27", "2024-11-03"))


class Draw:
    """One org's luck: its zone, its as-of and a handful of days on which things tend to happen."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        self.zone = zoneinfo.ZoneInfo(rng.choice(ZONES))
        self.today = dt.date(2024, 9, 1) + dt.timedelta(days=rng.randrange(300))
        self.as_of = self._as_of()
        anchor = self.today - dt.timedelta(days=rng.randrange(180, 400))
        near = [anchor + dt.timedelta(days=days) for days in (0, *rng.sample(OFFSETS, 6))]
        back = [self.today - dt.timedelta(days=days) for days in (0, *rng.sample(OFFSETS, 3))]
        self.hot = [*near, *back, self.today + dt.timedelta(days=1), rng.choice(CLOCK_CHANGES)]
        self._taken: set[str] = set()

    def _as_of(self) -> dt.datetime:
        last = dt.datetime.combine(self.today, dt.time(23, 59, 59, 999999), self.zone)
        noon = dt.datetime.combine(self.today, dt.time(12), self.zone)
        return self.rng.choice([last, noon, noon + dt.timedelta(seconds=self.rng.randrange(20000))]).astimezone(dt.UTC)

    def chance(self, share: float) -> bool:
        """True in that share of the cases."""
        return self.rng.random() < share

    def id(self, name: str) -> str:
        """A new 18-character id; its order tells nothing about age."""
        letters = "0123456789ABCDEFGHIJabcdefghij"
        while True:
            found = eighteen(PREFIX[name] + "".join(self.rng.choices(letters, k=12)))
            if found not in self._taken:
                self._taken.add(found)
                return found

    def day(self) -> dt.date:
        """A local day: often one of the days that matter, sometimes after as-of."""
        if self.chance(0.75):
            return self.rng.choice(self.hot)
        return self.today - dt.timedelta(days=self.rng.randrange(-10, 420))

    def instant(self, day: dt.date | None = None) -> dt.datetime:
        """An instant of a local day, often at one of a few times."""
        time = dt.time.fromisoformat(self.rng.choice(TIMES))
        if self.chance(0.3):
            time = dt.time(self.rng.randrange(24), self.rng.randrange(60), self.rng.randrange(60))
        local = dt.datetime.combine(day or self.day(), time, self.zone)
        return local.astimezone(dt.UTC)

    def when(self, date_share: float = 0.3) -> When:
        """An instant, or in that share of the cases only a date."""
        return self.day() if self.chance(date_share) else self.instant()

    def instants(self, count: int, first: dt.datetime | None = None) -> list[dt.datetime]:
        """Some instants in order, with ties, none before `first`."""
        drawn = sorted(self.instant() for _ in range(count))
        found: list[dt.datetime] = []
        for one in drawn:
            if found and self.chance(0.1):
                one = found[-1]
            found.append(one if first is None else max(one, first))
        return found

    def local_day(self, moment: When) -> dt.date:
        """Calendar day in the org's zone."""
        return moment.astimezone(self.zone).date() if isinstance(moment, dt.datetime) else moment
