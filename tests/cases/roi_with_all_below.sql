-- What did each campaign cost together with all campaigns below it, and what did they win?
-- ask: roi(models=["even"], hierarchy="total")
-- only: cost_state = "known", cost > 0
WITH RECURSIVE above AS (
    SELECT campaign_id, campaign_id AS top_id, parent_id FROM campaigns
    UNION
    SELECT above.campaign_id, c.campaign_id, c.parent_id FROM above JOIN campaigns AS c ON c.campaign_id = above.parent_id
),
begun AS (
    SELECT campaign_id, cost FROM campaigns, as_of AS a WHERE cost IS NOT NULL AND coalesce(starts_day, a.day) <= a.day
),
credits AS (
    SELECT campaign_id, opportunity_id, state, amount // touches + CASE WHEN nth <= amount % touches THEN 1 ELSE 0 END AS credit
    FROM role_touches
),
spent AS (SELECT top_id, sum(cost)::BIGINT AS cost FROM above JOIN begun USING (campaign_id) GROUP BY top_id),
earned AS (
    SELECT
        top_id,
        coalesce(sum(credit) FILTER (state = 'won'), 0)::BIGINT AS won_amount,
        count(DISTINCT opportunity_id) AS opportunities,
        count(DISTINCT opportunity_id) FILTER (state = 'won') AS wins
    FROM credits JOIN above USING (campaign_id) JOIN campaigns USING (campaign_id)
    WHERE cost IS NOT NULL
    GROUP BY top_id
)
SELECT
    top_id AS campaign_id,
    cost,
    coalesce(won_amount, 0) AS won_amount,
    coalesce(opportunities, 0) AS opportunities,
    coalesce(wins, 0) AS wins,
    (coalesce(won_amount, 0) - cost) / cost::DOUBLE AS roi
FROM spent LEFT JOIN earned USING (top_id)
WHERE cost > 0
