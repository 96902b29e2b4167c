"""What every metric says of the rules it was read by: what was read at as-of, and what dates a close."""

from __future__ import annotations

import ibis

from leadline.config import Settings
from leadline.dates import format_instant
from leadline.model.opened import Opened

CLOSE_FIELD = "Closes are dated by CloseDate alone, not by stage history (close_date = field)."
_HISTORY = "StageName, Amount and CloseDate of opportunities"
_ALWAYS = "owner, campaign, account, roles and every other field, who is whom, deletions and rates"


def definition(text: str, opened: Opened) -> str:
    """The text of a definition with the rules that the question has switched."""
    return f"{text} {CLOSE_FIELD}" if opened.settings.opportunities.close_date == "field" else text


def notes(opened: Opened) -> tuple[str, ...]:
    """Sentences that a result of this snapshot must carry whatever it counts."""
    frozen = opened.meta.get("frozen")
    said = [f"Frozen as {frozen}."] if frozen else []
    said += [CLOSE_FIELD] if opened.settings.opportunities.close_date == "field" else []
    if opened.moment > opened.known_at:
        said.append(
            f"As-of lies after what is known ({format_instant(opened.known_at)}): what came since is not in it."
        )
    if opened.moment != opened.known_at:
        said.append(_readings(opened))
    return tuple(said)


def _readings(opened: Opened) -> str:
    """Which columns were read at as-of and which as they were known at the load (definitions, "Time")."""
    at_as_of, at_load = ["the dates of events"], list[str]()
    (at_as_of if _told(opened, "opportunity_stages", "Opportunity") else at_load).append(_HISTORY)
    for name, field in _mapped_fields(opened.settings):
        (at_as_of if _told(opened, "stage_entries", name) else at_load).append(f"{name}.{field}")
    known = format_instant(opened.known_at)
    return (
        f"Read at as-of: {', '.join(at_as_of)}, as far as history or earlier loads show them; as known at {known}: "
        f"{', '.join([*at_load, _ALWAYS])}."
    )


def _mapped_fields(settings: Settings) -> list[tuple[str, str]]:
    """Fields whose values enter a stage or an outcome, StageName aside, in the order of the settings."""
    found: dict[tuple[str, str], None] = {}
    for funnel in settings.funnel.values():
        ends = [*funnel.outcomes.disqualified, *funnel.outcomes.recycled]
        for source in [*(source for stage in funnel.stages for source in stage.sources), *ends]:
            if source.values and source.field and source.field != "StageName":
                found[source.object, source.field] = None
    return list(found)


def _told(opened: Opened, table: str, name: str) -> bool:
    """Whether history or two loads show values of the object through time."""
    rows = opened[table]
    if "object" in rows.columns:
        rows = rows.filter(rows.object == name)
    told = rows.filter(rows.evidence.isin(["history", "observed"])).limit(1)
    return bool(opened.arrow(told.aggregate(count=ibis._.count())).to_pylist()[0]["count"])
