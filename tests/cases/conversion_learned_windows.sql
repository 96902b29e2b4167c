-- Which windows do the data teach? The smallest of 30, 60, 90, 180 and 365 days at which the share that went
-- on has 90 % of its value at 365 days. The share is Aalen–Johansen's: journeys that ended without going on
-- compete, those still under way are censored at as-of. It needs 30 journeys of more than 365 days.
-- ask: conversion(unit="journeys")
WITH firsts AS (
    SELECT journey_id, stage_no, min(entered_s) AS s, min(entered_day) AS day FROM entries GROUP BY ALL
),
steps AS (
    SELECT own.stage_no AS from_no, own.journey_id, own.s, own.day, min(later.s) AS b_s, min(later.day) AS b_day
    FROM firsts AS own
    LEFT JOIN firsts AS later ON later.journey_id = own.journey_id AND later.stage_no > own.stage_no
    WHERE own.stage_no < 4
    GROUP BY ALL
),
spans AS (
    SELECT
        from_no,
        coalesce(b_day, ended_day, as_of.day) - steps.day AS days,
        (b_day IS NOT NULL)::INTEGER AS went_on,
        (b_day IS NULL AND ended_day IS NOT NULL)::INTEGER AS ended,
        (steps.day + 365 < as_of.day)::INTEGER AS old
    FROM steps JOIN journeys USING (journey_id), as_of
    WHERE b_s IS NULL OR b_s >= steps.s
),
lengths AS (
    SELECT
        from_no,
        days,
        sum(went_on) AS went_on,
        sum(went_on + ended) AS gone,
        -- At risk just before this length: everybody who was not shorter.
        sum(count(*)) OVER (PARTITION BY from_no ORDER BY days DESC) AS at_risk
    FROM spans
    GROUP BY from_no, days
),
waiting AS (
    SELECT *, product(1 - gone / at_risk) OVER (PARTITION BY from_no ORDER BY days) AS after_this FROM lengths
),
curve AS (
    SELECT
        from_no,
        days,
        sum(lag_of * went_on / at_risk) OVER (PARTITION BY from_no ORDER BY days) AS share
    FROM (SELECT *, coalesce(lag(after_this) OVER (PARTITION BY from_no ORDER BY days), 1.0) AS lag_of FROM waiting)
),
at_candidates AS (
    SELECT from_no, candidate, coalesce(max(share) FILTER (days <= candidate), 0) AS share
    FROM curve, (VALUES (30), (60), (90), (180), (365)) AS c (candidate)
    GROUP BY ALL
),
learned AS (
    SELECT from_no, min(candidate) AS window_days
    FROM at_candidates AS x
    WHERE share >= 0.9 * (SELECT share FROM at_candidates AS y WHERE y.from_no = x.from_no AND y.candidate = 365)
    GROUP BY from_no
)
SELECT
    a.stage AS from_stage,
    b.stage AS to_stage,
    CASE WHEN (SELECT sum(old) FROM spans AS o WHERE o.from_no = l.from_no) >= 30 THEN window_days ELSE 90 END
        AS window_days
FROM learned AS l
JOIN stages AS a ON a.stage_no = from_no
JOIN stages AS b ON b.stage_no = from_no + 1
