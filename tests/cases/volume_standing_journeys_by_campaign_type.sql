-- In which stage do the open journeys stand at as-of, by the type of their origin campaign?
-- ask: volume(view="standing", unit="journeys", by=["campaign_type"])
SELECT
    CASE WHEN j.origin_campaign_id IS NULL THEN 'no response' ELSE c.campaign_type END AS campaign_type,
    'all' AS period,
    stage,
    count(*) AS count
FROM journey_visits AS v
JOIN stages USING (stage_no)
JOIN journeys AS j USING (journey_id)
LEFT JOIN campaigns AS c ON c.campaign_id = j.origin_campaign_id
WHERE v.left_s IS NULL
GROUP BY ALL
