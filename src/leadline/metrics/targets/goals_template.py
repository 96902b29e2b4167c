"""A `goals.csv` for a funnel, to be filled in."""

from __future__ import annotations

import csv
import datetime as dt
import io

from leadline.dates import Calendar, day_of
from leadline.metrics.targets.goals_file import amount_metrics
from leadline.model import funnels
from leadline.model.opened import Opened

_HEAD = """# Goals of funnel {funnel}: fill in the last column; rows without a goal set none. Numbers have a point
# before decimals and no marks between thousands; amounts are in {currency}. Periods: {periods}
# or the first day of a week, {week}. A segment is DIM=VALUE, several with commas between (in quotes), e.g.
# {stage},{quarter},campaign_type=Webinar,120
"""


def template(opened: Opened, funnel: str | None = None) -> str:
    """Text with a row per stage, and for won revenue, of this quarter and the next.

    Args:
        opened: the snapshot; its as-of says which quarter this is.
        funnel: its name; None is the first one. Another than the first stands in a column of its own.

    Raises:
        UnknownNameError: no such funnel.
    """
    name, chosen = opened.funnel(funnel)
    first, _ = opened.funnel(None)
    work = opened.settings.workspace
    calendar = Calendar(work.fiscal_year_start, work.week_start)
    today = day_of(opened.as_of.day)
    this = calendar.start(today, "quarter")
    quarters = [calendar.label(one, "quarter") for one in (this, calendar.following(this, "quarter"))]
    metrics = list(chosen.stage_names)
    if any("won" in stage.outcomes for stage in funnels.closed_stages(chosen)):
        amounts = amount_metrics(chosen)
        metrics.append("won_amount" if "won_amount" in amounts else list(amounts)[-1])
    head = _HEAD.format(
        funnel=repr(name),
        currency=opened.currency.code,
        periods=_labels(calendar, today),
        week=calendar.start(today, "week").isoformat(),
        stage=chosen.stage_names[-1],
        quarter=quarters[0],
    )
    own = [] if name == first else [name]
    written = io.StringIO()
    rows = csv.writer(written, lineterminator="\n")
    rows.writerow(["metric", "period", "segment", "goal", *(["funnel"] if own else [])])
    rows.writerows([metric, quarter, "", "", *own] for quarter in quarters for metric in metrics)
    return head + written.getvalue()


def _labels(calendar: Calendar, today: dt.date) -> str:
    labels = [calendar.label(calendar.start(today, grain), grain) for grain in ("year", "quarter", "month")]
    return ", ".join(labels)
