"""The summary in a terminal: funnel, bottleneck, campaigns, trust."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from leadline.cli.console import stdout
from leadline.cli.findings import digest_lines
from leadline.render.present import amount_text, clean, local_time, percent

if TYPE_CHECKING:
    from leadline.results import Result
    from leadline.workspace.summary import Bottleneck, Summary

WIDTH = 100
BAR = 24
NAME = 42
CAMPAIGNS = 5
_EIGHTHS = " ▏▎▍▌▋▊▉"
_GRADES = {"A": "bold green", "B": "bold green", "C": "bold yellow", "D": "bold red", None: "dim"}


def show(summary: Summary, console: Console | None = None) -> None:
    """Print the summary, at most 100 columns wide."""
    target = console or stdout()
    target.print(
        Padding(_page(summary), (1, 1), expand=False), width=min(WIDTH, target.width), highlight=False, soft_wrap=False
    )


def _page(summary: Summary) -> Group:
    parts: list[RenderableType] = [_head(summary), *_funnel(summary), *_waiting(summary)]
    if summary.influence is not None:
        parts += _campaigns(summary.influence)
    return Group(*parts, *_trust(summary))


def _head(summary: Summary) -> Text:
    result = summary.funnel
    moment = f"as of {local_time(result.as_of, result.timezone)} {result.timezone}"
    line = Text.assemble(("Leadline", "bold"), f" · {clean(summary.workspace)} · {moment}")
    money = f" · amounts in {result.currency}" if result.currency else ""
    return line.append(f"\nsnapshot {clean(result.snapshot)}{money}", "dim")


def _section(title: str, aside: str = "") -> Text:
    return Text.assemble("\n", (title.upper(), "bold cyan"), (f"  {aside}" if aside else "", "dim"))


def _funnel(summary: Summary) -> list[RenderableType]:
    rows = {row["stage"]: row for row in summary.funnel.table.to_pylist()}
    counts = {stage: rows[stage]["count"] if stage in rows else 0 for stage in summary.stages}
    implied = {stage: row["implied"] for stage, row in rows.items() if row["implied"]}
    steps = {row["from_stage"]: row for row in summary.conversion.table.to_pylist()}
    most = max(counts.values(), default=0)
    table = _grid("left", "left", "right", "right", "left")
    first = next(iter(counts.values()), 0)
    for stage, count in counts.items():
        share = percent(count / first) if first else ""
        table.add_row(
            Text(clean(stage), "bold"), _bar(count, most, "cyan"), f"{count:,}", share, _step(steps.get(stage))
        )
    notes = [Text(clean(note), "dim") for note in summary.funnel.notes]
    if implied:
        known = ", ".join(f"{count:,} of {counts[stage]:,} in {clean(stage)}" for stage, count in implied.items())
        notes.insert(0, Text(f"Without a time of their own, shown by a later stage: {known}.", "dim"))
    if not most:
        return [_section("Funnel"), Text(f"No {summary.funnel.unit} have reached any stage yet."), *notes]
    aside = f"{summary.funnel.unit} that have reached each stage · share of the first · cohort rate to the next"
    return [_section("Funnel", aside), table, *notes]


def _step(row: dict[str, Any] | None) -> Text:
    """The rate to the next stage with its 95 % interval."""
    if row is None:
        return Text("")
    if row["rate"] is None:
        why = "none is old enough yet" if row["too_young"] else "no time of entry is known"
        return Text(f"→ {clean(row['to_stage'])}  {why}", "dim")
    text = Text.assemble("→ ", clean(row["to_stage"]), " ", (percent(row["rate"]), "bold"))
    low, high = percent(row["rate_low"]).removesuffix(" %"), percent(row["rate_high"])
    text.append(f"  ({low}–{high}) in {row['window_days']} days", "dim")
    return text.append(" small", "yellow") if row["small"] else text


def _waiting(summary: Summary) -> list[RenderableType]:
    found = summary.bottleneck
    if found is None:
        return [_section("Bottleneck"), Text("Nothing has waited in a stage during the last 12 months.")]
    head = Text.assemble((clean(found.stage), "bold yellow"), f"  holds {percent(found.share)} of all waiting days")
    head.append(" of the last 12 months")
    if found.share_before is not None:
        head.append(f" ({percent(found.share_before)} in the 12 months before)")
    aside = "leadline velocity --stuck lists the records"
    return [_section("Bottleneck", aside), head, Text(_standing(found, summary.velocity.unit))]


def _standing(found: Bottleneck, unit: str) -> str:
    now = f"{found.standing:,} {unit} stand there now"
    stuck = "" if found.stuck is None else f", {found.stuck:,} of them stuck"
    return f"{now}{stuck} · {_half(found.median_days)}{driven(found)}"


def driven(found: Bottleneck) -> str:
    """The segment that drives the bottleneck, in words; empty without one."""
    if found.driver is None:
        return ""
    days, units = percent(found.driver_share), percent(found.driver_unit_share)
    return f" · most beyond its size: {clean(found.driver)}, {days} of the days with {units} of the units"


def _half(days: float | None) -> str:
    if days is None:
        return "half have not left yet"
    return "half leave within a day" if days < 1 else f"half leave within {days:,.1f} days"


def _campaigns(influence: Result) -> list[RenderableType]:
    """The campaigns with the most won credit, what the others have, what nobody has: together all that was won."""
    rows = [row for row in influence.table.to_pylist() if row["won_amount"]]
    named = [row for row in rows if row["bucket"] == "campaign"]
    named.sort(key=lambda row: (-row["won_amount"], row["campaign"] or ""))
    first, others = named[:CAMPAIGNS], named[CAMPAIGNS:]
    lines = [(row["campaign"] or row["campaign_id"], row["won_amount"], "green") for row in first]
    if others:
        lines.append((f"{len(others)} more", sum(row["won_amount"] for row in others), ""))
    for row in rows:
        if row["bucket"] != "campaign":
            lines.append((f"{row['bucket']}: {row['reason']}", row["won_amount"], "bright_black"))
    total = influence.totals[0]["won_total_amount"]
    lines.append(("total won", total, ""))
    most = max((amount for _, amount, colour in lines if colour), default=0)
    table = _grid("left", "left", "right", "right")
    for name, amount, colour in lines:
        label = Text(clean(name), "" if colour == "green" else "dim", no_wrap=True)
        bar = _bar(amount, most, colour) if colour else ""
        table.add_row(label, bar, amount_text(influence, amount), percent(amount / total) if total else "")
    model = influence.totals[0]["model"]
    return [_section("Campaigns", f"won amount credited, {model} split over the responses before the close"), table]


def _trust(summary: Summary) -> list[RenderableType]:
    table = _grid("left", "left", "left")
    for name, result in summary.results().items():
        trust = result.trust
        share = (
            "" if trust.clean_share is None else f"{percent(trust.clean_share)} of {result.unit} untouched by a finding"
        )
        table.add_row(Text(trust.grade or "–", _GRADES[trust.grade]), name.lower(), share)
    codes = dict.fromkeys(code for result in summary.results().values() for code in result.trust.findings)
    found = Text(f"Findings: {', '.join(map(clean, codes))}", "dim") if codes else Text("No findings.", "dim")
    return [_section("Trust", "leadline audit lists every finding"), table, found, *_digest(summary)]


def _digest(summary: Summary) -> list[RenderableType]:
    """What to mend first, where it has been measured."""
    if summary.digest is None:
        return [Text("leadline audit measures by how much they move these numbers.", "dim")]
    return list(digest_lines(summary.digest, summary.funnel))


def _grid(*sides: Literal["left", "right"]) -> Table:
    """Columns beside each other; only the first one, which holds names, gives way."""
    table = Table.grid(padding=(0, 2, 0, 0))
    for at, side in enumerate(sides):
        table.add_column(justify=side, no_wrap=True, overflow="ellipsis", max_width=None if at else NAME)
    return table


def _bar(value: int, most: int, colour: str) -> Text:
    """A bar of at most 24 cells, drawn in eighths; what is above zero is never invisible."""
    eighths = round(8 * BAR * value / most) if most else 0
    eighths = max(eighths, 1) if value > 0 else 0
    whole, part = divmod(eighths, 8)
    return Text("█" * whole + (_EIGHTHS[part] if part else ""), colour)
