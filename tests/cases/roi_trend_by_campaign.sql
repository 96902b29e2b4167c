-- What did the months of each campaign cost that are old enough, and what did their responses win within 180 days?
-- ask: roi_trend(model="first")
WITH old AS (
    SELECT date_diff('day', DATE '1970-01-01', date_trunc('month', date_of(day - 180))::DATE) AS stop FROM as_of
),
dated AS (
    SELECT campaign_id, cost, starts_day, least(coalesce(ends_day, a.day), a.day) - starts_day + 1 AS length
    FROM campaigns, as_of AS a
    WHERE cost IS NOT NULL AND starts_day IS NOT NULL AND coalesce(ends_day, starts_day) >= starts_day
),
spent AS (
    SELECT
        campaign_id,
        month_of(starts_day + i) AS month,
        sum(cost // length + CASE WHEN i < cost % length THEN 1 ELSE 0 END) AS cost
    FROM dated, LATERAL (SELECT unnest(range(length)) AS i), old
    WHERE starts_day + i < stop
    GROUP BY ALL
),
earned AS (
    SELECT t.campaign_id, month_of(r.responded_day) AS month, sum(t.amount) AS won
    FROM role_touches AS t
    JOIN counted_responses AS r USING (response_id)
    JOIN deals AS d USING (opportunity_id)
    WHERE t.nth = 1 AND t.state = 'won' AND d.closed_day - r.responded_day <= 180
    GROUP BY ALL
),
monthly AS (
    SELECT campaign_id, month, s.cost, coalesce(won, 0) AS won, s.cost > 0 AS counts
    FROM spent AS s LEFT JOIN earned USING (campaign_id, month)
    WHERE s.cost > 0
)
SELECT
    campaign_id,
    count(*) AS months,
    sum(cost)::BIGINT AS cost,
    sum(won)::BIGINT AS won_amount,
    sum(won) / sum(cost)::DOUBLE AS roas
FROM monthly
GROUP BY campaign_id
