"""Commands that look at everything: the summary, the report, the audit."""

from __future__ import annotations

from pathlib import Path

import typer

from leadline.cli.console import progress, say
from leadline.cli.options.demo import ReportFile
from leadline.cli.options.question import Form, Place
from leadline.cli.options.source import AcceptedCode, FindingCode, FindingsBy, Quick, Reason, Strict, Until


def summary(place: Place) -> None:
    """The funnel with its rates, the bottleneck, the campaigns with the most credit, and how far to trust them."""
    from leadline import workspace
    from leadline.cli.overview import show

    show(workspace.open(place.workspace).summary())


def report(place: Place, output: ReportFile = Path("report.html")) -> None:
    """Write one HTML page with the four insights and their charts; it needs nothing else."""
    from leadline import workspace

    with progress() as shown:
        workspace.open(place.workspace).report(output, progress=shown)
    say(f"Written: {output}")


def audit(
    place: Place,
    form: Form,
    code: FindingCode = None,
    by: FindingsBy = None,
    quick: Quick = False,
    strict: Strict = False,
) -> None:
    """Faults of the data: how many records, how much money, which numbers they move and by how much."""
    from leadline import workspace
    from leadline.cli import findings
    from leadline.cli.deliver import deliver

    checks = workspace.open(place.workspace).audit
    if code is None and by is None and not (form.format or form.output or form.wide):
        findings.show(checks.table(effects=not quick), digest=() if quick else checks.digest() or ())
    elif by is not None:
        deliver(checks.table(by=by, code=code), form)
    else:
        deliver(checks.table(effects=not quick) if code is None else checks.records(code), form)
    if strict and checks.has_errors():
        raise typer.Exit(3)


def accept(place: Place, code: AcceptedCode, reason: Reason, until: Until) -> None:
    """Accept a finding for a while: it counts in every grade as before, and --strict passes over it."""
    from leadline import workspace
    from leadline.dates import parse_day

    day = parse_day(until, "--until")
    written = workspace.open(place.workspace).audit.accept(code, reason=reason, until=day)
    say(f"Accepted {code} for loads up to {day}. Written: {written}")
