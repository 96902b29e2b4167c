-- Each campaign type's share of the MQLs of its quarter.
-- ask: formula(expression="MQL / parent(MQL)", by=["campaign_type"], grain="quarter")
WITH firsts AS (
    SELECT journey_id, date_of(min(entered_day)) AS day FROM entries WHERE stage_no = 1 GROUP BY journey_id
),
counted AS (
    SELECT
        CASE WHEN j.origin_campaign_id IS NULL THEN 'no response' ELSE c.campaign_type END AS campaign_type,
        strftime(f.day, '%Y') || '-Q' || quarter(f.day) AS period,
        count(*) AS mql
    FROM firsts AS f
    JOIN journeys AS j USING (journey_id)
    LEFT JOIN campaigns AS c ON c.campaign_id = j.origin_campaign_id
    GROUP BY ALL
)
SELECT
    campaign_type,
    period,
    mql,
    sum(mql) OVER (PARTITION BY period)::BIGINT AS parent_mql,
    mql / sum(mql) OVER (PARTITION BY period) AS value
FROM counted
