-- Of the journeys that were ever in a stage, with a known time or without, how many were ever in the next one?
-- By the quarter in which the stage was first entered, or the one beyond it where it has no time.
-- ask: conversion(convention="touched", unit="journeys", grain="quarter")
WITH firsts AS (
    SELECT journey_id, stage_no, min(entered_day) AS day FROM entries GROUP BY ALL
),
reached AS (
    SELECT
        s.journey_id,
        s.stage_no AS from_no,
        EXISTS (
            SELECT 1 FROM journey_stages AS n WHERE n.journey_id = s.journey_id AND n.stage_no = s.stage_no + 1
        ) AS further,
        coalesce(own.day, (
            SELECT min(f.day) FROM firsts AS f WHERE f.journey_id = s.journey_id AND f.stage_no > s.stage_no
        )) AS day
    FROM journey_stages AS s
    LEFT JOIN firsts AS own ON own.journey_id = s.journey_id AND own.stage_no = s.stage_no
    WHERE s.stage_no < 4
)
SELECT
    CASE WHEN day IS NOT NULL THEN strftime(date_of(day), '%Y') || '-Q' || quarter(date_of(day)) END AS period,
    a.stage AS from_stage,
    'touched' AS convention,
    count(*) AS started,
    count(*) FILTER (further) AS converted,
    count(*) FILTER (further) / count(*) AS rate
FROM reached
JOIN stages AS a ON a.stage_no = from_no
GROUP BY ALL
