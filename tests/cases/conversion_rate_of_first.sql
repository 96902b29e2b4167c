-- Percent of the first stage: of the journeys that came in as Inquiry, how many were at each later stage or
-- beyond within the windows of all steps up to there, 40 days each?
-- ask: conversion(unit="journeys", window_days=40)
WITH firsts AS (
    SELECT journey_id, stage_no, min(entered_s) AS s, min(entered_day) AS day FROM entries GROUP BY ALL
),
steps AS (
    SELECT own.journey_id, own.s, own.day, b.stage, b.stage_no * 40 AS days, min(later.s) AS b_s, min(later.day) AS b_day
    FROM firsts AS own
    JOIN stages AS b ON b.stage_no > 0
    LEFT JOIN firsts AS later ON later.journey_id = own.journey_id AND later.stage_no >= b.stage_no
    WHERE own.stage_no = 0
    GROUP BY ALL
)
SELECT stage AS to_stage, count(*) FILTER (b_day - steps.day <= days) / count(*) AS rate_of_first
FROM steps, as_of
WHERE steps.day + days < as_of.day AND (b_s IS NULL OR b_s >= steps.s)
GROUP BY stage
