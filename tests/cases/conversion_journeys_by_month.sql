-- The same by the month in which A was first entered (of an implied A: in which the stage beyond it was),
-- with the ratio of entries beside it: entries into B ÷ entries into A of that month, whoever they are.
-- Journeys without any time stand in no month.
-- ask: conversion(unit="journeys", grain="month", window_days=30)
WITH firsts AS (
    SELECT journey_id, stage_no, min(entered_s) AS s, min(entered_day) AS day FROM entries GROUP BY ALL
),
monthly AS (
    SELECT stage_no, month_of(day) AS period, count(*) AS entered FROM firsts GROUP BY ALL
),
steps AS (
    SELECT
        reached.journey_id,
        reached.stage_no AS from_no,
        own.s AS a_s,
        own.day AS a_day,
        min(later.s) AS b_s,
        min(later.day) AS b_day
    FROM journey_stages AS reached
    LEFT JOIN firsts AS own ON own.journey_id = reached.journey_id AND own.stage_no = reached.stage_no
    LEFT JOIN firsts AS later ON later.journey_id = reached.journey_id AND later.stage_no > reached.stage_no
    WHERE reached.stage_no < 4
    GROUP BY ALL
),
classed AS (
    SELECT
        from_no,
        month_of(coalesce(a_day, b_day)) AS period,
        CASE
            WHEN a_s IS NULL AND b_s IS NULL THEN 'undated'
            WHEN a_s IS NULL THEN 'implied'
            WHEN b_s < a_s THEN 'out_of_order'
            WHEN a_day + 30 >= as_of.day THEN 'too_young'
            ELSE 'started'
        END AS class,
        coalesce(b_day - a_day <= 30, false) AS in_time
    FROM steps, as_of
),
counted AS (
    SELECT
        period,
        from_no,
        count(*) FILTER (class = 'started') AS started,
        count(*) FILTER (class = 'started' AND in_time) AS converted,
        count(*) FILTER (class = 'too_young') AS too_young,
        count(*) FILTER (class = 'implied') AS implied,
        count(*) FILTER (class = 'out_of_order') AS out_of_order,
        count(*) FILTER (class = 'undated') AS undated
    FROM classed
    GROUP BY ALL
)
SELECT
    c.period,
    a.stage AS from_stage,
    b.stage AS to_stage,
    started,
    converted,
    too_young,
    implied,
    out_of_order,
    undated,
    converted / nullif(started, 0) AS rate,
    coalesce(into_b.entered, 0) / into_a.entered AS period_ratio
FROM counted AS c
JOIN stages AS a ON a.stage_no = from_no
JOIN stages AS b ON b.stage_no = from_no + 1
LEFT JOIN monthly AS into_a ON into_a.stage_no = from_no AND into_a.period = c.period
LEFT JOIN monthly AS into_b ON into_b.stage_no = from_no + 1 AND into_b.period = c.period
