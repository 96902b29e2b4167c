-- How long do journeys that move up take, by channel, against those of all other channels? Moved up within 180 days,
-- and entered longer ago than that.
-- ask: velocity(show="slow", from_stage="MQL", to_stage="SAL")
WITH timed AS (
    SELECT journey_id, stage_no, entered_s, entered_day, entered_is_date FROM journey_visits
    UNION ALL
    SELECT journey_id, stage_no, entered_s, entered_day, entered_is_date FROM journey_outcomes
),
starts AS (
    SELECT * FROM timed WHERE stage_no = 1
    QUALIFY row_number() OVER (PARTITION BY journey_id ORDER BY entered_s, entered_is_date) = 1
),
goals AS (
    SELECT journey_id, entered_s AS goal_s, entered_day AS goal_day, entered_is_date AS goal_is_date
    FROM timed WHERE stage_no = 2
    QUALIFY row_number() OVER (PARTITION BY journey_id ORDER BY entered_s, entered_is_date) = 1
),
moved AS (
    SELECT
        CASE WHEN j.origin_campaign_id IS NULL THEN 'no response' ELSE c.campaign_type END AS campaign_type,
        CASE WHEN entered_is_date OR goal_is_date THEN (goal_day - entered_day) * 86400 ELSE goal_s - entered_s END AS seconds
    FROM starts JOIN goals USING (journey_id) JOIN journeys AS j USING (journey_id)
    LEFT JOIN campaigns AS c ON c.campaign_id = j.origin_campaign_id
    CROSS JOIN as_of AS a
    WHERE goal_s >= entered_s AND entered_day + 180 < a.day
),
chosen AS (SELECT * FROM moved WHERE seconds <= 180 * 86400)
SELECT
    campaign_type,
    'SAL' AS to_stage,
    count(*) AS n,
    (SELECT count(*) FROM chosen) - count(*) AS rest_n,
    avg(seconds) / 86400 AS mean_days,
    ((SELECT sum(seconds) FROM chosen) - sum(seconds)) / ((SELECT count(*) FROM chosen) - count(*)) / 86400 AS rest_mean_days
FROM chosen
WHERE campaign_type IS NOT NULL AND campaign_type <> 'no response'
GROUP BY campaign_type
