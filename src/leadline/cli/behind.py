"""Explanations and stories as plain text."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from leadline.render.present import clean, percent

if TYPE_CHECKING:
    from leadline.explain import Explanation
    from leadline.explain.stories import Story
    from leadline.results import Result

WIDTH = 110
SHOWN_ADDRESSES = 200
"""Most addresses listed of one table; JSON has the whole table."""


def explanation_text(found: Explanation) -> str:
    """Everything known of a number, the sentence first and the SQL last."""
    return "\n".join(clean(line) if "\n" not in line else line for line in _explained(found)) + "\n"


def _explained(found: Explanation) -> Iterator[str]:
    yield found.sentence
    if found.formula:
        yield f"  {found.formula}"
    frozen = f" · frozen as {', '.join(found.frozen)}" if found.frozen else ""
    yield f"{found.address}"
    yield f"as of {found.as_of:%Y-%m-%d %H:%M} UTC · known at {found.known_at:%Y-%m-%d %H:%M} UTC · {found.snapshot}{frozen}"
    yield ""
    yield from _wrapped(f"Definition {found.definition['version']}: {found.definition['text']}")
    filters = ", ".join(f"{name} {value}" for name, value in found.filters.items())
    yield f"Filters: {filters or 'none'} · unit {found.unit}"
    yield from _section("Steps", (_step(step) for step in found.steps))
    yield from _section("Rests on", (f"{one['object']}: {', '.join(one['fields'])}" for one in found.sources))
    yield from _section("Loads", (_load(one) for one in found.loads))
    evidence = ", ".join(f"{count:,} {name}" for name, count in found.evidence.items())
    yield from _section("Trust", [_grade(found.grade), f"evidence: {evidence or 'none'}"])
    yield from _section("Findings", (_fault_line(one) for one in found.findings))
    yield from _section("Before", [_before(found.previous)])
    yield from _section("Notes", found.notes)
    if found.sql:
        yield "\nSQL\n" + textwrap.indent(found.sql, "  ")


def _load(load: dict[str, Any]) -> str:
    """One load, with the rows of its files that were not loaded, or that all of them were."""
    counts = load.get("files", {})
    rows, loaded = (sum(one[name] for one in counts.values()) for name in ("rows", "loaded"))
    short = ", ".join(
        f"{name} {one['loaded']:,} of {one['rows']:,}" for name, one in counts.items() if one["rows"] != one["loaded"]
    )
    told = f"; {loaded:,} of {rows:,} rows of its files loaded{f' ({short})' if short else ''}" if counts else ""
    return f"{load['extracted_at']} {load['name']} ({load['coverage']}){told}"


def _section(title: str, lines: Iterable[str]) -> Iterator[str]:
    written = [line for line in lines if line]
    if written:
        yield ""
        yield title
        for line in written:
            yield from _wrapped(line, "  ")


def _wrapped(text: str, indent: str = "") -> list[str]:
    return textwrap.wrap(clean(text), WIDTH, initial_indent=indent, subsequent_indent=indent + "  ") or [""]


def _step(step: Any) -> str:
    came = "" if step.rows_in is None else f"{step.rows_in:,} → "
    return f"{step.step}: {came}{step.rows_out:,}{f' ({step.why})' if step.why else ''}"


def _grade(grade: Mapping[str, Any]) -> str:
    if grade["grade"] is None:
        return "no grade"
    touched = ", ".join(f"{code} touches {count:,}" for code, count in grade["touched"].items())
    return f"{grade['grade']}: {percent(grade['clean_share'])} untouched{f'; {touched}' if touched else ''}"


def _fault_line(one: Mapping[str, Any]) -> str:
    return f"{one['severity']} {one['code']}: {one['message']} {one['remedy'] or ''}"


def _before(previous: Mapping[str, Any]) -> str:
    place = f"{previous['snapshot']} (as of {previous['as_of']}): " if "snapshot" in previous else ""
    if "why" in previous:
        return f"{place}{previous['why']}"
    change = f", change {previous['change']}" if previous["change"] is not None else ""
    return f"{place}{previous['value']}{change}"


def addresses_text(table: Result) -> str:
    """The numbers of a table, each with its address."""
    lines = [clean(table.title)]
    plain = table.plain().to_pylist()
    numbers = [one.name for one in table.columns if one.type in ("integer", "money", "rate", "number")]
    pairs = ((at, name) for at, row in enumerate(plain) for name in numbers if row[name] is not None)
    for count, (at, name) in enumerate(pairs):
        if count == SHOWN_ADDRESSES:
            lines.append(f"… the first {SHOWN_ADDRESSES}; --format json has every row.")
            break
        lines.append(f"{plain[at][name]}\t{table.address(at, name)}")
    return "\n".join(lines) + "\n"


def field_text(found: Result) -> str:
    """Which metrics rest on a field and which do not, then the tables."""
    rows = found.table.to_pylist()
    lines = [clean(found.title), ""]
    for wanted, title in ((True, "These numbers change with it"), (False, "These do not")):
        named = [row["metric"] for row in rows if row["rests_on_it"] is wanted]
        lines += [f"{title}: {', '.join(named) or 'none'}"]
    lines += ["", "Tables of the model", *(part for note in found.notes for part in _wrapped(note, "  "))]
    return "\n".join(lines) + "\n"


def story_text(story: Story) -> str:
    """A story: facts, events in order of time, credit by model, what is to be said beside."""
    lines = [clean(story.title), *_facts(story.facts), "", "Events"]
    for event in story.events:
        moment = (event["at"] or "no time").replace("T", " ").removesuffix("Z")
        told = [event["stage"], event["campaign"], event["fate"], event["evidence"], event["opportunity_id"]]
        words = " · ".join(str(one) for one in told if one)
        why = f" – {event['why']}" if event["why"] else ""
        lines.append(clean(f"  {moment:<19}  {event['kind']:<20} {words}{why}"))
    lines += _credits(story.credits)
    for note in story.notes:
        lines += _wrapped(f"Note: {note}")
    return "\n".join(lines) + "\n"


def _facts(facts: Mapping[str, Any]) -> Iterator[str]:
    for name, value in facts.items():
        if isinstance(value, list):
            for one in value:
                told = one if not isinstance(one, Mapping) else " · ".join(f"{key} {each}" for key, each in one.items())
                yield from _wrapped(f"{name.replace('_', ' ')}: {told}", "  ")
        elif value is not None:
            yield from _wrapped(f"{name.replace('_', ' ')}: {value}", "  ")


def _credits(credits: Iterable[Mapping[str, Any]]) -> list[str]:
    """Credit by opportunity and model; responses that no model looks at come last."""
    lines: list[str] = []
    place: tuple[Any, Any] = (None, None)
    for row in credits:
        here = row["opportunity_id"], row["model"]
        if here != place:
            lines += ["", f"Credit of {here[0]}: {here[1] or 'looked at by no model'}"]
            place = here
        points = f" · {row['points']:,} points" if row["points"] is not None else ""
        what = row["campaign"] or row["bucket"] or ""
        why = f" – {row['why']}" if row["why"] else ""
        lines.append(clean(f"  {row['amount'] or '0':>16}  {what} {row['response_id'] or ''}{points}{why}"))
    return lines
