-- Unit responses: every response that counts is an Inquiry of its own campaign; further stages are those of
-- the journey it tipped.
-- ask: volume(view="entered", unit="responses", by=["campaign_id"])
-- only: count > 0
WITH reached AS (
    SELECT response_id, campaign_id, 0 AS stage_no FROM counted_responses
    UNION
    SELECT r.response_id, r.campaign_id, e.stage_no
    FROM counted_responses AS r JOIN entries AS e USING (journey_id)
    WHERE r.fate = 'tipped' AND e.stage_no > 0
)
SELECT campaign_id, 'all' AS period, stage, count(*) AS count
FROM reached JOIN stages USING (stage_no)
GROUP BY ALL
