-- Who started from MQL in January 2026, and who of them was SAL or beyond within 30 days?
-- ask: conversion(from_stage="MQL", to_stage="SAL", window_days=30, start="2026-01-01", end="2026-02-01")
-- of: list
WITH steps AS (
    SELECT
        journey_id,
        min(entered_s) FILTER (stage_no = 1) AS a_s,
        min(entered_day) FILTER (stage_no = 1) AS a_day,
        min(entered_s) FILTER (stage_no > 1) AS b_s,
        min(entered_day) FILTER (stage_no > 1) AS b_day
    FROM entries
    GROUP BY journey_id
)
SELECT journey_id AS unit_id, person_id, coalesce(b_day - a_day <= 30, false) AS in_numerator
FROM steps JOIN journeys USING (journey_id)
WHERE
    date_of(a_day) BETWEEN DATE '2026-01-01' AND DATE '2026-01-31'
    AND (b_s IS NULL OR b_s >= a_s)
