-- Of the responses to each campaign, how many tipped a journey that was SQL or beyond within 120 days?
-- ask: conversion(unit="responses", by=["campaign_id"], from_stage="Inquiry", to_stage="SQL", window_days=120)
WITH steps AS (
    SELECT r.response_id, r.campaign_id, r.responded_s, r.responded_day, min(e.entered_s) AS s, min(e.entered_day) AS day
    FROM counted_responses AS r
    LEFT JOIN entries AS e ON r.fate = 'tipped' AND e.journey_id = r.journey_id AND e.stage_no >= 3
    GROUP BY ALL
)
SELECT
    campaign_id,
    'all' AS period,
    count(*) FILTER (responded_day + 120 < as_of.day) AS started,
    count(*) FILTER (responded_day + 120 < as_of.day AND steps.day - responded_day <= 120) AS converted,
    count(*) FILTER (responded_day + 120 >= as_of.day) AS too_young
FROM steps, as_of
GROUP BY campaign_id
