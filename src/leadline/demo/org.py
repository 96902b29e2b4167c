"""A generated Salesforce org with known answers: `generate` writes its files.

The same people, seed and as-of give the same files byte for byte. What the numbers of such an
org must be says `leadline.demo.truth`.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Final, get_args

import pyarrow as pa

from leadline.demo.clock import Clock
from leadline.demo.params import Parameters
from leadline.demo.render_deals import deal_tables
from leadline.demo.render_members import member_tables
from leadline.demo.render_people import people_tables
from leadline.demo.render_shared import organization_id, shared_tables
from leadline.demo.scene import Scene
from leadline.demo.stories import Stories, blocks, tell
from leadline.demo.world import World, make_world
from leadline.demo.writers import Format, Writer, open_writer
from leadline.errors import UsageError
from leadline.progress import Progress, Silent

Mend = Callable[[str, pa.Table], pa.Table]
"""Object and its records → the records to write."""

AS_OF: Final = dt.date(2026, 6, 30)
"""Day the org is looked at unless told otherwise."""

CONFIG_TOML: Final = """\
# Workspace of the demo org. Time zone and currency come from the org itself
# (Organization.TimeZoneSidKey, CurrencyType.IsCorporate); a weekly export has no
# Organization file: then say  timezone = "America/New_York"  below.
[workspace]
fiscal_year_start = 1
week_start = "monday"

# The funnel, first stage first. Every entry of a list is one thing that shows the stage was
# reached; entries are the union of all of them.
[funnel.main]
look_back_days = 90    # how long before qualification a response can tip the journey
dormancy_days = 180    # without activity for so long a journey ends

[[funnel.main.stages]]
name = "Inquiry"
from = [{object = "CampaignMember", milestone = "response"}]

[[funnel.main.stages]]
name = "MQL"
from = [
  {object = "Lead", field = "MQL_Date__c", stamp = true},
  {object = "Contact", field = "MQL_Date__c", stamp = true},
  {object = "Lead", field = "Status", values = ["MQL"]},
]

[[funnel.main.stages]]
name = "SAL"
from = [
  {object = "Lead", field = "SAL_Date__c", stamp = true},
  {object = "Contact", field = "SAL_Date__c", stamp = true},
  {object = "Lead", field = "Status", values = ["SAL"]},
]

[[funnel.main.stages]]
name = "SQL"
from = [{object = "Opportunity", milestone = "created"}]

[[funnel.main.stages]]
name = "Won"
from = [{object = "Opportunity", milestone = "won"}]

[funnel.main.outcomes]
disqualified = [{object = "Lead", field = "Status", values = ["Disqualified"]}]
recycled = [{object = "Lead", field = "Status", values = ["Recycled"]}]

# Providers of private mailboxes beside the usual ones, which are known.
[matching]
free_mail = ["freemail.example"]

# Who generated the lead, by campaign type of the origin, else by LeadSource.
[generated_by]
Email = "marketing"
Content = "marketing"
Webinar = "marketing"
"Paid Search" = "marketing"
Event = "marketing"
Partner = "partner"
"Partner Referral" = "partner"
Outbound = "sales"
"Purchased List" = "other"
"""
"""A `leadline.toml` that fits the demo org."""

EXPORT_CONFIG_TOML: Final = CONFIG_TOML.replace("[workspace]\n", '[workspace]\ntimezone = "America/New_York"\n', 1)
"""The same for the weekly export, which does not name the org's time zone."""


@dataclass(frozen=True)
class DemoOrg:
    """An org that `generate` wrote.

    Attributes:
        folder: where its files are.
        format: how they are written.
        paths: object → files (or archives) that hold it.
        parameters: every rate of behaviour and dirt, and what was planted.
        as_of: the day the org is looked at.
        rows: object → records rendered, deleted ones included.
    """

    folder: Path
    format: Format
    paths: dict[str, list[Path]]
    parameters: Parameters
    as_of: dt.date
    rows: dict[str, int] = field(default_factory=dict)

    @cached_property
    def world(self) -> World:
        """Calendar, campaigns, rates."""
        return make_world(Clock(self.as_of, self.parameters.days), self.parameters)

    @property
    def extracted_at(self) -> dt.datetime:
        """The newest stamp in the files, which is the default as-of."""
        return dt.datetime.fromtimestamp(self.world.clock.as_of_utc, dt.UTC)

    def stories(self) -> Iterator[Stories]:
        """The stories of each block of people, told again."""
        for block, count in blocks(self.parameters.people):
            yield tell(self.world, block, count)


def generate(
    out: Path,
    *,
    people: int = 20_000,
    seed: int = 7,
    format: Format = "csv",
    as_of: dt.date = AS_OF,
    planted: bool = True,
    mend: Mend | None = None,
    progress: Progress | None = None,
) -> DemoOrg:
    """Write a demo org.

    Args:
        out: folder for the files; made if needed, files of the same name are replaced.
        people: how many people; campaign members are about five times as many.
        seed: another seed, another org.
        format: "csv" (values as the API gives them), "parquet" (typed), "export-zip" (as the weekly
            export; it lacks deleted records, status history and picklists, see `writers.NOT_EXPORTED`).
        as_of: the day after the last day of its history of 24 months.
        planted: whether slow, stuck and poor segments are put in; without, none differs by design.
        mend: what is done to the records of each object before they are written. The stories stay, so
            that an org and its mended twin differ in these records only.
        progress: hears of the people done.

    Raises:
        UsageError: `people` is below 1 or the format is unknown.
    """
    if people < 1:
        raise UsageError(f"people = {people}: a demo org needs at least 1 person.")
    if format not in get_args(Format):
        raise UsageError(f"format = {format!r} is unknown; use one of {', '.join(get_args(Format))}.")
    parameters = Parameters(people=people, seed=seed)
    if not planted:
        parameters = parameters.plain()
    writer = open_writer(out, format, organization_id())
    org = DemoOrg(out, format, writer.paths, parameters, as_of)
    heard = progress or Silent()
    heard.begin(f"make {people:,} people", people, "people")
    _write(org, writer, heard, mend or _as_told)
    return org


def _as_told(name: str, table: pa.Table) -> pa.Table:
    return table


def _write(org: DemoOrg, writer: Writer, progress: Progress, mend: Mend) -> None:
    for name, table in shared_tables(org.world):
        _put(org, writer, name, mend(name, table))
    for block, count in blocks(org.parameters.people):
        # A block has four parts of about the same length: its stories and three kinds of tables.
        quarter = count // 4
        scene = Scene(org.world, tell(org.world, block, count))
        progress.advance(count - 3 * quarter)
        for tables in (people_tables, member_tables, deal_tables):
            for name, table in tables(scene):
                _put(org, writer, name, mend(name, table))
            progress.advance(quarter)
    progress.begin("finish the files")
    writer.close()


def _put(org: DemoOrg, writer: Writer, name: str, table: pa.Table) -> None:
    org.rows[name] = org.rows.get(name, 0) + len(table)
    writer.write(name, table)
