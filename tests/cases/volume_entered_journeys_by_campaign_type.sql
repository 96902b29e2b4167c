-- From which types of campaigns do the journeys come that entered each stage?
-- A journey's campaign is that of its origin response; one without such a response is "no response",
-- one whose campaign has no type stands apart from it.
-- ask: volume(view="entered", unit="journeys", by=["campaign_type"])
-- only: count > 0
WITH first_entries AS (
    SELECT DISTINCT journey_id, stage_no FROM entries
)
SELECT
    CASE WHEN j.origin_response_id IS NULL THEN 'no response' ELSE c.campaign_type END AS campaign_type,
    'all' AS period,
    stage,
    count(*) AS count
FROM first_entries
JOIN stages USING (stage_no)
JOIN journeys AS j USING (journey_id)
LEFT JOIN responses AS r ON r.response_id = j.origin_response_id
LEFT JOIN campaigns AS c ON c.campaign_id = r.campaign_id
GROUP BY ALL
