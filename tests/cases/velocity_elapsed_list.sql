-- How long did each journey take from its first entry into MQL to its first entry into SQL or beyond? Journeys that
-- ended before are exits at their end, open ones are censored at as-of; who was at SQL before MQL counts −1 second.
-- ask: velocity(measure="elapsed", from_stage="MQL", to_stage="SQL")
-- of: list
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
    SELECT journey_id, entered_s AS goal_s, entered_day AS goal_day, entered_is_date AS goal_is_date FROM timed WHERE stage_no >= 3
    QUALIFY row_number() OVER (PARTITION BY journey_id ORDER BY entered_s, entered_is_date) = 1
),
spans AS (
    SELECT
        s.*,
        goal_s,
        coalesce(goal_s, ended_s, a.s) AS stop_s,
        coalesce(goal_day, ended_day, a.day) AS stop_day,
        CASE WHEN goal_s IS NOT NULL THEN goal_is_date ELSE coalesce(ended_is_date, false) END AS stop_is_date,
        CASE
            WHEN goal_s IS NOT NULL OR (ended_s IS NOT NULL AND outcome = 'won') THEN 'advanced'
            WHEN ended_s IS NOT NULL THEN 'exit'
            ELSE 'censored'
        END AS evidence
    FROM starts AS s JOIN journeys USING (journey_id) LEFT JOIN goals USING (journey_id) CROSS JOIN as_of AS a
)
SELECT
    journey_id AS unit_id,
    'MQL' AS stage,
    evidence,
    CASE
        WHEN goal_s < entered_s THEN -1 / 86400
        WHEN entered_is_date OR stop_is_date THEN (stop_day - entered_day)::DOUBLE
        ELSE (stop_s - entered_s) / 86400
    END AS days
FROM spans
