-- MQL to SAL within 45 days, of people, by the campaign type of their first journey. First entries over all
-- their journeys decide.
-- ask: conversion(unit="people", by=["campaign_type"], from_stage="MQL", to_stage="SAL", window_days=45)
-- only: started > 0
WITH first_journeys AS (
    SELECT person_id, arg_min(journey_id, pass_no) AS journey_id FROM journeys GROUP BY person_id
),
kinds AS (
    SELECT
        f.person_id,
        CASE WHEN j.origin_campaign_id IS NULL THEN 'no response' ELSE c.campaign_type END AS campaign_type
    FROM first_journeys AS f
    JOIN journeys AS j USING (journey_id)
    LEFT JOIN campaigns AS c ON c.campaign_id = j.origin_campaign_id
),
steps AS (
    SELECT
        person_id,
        min(entered_s) FILTER (stage_no = 1) AS a_s,
        min(entered_day) FILTER (stage_no = 1) AS a_day,
        min(entered_s) FILTER (stage_no >= 2) AS b_s,
        min(entered_day) FILTER (stage_no >= 2) AS b_day
    FROM entries JOIN journeys USING (journey_id)
    GROUP BY person_id
),
started AS (
    SELECT * FROM steps, as_of WHERE a_s IS NOT NULL AND (b_s IS NULL OR b_s >= a_s) AND a_day + 45 < as_of.day
)
SELECT
    campaign_type,
    'all' AS period,
    'MQL' AS from_stage,
    'SAL' AS to_stage,
    count(*) AS started,
    count(*) FILTER (b_day - a_day <= 45) AS converted,
    count(*) FILTER (b_day - a_day <= 45) / count(*) AS rate
FROM started JOIN kinds USING (person_id)
GROUP BY campaign_type
