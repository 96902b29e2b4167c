-- Of the responses to each type of campaign, how many tipped a journey that reached each stage? Inquiry is
-- the response itself.
-- ask: volume(view="cohort", unit="responses", by=["campaign_type"])
WITH reached AS (
    SELECT response_id, campaign_id, 0 AS stage_no FROM counted_responses
    UNION
    SELECT r.response_id, r.campaign_id, s.stage_no
    FROM counted_responses AS r JOIN journey_stages AS s USING (journey_id)
    WHERE r.fate = 'tipped'
)
SELECT c.campaign_type, 'all' AS period, stage, count(*) AS count
FROM reached JOIN campaigns AS c USING (campaign_id) JOIN stages USING (stage_no)
GROUP BY ALL
