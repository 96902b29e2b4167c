"""What a person sees while the work runs, and the summary at its end."""

from __future__ import annotations

import datetime as dt
import io
from typing import Any

import pytest
from rich.console import Console

from leadline.cli import console, findings, overview
from leadline.cli.console import Bar, Lines
from leadline.results import ColumnType
from leadline.workspace import Bottleneck, Summary
from tests import sample_results


class Clock:
    """A clock that tests turn."""

    now = 0.0

    def monotonic(self) -> float:
        return self.now


def test_lines_say_each_step_once_it_has_ended(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    clock = Clock()
    monkeypatch.setattr(console, "time", clock)
    with Lines() as shown:
        shown.begin("read Lead.csv", 1000)
        clock.now = 3.0
        shown.advance(400)
        clock.now = 12.0
        shown.advance(300)
        clock.now = 14.5
        shown.advance(300)
        shown.begin("merge")
        clock.now = 16.0
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.splitlines() == [
        "read Lead.csv: 700 of 1,000 rows …",
        "read Lead.csv: 1,000 rows in 14.5 s",
        "merge: 1.5 s",
    ]


def test_lines_tell_of_parts_once_they_have_ended_and_every_ten_seconds(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    clock = Clock()
    monkeypatch.setattr(console, "time", clock)
    with Lines() as shown:
        shown.begin("pull", 6000)
        shown.part("Lead", 0, 5000, 1, ended=False)
        shown.part("Task", 0, 1000, 1, ended=False)
        clock.now = 4.0
        shown.part("Lead", 1000, 5000, 2, ended=False)
        shown.part("Task", 1000, 1000, 3, ended=True)
        clock.now = 10.0
        shown.part("Lead", 2000, 5000, 4, ended=False)
        clock.now = 20.0
        shown.part("Lead", 5000, 5000, 9, ended=True)
        shown.advance(6000)
    assert capsys.readouterr().err.splitlines() == [
        "  Task: 1,000 rows in 4.0 s (250/s), 3 API calls",
        "  Lead: 2,000 of 5,000 rows, 200/s, about 15 s left, 4 API calls …",
        "  Lead: 5,000 rows in 20.0 s (250/s), 9 API calls",
        "pull: 6,000 rows in 20.0 s",
    ]


def test_the_bar_has_one_for_each_part_that_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    target = io.StringIO()
    monkeypatch.setattr(console, "stderr", lambda: Console(file=target, force_terminal=True, width=140))
    with Bar() as shown:
        shown.begin("pull", 6000)
        shown.part("Lead", 1000, 5000, 2, ended=False)
        shown.part("Task", 10, 1000, 1, ended=False)
        shown.part("Task", 1000, 1000, 7, ended=True)
        shown.part("Lead", 4321, 5000, 12, ended=False)
    last = target.getvalue().rpartition("pull")[2]
    assert "4,321 rows" in last
    assert "12 API calls" in last
    assert "Task" not in last


def test_lines_do_not_call_a_failed_step_done(capsys: pytest.CaptureFixture[str]) -> None:
    def fail() -> None:
        with Lines() as shown:
            shown.begin("merge")
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert capsys.readouterr().err == ""


def test_the_bar_shows_count_and_step(monkeypatch: pytest.MonkeyPatch) -> None:
    target = io.StringIO()
    monkeypatch.setattr(console, "stderr", lambda: Console(file=target, force_terminal=True, width=120))
    with Bar() as shown:
        shown.advance(1)  # before any step: nothing to move
        shown.begin("read Lead.csv", 1000)
        shown.advance(250)
        shown.begin("read Contact.csv", 10, "records")
        shown.advance(10)
    drawn = target.getvalue()
    assert "read Contact.csv" in drawn
    assert "10 records" in drawn


def test_a_terminal_gets_the_bar_and_a_file_gets_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stderr.isatty", lambda: False, raising=False)
    assert isinstance(console.progress(), Lines)
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    assert isinstance(console.progress(), Bar)


def drawn(summary: Summary, width: int = 100) -> list[str]:
    target = Console(file=io.StringIO(), width=width)
    overview.show(summary, target)
    assert isinstance(target.file, io.StringIO)
    return [line.rstrip() for line in target.file.getvalue().splitlines()]


def sample(bottleneck: Bottleneck | None) -> Summary:
    return Summary(
        "acme",
        tuple(sample_results.STAGES),
        sample_results.funnel(),
        sample_results.conversion(),
        sample_results.velocity(),
        sample_results.influence(),
        bottleneck,
    )


def test_the_summary_names_funnel_bottleneck_campaigns_and_trust() -> None:
    lines = drawn(sample(Bottleneck("SAL", 0.561, 0.41, 702, 31.4, 236)))
    assert max(map(len, lines)) <= 100
    text = "\n".join(lines)
    assert " SAL      █████▊                     2,987   23.9 %  → SQL 38.7 %  (36.8–40.7 %) in 90 days" in text
    assert "SAL  holds 56.1 % of all waiting days of the last 12 months (41.0 % in the 12 months before)" in text
    assert "702 journeys stand there now, 236 of them stuck · half leave within 31.4 days" in text
    assert " Webinar: pipeline hygiene in a week" in text
    assert "842,100.33   24.9 %" in text
    assert "unattributed: no response in window" in text
    assert "3,386,601.39  100.0 %" in text
    assert " B  volume      96.7 % of journeys untouched by a finding" in text
    assert "Findings: undated-responses, opportunity-without-role" in text


def test_won_credit_in_the_summary_adds_up() -> None:
    lines = drawn(sample(None))
    start = next(at for at, line in enumerate(lines) if line.startswith(" CAMPAIGNS"))
    amounts = []
    for line in lines[start + 1 :]:
        if not line.strip():
            break
        amounts.append(round(100 * float(line.split("%")[0].split()[-2].replace(",", ""))))
    assert amounts[-1] == sum(amounts[:-1])


def test_the_summary_of_nothing() -> None:
    empty = Summary(
        "acme",
        ("Inquiry", "Won"),
        sample_results.make("volume", "Nothing", sample_results.VOLUME, []),
        sample_results.make("conversion", "Nothing", sample_results.CONVERSION, []),
        sample_results.make("velocity", "Nothing", sample_results.VELOCITY, []),
        None,
        None,
    )
    text = "\n".join(drawn(empty))
    assert "No journeys have reached any stage yet." in text
    assert "Nothing has waited in a stage" in text
    assert "CAMPAIGNS" not in text


@pytest.mark.parametrize(
    ("days", "said"),
    [(None, "half have not left yet"), (0.2, "half leave within a day"), (2.5, "half leave within 2.5 days")],
)
def test_the_median_in_words(days: float | None, said: str) -> None:
    assert said in " ".join(drawn(sample(Bottleneck("SAL", 0.5, None, 1, days, None))))


def test_names_from_the_data_cannot_style_the_terminal() -> None:
    summary = sample(Bottleneck("[red]SAL[/]\x1b[2J", 0.5, None, 1, 1.0, None))
    text = "\n".join(drawn(summary))
    assert "[red]SAL[/]" in text
    assert "\x1b" not in text


FINDINGS: dict[str, ColumnType] = {
    "code": "text", "severity": "text", "rows": "integer", "amount": "money", "moves": "list",
    "first_seen": "instant", "last_seen": "instant", "accepted": "boolean", "object": "text", "message": "text",
    "remedy": "text", "accepted_until": "date", "accepted_reason": "text", "rows_before": "integer",
}  # fmt: skip


EARLIER = dt.datetime(2026, 10, 4, 12, 0)
SEEN = (dt.datetime(2026, 11, 1, 4, 0), dt.datetime(2026, 11, 1, 4, 0))


def moves(*metrics: str) -> list[dict[str, Any]]:
    """Moves by an amount that is not known."""
    nothing = dict.fromkeys(("from", "to", "number", "kind", "low", "high"))
    return [{"metric": metric, **nothing} for metric in metrics]


def move(metric: str, number: str, kind: str, before: float, after: float, judged: bool = False) -> dict[str, Any]:
    low, high = (min(before, after), max(before, after)) if judged else (after, after)
    return {"metric": metric, "from": before, "to": after, "number": number, "kind": kind, "low": low, "high": high}


def told(rows: list[tuple]) -> list[str]:
    target = Console(file=io.StringIO(), width=100)
    findings.show(sample_results.make("audit", "Findings", FINDINGS, rows), target)
    assert isinstance(target.file, io.StringIO)
    return [line.rstrip() for line in target.file.getvalue().splitlines()]


def test_findings_are_told_with_message_remedy_and_what_they_move() -> None:
    moved = [
        move("influence", "won amount with a touch", "money", 9.5, 11.05, judged=True),
        move("volume", "journeys that reached MQL", "count", 1200, 1200),
        move("conversion", "rate MQL > SAL", "rate", 0.5, 0.512),
    ]
    taken = (dt.date(2027, 3, 1), "It is known.")
    lines = told(
        [
            ("no-role", "error", 185, 395_009_057, moved, *SEEN, False, "Opportunity", "185 have no role.", "Add roles.",
             None, None, 180),
            ("late", "warning", 0, None, [], *SEEN, False, None, "It starts late.", None, None, None, None),
            ("odd", "warning", 2, None, moves("volume", "velocity"), EARLIER, SEEN[1], False, None, "Two are odd.", None,
             None, None, 2),
            ("known", "info", 1, None, [], *SEEN, True, None, "One is known.", None, *taken, None),
        ]
    )  # fmt: skip
    assert lines[1] == "1 error · 2 warnings · 1 info"
    assert lines[3:8] == [
        "error  no-role  185 Opportunity · 3,950,090.57 USD",
        "  185 have no role.",
        "  Add roles.",
        "  moves won amount with a touch 9.50 USD → up to 11.05 USD; rate MQL > SAL 50.00 % → 51.20 %",
        "  180 in the snapshot before",
    ]
    assert lines[9:11] == ["warning  late", "  It starts late."]
    assert lines[12:16] == [
        "warning  odd  2 records",
        "  Two are odd.",
        "  can move volume, velocity; by how much cannot be said",
        "  first seen in the load of 2026-10-04 14:00",
    ]
    assert lines[17] == "Accepted; they count in every grade all the same"
    assert lines[19:22] == ["info  known  1 record", "  One is known.", "  accepted until 2027-03-01: It is known."]
    assert lines[-1] == "leadline audit --list CODE lists the records of a finding."


def test_no_findings() -> None:
    assert told([])[1:] == ["None: no check found a fault."]
