-- Of the journeys that came into a stage, how many went on to the next one or beyond within 60 days?
-- Each journey that reached A is in one class, the first that applies: undated (no time at A or beyond),
-- implied (A without a time), out of order (B or beyond before A), too young (60 days not over by as-of),
-- started. The interval is Wilson's.
-- ask: conversion(unit="journeys", window_days=60)
WITH firsts AS (
    SELECT journey_id, stage_no, min(entered_s) AS s, min(entered_day) AS day FROM entries GROUP BY ALL
),
steps AS (
    SELECT
        a.stage_no AS from_no,
        reached.journey_id,
        own.s AS a_s,
        own.day AS a_day,
        min(later.s) AS b_s,
        min(later.day) AS b_day,
        bool_or(beyond.s IS NOT NULL) AS has_beyond
    FROM stages AS a
    JOIN journey_stages AS reached ON reached.stage_no = a.stage_no
    LEFT JOIN firsts AS own ON own.journey_id = reached.journey_id AND own.stage_no = a.stage_no
    LEFT JOIN firsts AS beyond ON beyond.journey_id = reached.journey_id AND beyond.stage_no > a.stage_no
    LEFT JOIN firsts AS later ON later.journey_id = reached.journey_id AND later.stage_no > a.stage_no
    WHERE a.stage <> 'Won'
    GROUP BY ALL
),
classed AS (
    SELECT
        from_no,
        CASE
            WHEN a_s IS NULL AND NOT has_beyond THEN 'undated'
            WHEN a_s IS NULL THEN 'implied'
            WHEN b_s < a_s THEN 'out_of_order'
            WHEN a_day + 60 >= as_of.day THEN 'too_young'
            ELSE 'started'
        END AS class,
        coalesce(b_day - a_day <= 60, false) AS in_time
    FROM steps, as_of
),
counted AS (
    SELECT
        from_no,
        count(*) FILTER (class = 'started') AS started,
        count(*) FILTER (class = 'started' AND in_time) AS converted,
        count(*) FILTER (class = 'too_young') AS too_young,
        count(*) FILTER (class = 'implied') AS implied,
        count(*) FILTER (class = 'out_of_order') AS out_of_order,
        count(*) FILTER (class = 'undated') AS undated
    FROM classed
    GROUP BY from_no
),
rated AS (
    SELECT *, converted / started AS p, 1.959963984540054 AS z FROM counted
)
SELECT
    'all' AS period,
    a.stage AS from_stage,
    b.stage AS to_stage,
    'cohort' AS convention,
    60 AS window_days,
    started,
    converted,
    too_young,
    implied,
    out_of_order,
    undated,
    p AS rate,
    (p + z * z / (2 * started) - z * sqrt(p * (1 - p) / started + z * z / (4 * started * started)))
    / (1 + z * z / started) AS rate_low,
    (p + z * z / (2 * started) + z * sqrt(p * (1 - p) / started + z * z / (4 * started * started)))
    / (1 + z * z / started) AS rate_high,
    started < 30 AS small
FROM rated
JOIN stages AS a ON a.stage_no = from_no
JOIN stages AS b ON b.stage_no = from_no + 1
