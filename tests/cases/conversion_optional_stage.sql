-- SAL is optional: beside the steps into and out of it, from MQL it also goes straight to SQL, with or without SAL.
-- ask: conversion(unit="journeys", window_days=60)
-- in: agreed
WITH firsts AS (
    SELECT journey_id, stage_no, min(entered_s) AS s, min(entered_day) AS day FROM entries GROUP BY ALL
),
pairs (from_no, to_no) AS (
    VALUES (0, 1), (1, 2), (1, 3), (2, 3), (3, 4)
),
steps AS (
    SELECT from_no, to_no, a.journey_id, a.s AS a_s, a.day AS a_day, min(b.s) AS b_s, min(b.day) AS b_day
    FROM pairs
    JOIN firsts AS a ON a.stage_no = from_no
    LEFT JOIN firsts AS b ON b.journey_id = a.journey_id AND b.stage_no >= to_no
    GROUP BY ALL
)
SELECT
    a.stage AS from_stage,
    b.stage AS to_stage,
    count(*) FILTER (NOT coalesce(b_s < a_s, false) AND a_day + 60 < as_of.day) AS started,
    count(*) FILTER (b_s >= a_s AND b_day - a_day <= 60 AND a_day + 60 < as_of.day) AS converted,
    count(*) FILTER (NOT coalesce(b_s < a_s, false) AND a_day + 60 >= as_of.day) AS too_young,
    count(*) FILTER (b_s < a_s) AS out_of_order
FROM steps
JOIN stages AS a ON a.stage_no = from_no
JOIN stages AS b ON b.stage_no = to_no
CROSS JOIN as_of
GROUP BY ALL
