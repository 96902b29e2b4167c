-- Won of all opportunities that closed, by the type of the campaign their origin journey comes from, with
-- Wilson's interval written out.
-- ask: formula(name="win_rate", by=["campaign_type"])
WITH closed AS (
    SELECT
        CASE WHEN j.origin_campaign_id IS NULL THEN 'no response' ELSE c.campaign_type END AS campaign_type,
        count(*) AS n,
        count(*) FILTER (d.state = 'won') AS k
    FROM deals AS d
    LEFT JOIN opportunity_origins AS o USING (opportunity_id)
    LEFT JOIN journeys AS j USING (journey_id)
    LEFT JOIN campaigns AS c ON c.campaign_id = j.origin_campaign_id
    WHERE d.state IN ('won', 'lost')
    GROUP BY ALL
),
limits AS (
    SELECT
        *,
        1.959963984540054::DOUBLE AS z,
        (k / n + z * z / (2 * n)) / (1 + z * z / n) AS centre,
        z * sqrt(k / n * (1 - k / n) / n + z * z / (4 * n * n)) / (1 + z * z / n) AS half
    FROM closed
)
SELECT
    campaign_type,
    'all' AS period,
    k AS won_count,
    n - k AS lost_count,
    k / n AS value,
    CASE WHEN k = 0 THEN 0 ELSE centre - half END AS value_low,
    CASE WHEN k = n THEN 1 ELSE centre + half END AS value_high,
    n < 30 AS small
FROM limits
