"""The report: one HTML page that needs nothing else.

Charts are drawings inside the page, so it reads and prints without script and without a
network; a policy in its head allows neither. It follows the reader's light or dark setting,
prints light, and gives every chart a sentence and a table.
"""

from __future__ import annotations

import html
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import resources

from leadline import charts
from leadline.charts import theme
from leadline.render import present, totals
from leadline.results import Result

_LONG = 16
_POLICY = "default-src 'none'; style-src 'unsafe-inline'"
_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<title>{title}</title>
<style>
{style}
</style>
</head>
<body>
<header>
<h1>{title}</h1>
{facts}
<nav aria-label="Sections"><ul>{links}</ul></nav>
</header>
<main>
{headline}
{sections}
</main>
<footer>{foot}</footer>
</body>
</html>
"""


@dataclass(frozen=True, slots=True)
class Fact:
    """A headline of the report.

    Attributes:
        label: what it is, e.g. "Bottleneck".
        value: the figure or name.
        note: a short sentence below it.
    """

    label: str
    value: str
    note: str = ""


def render(results: Mapping[str, Result], *, title: str, summary: Sequence[Fact] = (), workspace: str = "") -> str:
    """The page as HTML text.

    Args:
        results: heading of each section → its result, in the order of the page.
        title: name of the page.
        summary: headlines at its top; one sentence per section without any.
        workspace: a line for the foot, such as the name of the workspace.

    Raises:
        ValueError: there are no results.
    """
    if not results:
        raise ValueError("a report needs at least one result")
    first = next(iter(results.values()))
    anchors = {heading: _anchor(heading, i) for i, heading in enumerate(results)}
    return _PAGE.format(
        policy=_POLICY,
        title=_text(title),
        style=_style(),
        facts=_facts([pair for pair in present.facts(first) if pair[0] not in ("unit", "filters")]),
        links="".join(f'<li><a href="#{anchors[heading]}">{_text(heading)}</a></li>' for heading in results),
        headline=_headline(summary, results),
        sections="\n".join(_section(heading, result, anchors[heading]) for heading, result in results.items()),
        foot=_foot(first, workspace),
    )


def _style() -> str:
    """The style sheet with the tokens of both themes; print is always light."""
    sheet = resources.files("leadline").joinpath("report.css").read_text(encoding="utf-8")
    light, dark = theme.css_variables("light"), theme.css_variables("dark")
    return f":root {{ {light} }}\n@media screen and (prefers-color-scheme: dark) {{ :root {{ {dark} }} }}\n{sheet}"


def _section(heading: str, result: Result, anchor: str) -> str:
    blocks = [
        f'<section id="{anchor}" aria-labelledby="{anchor}-title">',
        f'<div class="title"><h2 id="{anchor}-title">{_text(heading)}</h2>{_grade(result)}</div>',
        f'<p class="definition">{_text(result.definition.text)} (definition {_text(result.definition.version)})</p>',
        _facts([pair for pair in present.facts(result) if pair[0] in ("unit", "filters")]),
        *(_figure(result, name, f"{anchor}-{name}") for name in _charts(result)),
        _table(result, anchor),
        *(f'<p class="total">{_text(line)}</p>' for line in totals.lines(result)),
        _notes(result),
        f'<p class="trust">{_text(present.trust_line(result))}</p>',
        _lineage(result),
        "</section>",
    ]
    return "\n".join(block for block in blocks if block)


def _charts(result: Result) -> list[str]:
    """Charts that stand in the report: the usual one, and the waiting share where there is one."""
    if not result.table.num_rows or result.kind not in charts.NAMES:
        return []
    names = [charts.names_of(result)[0]]
    if "waiting" in charts.names_of(result) and charts.has_waiting(result):
        names.append("waiting")
    return names


def _figure(result: Result, name: str, anchor: str) -> str:
    drawing = theme.svg_for_page(charts.svg(result, name), anchor)
    sentence = _text(charts.summary(result, name))
    return f'<figure><div class="drawing" role="img" aria-label="{sentence}">{drawing}</div><figcaption>{sentence}</figcaption></figure>'


def _table(result: Result, anchor: str) -> str:
    grid = present.grid(result)
    if not grid.rows:
        return "<p>No rows: nothing matches.</p>"
    constants = "; ".join(f"{label} {text}" for label, text in grid.constants if text)
    caption = f"{_text(result.title)}{f' ({_text(constants)})' if constants else ''}"
    heads = "".join(f'<th scope="col"{_number(h.numeric)}{_help(h.help)}>{_text(h.label)}</th>' for h in grid.headings)
    numeric = [heading.numeric for heading in grid.headings]
    rows = "\n".join(_row(row, numeric) for row in grid.rows)
    return (
        f'<div class="wide" id="{anchor}-table" role="region" aria-label="Table: {_text(result.title)}" tabindex="0">'
        f"<table><caption>{caption}</caption><thead><tr>{heads}</tr></thead><tbody>\n{rows}\n</tbody></table></div>"
    )


def _row(cells: Sequence[str], numeric: Sequence[bool]) -> str:
    first, *others = zip(cells, numeric, strict=True)
    head = f'<th scope="row"{_number(first[1])}>{_text(first[0])}</th>'
    return f"<tr>{head}{''.join(f'<td{_number(number)}>{_text(cell)}</td>' for cell, number in others)}</tr>"


def _lineage(result: Result) -> str:
    if not result.lineage:
        return ""
    rows = "".join(
        f'<tr><th scope="row">{_text(step.step)}</th><td class="number">{present.NOTHING if step.rows_in is None else f"{step.rows_in:,}"}</td>'
        f'<td class="number">{step.rows_out:,}</td><td>{_text(step.why)}</td></tr>'
        for step in result.lineage
    )
    heads = '<th scope="col">step</th><th scope="col" class="number">rows in</th><th scope="col" class="number">rows out</th><th scope="col">why</th>'
    return f"<h3>From records to the number</h3><table><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table>"


def _headline(summary: Sequence[Fact], results: Mapping[str, Result]) -> str:
    if summary:
        items = "".join(
            f'<li><div class="label">{_text(fact.label)}</div><div class="value{" long" if len(fact.value) > _LONG else ""}">{_text(fact.value)}</div>'
            f'<div class="note">{_text(fact.note)}</div></li>'
            for fact in summary
        )
        return f'<ul class="headline" aria-label="Summary">{items}</ul>'
    told = [(heading, charts.summary(result, name)) for heading, result in results.items() for name in _charts(result)]
    return (
        "<ul>" + "".join(f"<li><b>{_text(heading)}</b>: {_text(sentence)}</li>" for heading, sentence in told) + "</ul>"
    )


def _grade(result: Result) -> str:
    grade = result.trust.grade
    return f'<span class="grade">{f"Trust {grade}" if grade else "no grade"}</span>'


def _notes(result: Result) -> str:
    return (
        f'<ul class="notes">{"".join(f"<li>{_text(note)}</li>" for note in result.notes)}</ul>' if result.notes else ""
    )


def _facts(pairs: Sequence[tuple[str, str]]) -> str:
    items = "".join(f"<li>{_text(label)} <b>{_text(value)}</b></li>" for label, value in pairs)
    return f'<ul class="facts">{items}</ul>' if items else ""


def _foot(result: Result, workspace: str) -> str:
    parts = [
        workspace,
        f"Snapshot {result.snapshot}",
        "Made by Leadline. Every figure can be listed record by record with --list.",
    ]
    return "<br>".join(_text(part) for part in parts if part)


def _anchor(heading: str, place: int) -> str:
    """A word for ids and links, different for each section."""
    return f"s{place + 1}-{re.sub(r'[^a-z0-9]+', '-', heading.lower()).strip('-')}"


def _number(numeric: bool) -> str:
    return ' class="number"' if numeric else ""


def _help(text: str) -> str:
    return f' title="{_text(text)}"' if text else ""


def _text(text: str) -> str:
    """Text for HTML, in elements and in quoted attributes."""
    return html.escape(present.clean(text), quote=True)
