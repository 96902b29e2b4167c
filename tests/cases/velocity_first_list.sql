-- How long did each journey's first visit to each stage last, and what ended it? A later stage next, or winning
-- with none after it, is moving up.
-- ask: velocity(measure="first")
-- of: list
WITH followed AS (
    SELECT
        v.*,
        lead(stage_no) OVER (PARTITION BY journey_id ORDER BY visit_no) AS next_no,
        row_number() OVER (PARTITION BY journey_id, stage_no ORDER BY visit_no) AS nth
    FROM visit_lengths AS v
)
SELECT
    journey_id AS unit_id,
    stage,
    make_timestamptz(entered_s * 1000000) AS at,
    CASE
        WHEN is_open THEN 'censored'
        WHEN next_no > stage_no OR (next_no IS NULL AND outcome = 'won') THEN 'advanced'
        ELSE 'exit'
    END AS evidence,
    seconds / 86400 AS days
FROM followed JOIN journeys USING (journey_id) JOIN stages USING (stage_no)
WHERE nth = 1
