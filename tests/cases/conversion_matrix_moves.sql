-- Where did journeys go next after each visit of a stage: to another stage, out of the funnel, or nowhere yet?
-- ask: conversion_matrix(unit="journeys")
-- only: moves > 0
WITH following AS (
    SELECT
        v.journey_id,
        v.stage_no,
        v.left_s,
        lead(v.stage_no) OVER (PARTITION BY v.journey_id ORDER BY v.visit_no) AS next_no
    FROM journey_visits AS v
),
named AS (
    SELECT
        f.stage_no,
        CASE
            WHEN next_no IS NOT NULL THEN b.stage
            WHEN left_s IS NULL THEN 'still there'
            WHEN j.outcome = 'won' THEN 'Won'
            ELSE j.outcome
        END AS to_stage
    FROM following AS f
    JOIN journeys AS j USING (journey_id)
    LEFT JOIN stages AS b ON b.stage_no = f.next_no
)
SELECT
    a.stage AS from_stage,
    to_stage,
    count(*) AS moves,
    count(*) / sum(count(*)) OVER (PARTITION BY a.stage) AS moves_share
FROM named
JOIN stages AS a USING (stage_no)
GROUP BY a.stage, to_stage
