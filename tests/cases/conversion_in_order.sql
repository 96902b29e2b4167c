-- Journeys that went from one stage to the next within 45 days without skipping it and without having been
-- anywhere further before.
-- ask: conversion(convention="in-order", unit="journeys", window_days=45)
WITH firsts AS (
    SELECT journey_id, stage_no, min(entered_s) AS s, min(entered_day) AS day FROM entries GROUP BY ALL
),
steps AS (
    SELECT
        a.journey_id,
        a.stage_no AS from_no,
        a.s AS a_s,
        a.day AS a_day,
        b.s AS b_s,
        b.day AS b_day,
        (SELECT min(f.s) FROM firsts AS f WHERE f.journey_id = a.journey_id AND f.stage_no > a.stage_no) AS beyond_a,
        (SELECT min(f.s) FROM firsts AS f WHERE f.journey_id = a.journey_id AND f.stage_no > a.stage_no + 1) AS beyond_b
    FROM firsts AS a
    LEFT JOIN firsts AS b ON b.journey_id = a.journey_id AND b.stage_no = a.stage_no + 1
    WHERE a.stage_no < 4
)
SELECT
    a.stage AS from_stage,
    'in-order' AS convention,
    count(*) AS started,
    count(*) FILTER (b_s >= a_s AND b_day - a_day <= 45 AND (beyond_b IS NULL OR beyond_b >= b_s)) AS converted
FROM steps
JOIN stages AS a ON a.stage_no = from_no
CROSS JOIN as_of
WHERE (beyond_a IS NULL OR beyond_a >= a_s) AND a_day + 45 < as_of.day
GROUP BY ALL
