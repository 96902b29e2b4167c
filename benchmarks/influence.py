"""`make bench-influence`: path models by size and number of states, beside the peers, in one run.

Journeys are generated: lengths geometric with mean 3.5, at most 30; states by a power law; three in ten
convert. Each question is a process of its own, on the same CSV file for everyone. Peers live in
environments of their own below `bench-workspace/`; one that cannot be installed is said.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from benchmarks.machine import ROOT, Measured, description, measured

PLACE = ROOT / "bench-workspace" / "influence"
KEPT = Path(__file__).with_name("influence.md")
PEER_SCRIPT = Path(__file__).with_name("peer_paths.py")
LIMIT = 300
"""Seconds after which a peer is stopped."""

# What each peer's environment needs: the C++ package imports matplotlib without asking for it.
PEERS = {
    "channelattribution": ["channelattribution", "matplotlib"],
    "marketing-attribution-models": ["marketing-attribution-models"],
}
PEER_QUESTIONS = {
    "channelattribution": ("rules", "markov1", "markov3"),
    "marketing-attribution-models": ("rules", "markov1", "shapley_coverage"),
}
QUESTIONS = {
    "rules": "first,last,even,u_shaped,time_decay",
    "markov1": "markov",
    "markov3": "markov --order 3",
    "shapley_coverage": "shapley_coverage",
}
TITLES = {
    "rules": "first, last, even, U, time decay",
    "markov1": "Markov, order 1",
    "markov3": "Markov, order 3",
    "shapley_coverage": "Shapley, coverage",
}
# Name: journeys, states, questions, seconds of the model that are the aim.
SIZES: dict[str, tuple[int, int, dict[str, float]]] = {
    "1M journeys, 12 states": (
        1_000_000,
        12,
        {"rules": 1.0, "markov1": 0.8, "markov3": 2.0, "shapley_coverage": 1.5},
    ),
    "1M journeys, 2,000 states": (1_000_000, 2_000, {"rules": 1.5, "markov1": 2.0, "shapley_coverage": 1.5}),
    "5M journeys, 12 states": (
        5_000_000,
        12,
        {"rules": 5.0, "markov1": 4.0, "markov3": 10.0, "shapley_coverage": 7.5},
    ),
}
GROWTH_TOUCHES = (100_000, 1_000_000, 10_000_000)
GROWTH_STATES = (20, 100, 500, 1_000, 2_000, 5_000)


def arrays(journeys: int, states: int, seed: int = 7) -> tuple[Any, Any, Any, Any]:
    """Touches, offsets, conversions and value in minor units of generated journeys."""
    import numpy as np

    chance = np.random.default_rng(seed)
    offsets = np.concatenate([[0], np.cumsum(np.clip(chance.geometric(1 / 3.5, journeys), 1, 30))])
    often = 1 / np.arange(1, states + 1) ** 0.8
    touches = chance.choice(states, offsets[-1], p=often / often.sum())
    won = chance.random(journeys) < 0.3
    return touches, offsets, won.astype(np.float64), np.where(won, chance.integers(100, 100_000, journeys), 0)


def file_of(name: str) -> Path:
    """The CSV file of a size, made if it is not there."""
    import pyarrow as pa
    import pyarrow.compute as pc
    from pyarrow import csv

    journeys, states, _ = SIZES[name]
    path = PLACE / f"{journeys}-{states}.csv"
    if not path.exists():
        PLACE.mkdir(parents=True, exist_ok=True)
        touches, offsets, won, value = arrays(journeys, states)
        names = pa.array([f"state {number}" for number in range(states)])
        lists = pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), names.take(pa.array(touches)))
        columns = {
            "path": pc.binary_join(lists, " > "),
            "conversions": won.astype(int),
            "value": value / 100,
            "nulls": 1 - won.astype(int),
        }
        csv.write_csv(pa.table(columns), path)
    return path


def ours(question: str, file: str) -> None:
    """One question to the models of Leadline: reading and model apart, as JSON on the last line."""
    from leadline.maths.paths import models
    from leadline.path_table import Columns, Options
    from leadline.path_table.reading import from_file

    began = time.perf_counter()
    table = from_file(Path(file), Columns("path", "conversions", "value", "nulls"), " > ", ",", None, "")
    read = time.perf_counter() - began
    names, _, order = QUESTIONS[question].partition(" --order ")
    began, used = time.perf_counter(), time.process_time()
    found = [models.credit(table.given, one, Options(order=int(order or 1))) for one in names.split(",")]
    spent, used = time.perf_counter() - began, time.process_time() - used
    shown = found[2] if question == "rules" else found[0]
    credit = dict(zip(table.names, shown.conversions.tolist(), strict=True))
    print(json.dumps({"read": read, "model": spent, "cpu": used, "credit": credit}))


def growth() -> None:
    """Seconds of each model by touches and by states, on arrays, as JSON on the last line."""
    from leadline.maths.paths import models
    from leadline.maths.paths.journeys import journeys

    found: dict[str, dict[str, float]] = {"touches": {}, "states": {}}
    for axis, sizes in (("touches", GROWTH_TOUCHES), ("states", GROWTH_STATES)):
        for size in sizes:
            many, states = (round(size / 3.5), 12) if axis == "touches" else (300_000, size)
            touches, offsets, won, value = arrays(many, states)
            given = journeys(touches, offsets, won, nulls=1 - won, value=value, states=states)
            for model in ("even", "markov", "shapley_coverage"):
                began = time.perf_counter()
                models.credit(given, model)
                found[axis][f"{size} {model}"] = time.perf_counter() - began
    print(json.dumps(found))


def environment(peer: str) -> Path | str:
    """The Python of a peer's environment, made if it is not there; else why there is none."""
    place = PLACE / "environments" / peer
    python = place / "bin" / "python"
    if not (place / "made").exists():
        for command in (
            [sys.executable, "-m", "venv", str(place)],
            [str(python), "-m", "pip", "install", "-q", *PEERS[peer]],
        ):
            run = subprocess.run(command, capture_output=True, text=True, check=False)
            if run.returncode:
                return (run.stderr or run.stdout).strip().splitlines()[-1]
        (place / "made").touch()
    return python


def asked(command: list[str]) -> tuple[Measured, dict[str, Any]] | str:
    """A process measured, with the JSON of its last line; else why it did not answer."""
    try:
        one = measured(["timeout", str(LIMIT), *command])
    except RuntimeError as fault:
        text = str(fault)
        return f"no answer in {LIMIT} s" if "ended with 124" in text else f"failed: {text.strip().splitlines()[-1]}"
    return one, json.loads(one.output.strip().splitlines()[-1])


def compared(name: str) -> list[str]:
    """Rows of one size: ours, the whole command, then the peers."""
    aims = SIZES[name][2]
    file = str(file_of(name))
    pythons = {peer: environment(peer) for peer in PEERS}
    lines = []
    for question, aim in aims.items():
        say(f"{name}: {question}")
        own = asked([sys.executable, "-m", "benchmarks.influence", "ours", question, file])
        whole = whole_command(question, file)
        lines.append(_line(question, "leadline", own, None, f"{aim:.1f}", whole))
        for peer, python in pythons.items():
            if question not in PEER_QUESTIONS[peer]:
                continue
            what = f"not installed: {python}" if isinstance(python, str) else ""
            answer = what or asked([str(python), str(PEER_SCRIPT), peer, question, file])
            lines.append(_line(question, peer, answer, own, "", ""))
    return lines


def whole_command(question: str, file: str) -> str:
    """Seconds and peak MB of `leadline paths`, from start to the written table."""
    told = ["--path", "path", "--conversions", "conversions", "--value", "value", "--nulls", "nulls"]
    model, *order = QUESTIONS[question].split(" ")
    one = measured(
        [sys.executable, "-m", "leadline", "paths", file, *told, "--model", model, *order, "--format", "csv"]
    )
    return f"{one.seconds:.2f} s, {one.peak_mb:,.0f} MB"


def _line(question: str, who: str, answer: Any, own: Any, aim: str, whole: str) -> str:
    if isinstance(answer, str):
        return f"| {TITLES[question]} | {who} | {answer} | | | | | {aim} | | {whole} |"
    one, inside = answer
    off = "" if own is None or isinstance(own, str) else f"{100 * _apart(inside['credit'], own[1]['credit']):.2f} %"
    return (
        f"| {TITLES[question]} | {who} | {one.seconds:.2f} | {inside['read']:.2f} | {inside['model']:.2f} | "
        f"{inside['cpu']:.2f} | {one.peak_mb:,.0f} | {aim} | {off} | {whole} |"
    )


def _apart(found: dict[str, float], exact: dict[str, float]) -> float:
    """Conversions credited to others than ours does, as a part of all; a rule of the peer may differ by intent."""
    total = sum(exact.values())
    return sum(abs(found.get(name, 0.0) - credit) for name, credit in exact.items()) / 2 / total


def say(text: str) -> None:
    """Progress, on stderr."""
    print(text, file=sys.stderr, flush=True)


HEAD = """# Benchmark of path models

Made by `make bench-influence`; do not edit.

- **seconds**, **peak MB**: a whole process that reads the file and asks the models. **read**: reading the
  CSV file into journeys. **model**: the models alone, together. **CPU**: seconds of processor in the
  models, which a loaded machine does not stretch. **aim**: seconds of the model.
- **apart**: part of all conversions credited to other states than Leadline's, which are exact; of rules, the
  linear one or the last that the peer has. A peer's model may differ by intent: its Shapley game is another.
- **command**: `leadline paths FILE … --format csv`, start to end.
- Peers are asked by their documented calls, with {limit} s each. First, last and linear are what
  channelattribution has of rules; marketing-attribution-models has first, last, linear and position.
"""


def page(parts: dict[str, list[str]], grown: dict[str, dict[str, float]], load: tuple[float, float]) -> str:
    """The figures as a page."""
    text = [
        HEAD.format(limit=LIMIT),
        f"{description()}. Load average before {load[0]:.1f}, after {load[1]:.1f} on {os.cpu_count()} cores.\n",
    ]
    for name, lines in parts.items():
        head = "| question | who | seconds | read | model | CPU | peak MB | aim | apart | command |"
        rule = "| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | --- |"
        text.append("\n".join([f"## {name}\n", head, rule, *lines]) + "\n")
    for axis, title in (
        ("touches", "Growth with touches (12 states)"),
        ("states", "Growth with states (1.05 M touches)"),
    ):
        rows: dict[str, list[str]] = {}
        for key, seconds in grown[axis].items():
            size, _, _ = key.partition(" ")
            rows.setdefault(size, []).append(f"{seconds:.3f}")
        lines = [f"| {int(size):,} | {' | '.join(cells)} |" for size, cells in rows.items()]
        head = f"| {axis} | even | Markov, order 1 | Shapley, coverage |\n| ---: | ---: | ---: | ---: |"
        text.append(f"## {title}\n\nSeconds of the model alone.\n\n{head}\n" + "\n".join(lines) + "\n")
    return "\n".join(text)


def main() -> None:
    """Measure everything and write the page; with arguments, be one step of it."""
    if sys.argv[1:2] == ["ours"]:
        ours(sys.argv[2], sys.argv[3])
    elif sys.argv[1:2] == ["growth"]:
        growth()
    else:
        before = os.getloadavg()[0]
        parts = {name: compared(name) for name in SIZES}
        say("growth")
        grown = asked([sys.executable, "-m", "benchmarks.influence", "growth"])
        if isinstance(grown, str):
            sys.exit(grown)
        KEPT.write_text(page(parts, grown[1], (before, os.getloadavg()[0])), encoding="utf-8")


if __name__ == "__main__":
    main()
