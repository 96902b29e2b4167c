-- What share of each month's MQLs had come to SAL or beyond after so many weeks? Only those that are that old.
-- ask: conversion_triangle(unit="journeys", age="weeks", from_stage="MQL", to_stage="SAL", window_days=35)
WITH firsts AS (
    SELECT journey_id, stage_no, min(entered_s) AS s, min(entered_day) AS day FROM entries GROUP BY ALL
),
steps AS (
    SELECT a.journey_id, a.s AS a_s, a.day AS a_day, min(b.s) AS b_s, min(b.day) AS b_day
    FROM firsts AS a
    LEFT JOIN firsts AS b ON b.journey_id = a.journey_id AND b.stage_no > 1
    WHERE a.stage_no = 1
    GROUP BY ALL
),
cohort AS (
    SELECT *, month_of(a_day) AS period FROM steps WHERE b_s IS NULL OR b_s >= a_s
)
SELECT
    period,
    ages.age,
    count(*) FILTER (a_day + 7 * age < as_of.day) AS started,
    count(*) FILTER (a_day + 7 * age < as_of.day AND b_day - a_day <= 7 * age) AS converted,
    count(*) FILTER (a_day + 7 * age >= as_of.day) AS too_young
FROM cohort, as_of, range(6) AS ages (age)
GROUP BY ALL
HAVING started > 0
