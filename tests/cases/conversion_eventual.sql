-- How probable is it that a journey comes to the next stage or beyond at all? Aalen–Johansen, from its definition:
-- the sum over days of (still under way just before) × (gone on that day ÷ at risk).
-- ask: conversion(convention="eventual", unit="journeys")
WITH firsts AS (
    SELECT journey_id, stage_no, min(entered_s) AS s, min(entered_day) AS day FROM entries GROUP BY ALL
),
steps AS (
    SELECT
        a.journey_id,
        a.stage_no AS from_no,
        a.s AS a_s,
        a.day AS a_day,
        min(b.s) AS b_s,
        min(b.day) AS b_day
    FROM firsts AS a
    LEFT JOIN firsts AS b ON b.journey_id = a.journey_id AND b.stage_no > a.stage_no
    WHERE a.stage_no < 4
    GROUP BY ALL
),
times AS (
    SELECT
        from_no,
        greatest(coalesce(b_day, ended_day, as_of.day) - a_day, 0) AS t,
        b_day IS NOT NULL AS went_on,
        b_day IS NULL AND ended_day IS NOT NULL AS exited
    FROM steps
    JOIN journeys USING (journey_id)
    CROSS JOIN as_of
    WHERE b_s IS NULL OR b_s >= a_s
),
counted AS (
    SELECT
        from_no,
        t,
        count(*) FILTER (went_on) AS gone,
        count(*) FILTER (went_on OR exited) AS ended,
        count(*) AS n
    FROM times
    GROUP BY ALL
),
risks AS (
    SELECT
        *,
        sum(n) OVER (PARTITION BY from_no ORDER BY t ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING) AS at_risk
    FROM counted
),
under_way AS (
    SELECT
        *,
        -- A product of the hazards' complements; where all at risk end, nothing is left for later days.
        coalesce(product(1 - ended / at_risk) OVER (
            PARTITION BY from_no ORDER BY t ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
        ), 1) AS before
    FROM risks
)
SELECT
    a.stage AS from_stage,
    'eventual' AS convention,
    sum(n)::BIGINT AS started,
    sum(gone)::BIGINT AS converted,
    sum(n - ended)::BIGINT AS waiting,
    sum(before * gone / at_risk) AS rate
FROM under_way
JOIN stages AS a ON a.stage_no = from_no
GROUP BY ALL
