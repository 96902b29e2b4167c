"""What each finding does to the headline numbers: as they are, and as they would be."""

from __future__ import annotations

import ibis

from leadline.audit.check import Mend
from leadline.audit.moved import Move, Moves
from leadline.audit.registry import BY_CODE
from leadline.audit.run import INTO, RECORDS
from leadline.effects.headline import WHOLE, Headline, Number, Parts
from leadline.effects.worlds import Case, mended, touched
from leadline.model.opened import Opened

UNCHANGED = 1e-12
"""Numbers nearer than that are the same: they come from the same counts by divisions of doubles."""


def measured(opened: Opened) -> Moves:
    """What every finding of a snapshot moves; findings whose effect cannot be said are absent.

    Nothing is measured without a funnel, nor on a snapshot of a version that did not keep what it takes.

    Temporary tables are made on the connection of `opened`, which must serve nobody else.
    """
    if not opened.settings.funnel or INTO not in opened[RECORDS].columns:
        return {}
    cases = _cases(opened)
    if not cases:
        return {}
    headline = Headline(opened)
    whole = headline.parts()[WHOLE]
    who = touched(opened, cases)
    before = headline.parts(who)
    world, inside = mended(opened, cases, who)
    after = Headline(world).parts(inside)
    found: Moves = {}
    for at, case in enumerate(cases):
        key = case.key(at)
        was, would = before.get(key, Parts()), after.get(key, Parts())
        if case.mend.treatment == "credit":
            would = was.plus(Parts(credited=was.won - was.credited))
        mended_parts = whole.plus(was, -1).plus(would)
        pairs = zip(headline.numbers(whole), headline.numbers(mended_parts), strict=True)
        moves = [_move(one, two, case.mend) for one, two in pairs if one.metric in BY_CODE[case.code].moves]
        found[case.code] = _told(moves)
    return found


def _cases(opened: Opened) -> list[Case]:
    """Findings with records whose effect can be measured."""
    rows = opened.arrow(opened["findings"].filter(ibis._.row_count > 0).select("code").distinct()).to_pylist()
    codes = sorted(row["code"] for row in rows if row["code"] in BY_CODE)
    mends = {code: _mend(opened, code) for code in codes}
    return [Case(code, mend) for code, mend in mends.items() if mend is not None]


def _mend(opened: Opened, code: str) -> Mend | None:
    if code == "opportunity-without-primary-role" and opened.settings.influence.scope == "primary role":
        return Mend("credit")
    return BY_CODE[code].mend


def _move(one: Number, two: Number, mend: Mend) -> Move:
    before, after = one.value, two.value
    if before is not None and after is not None and abs(after - before) <= UNCHANGED * max(abs(before), 1):
        after = before
    ends = (before, after) if mend.judged else (after, after)
    known = [end for end in ends if end is not None]
    return Move(one.metric, one.name, one.kind, before, after, min(known, default=None), max(known, default=None))


def _told(moves: list[Move]) -> tuple[Move, ...]:
    """The numbers that change, the most moved first; of a metric of which none does, its first that is known."""
    moves = [one for one in moves if one.before is not None or one.after is not None]
    changed = sorted((one for one in moves if one.size), key=lambda one: -one.size)
    metrics = {one.metric for one in changed}
    still = {one.metric: one for one in reversed(moves) if one.metric not in metrics}
    return (*changed, *(still[name] for name in dict.fromkeys(one.metric for one in moves) if name in still))
