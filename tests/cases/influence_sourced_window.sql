-- Of the even allocation, what fell on responses before the creation of the deal? The rest stands in
-- other_window, so that the rows still add up to everything.
-- ask: influence(models=["even"], window="sourced")
WITH credits AS (
    SELECT *, amount // touches + CASE WHEN nth <= amount % touches THEN 1 ELSE 0 END AS credit FROM role_touches
),
parts AS (
    SELECT 'campaign' AS bucket, campaign_id, state, credit * before_creation::INTEGER AS amount FROM credits
    UNION ALL
    SELECT 'other_window', NULL, state, credit FROM credits WHERE NOT before_creation
)
SELECT
    bucket,
    campaign_id,
    coalesce(sum(amount) FILTER (state = 'won'), 0)::BIGINT AS won_amount,
    coalesce(sum(amount) FILTER (state = 'open'), 0)::BIGINT AS open_amount,
    coalesce(sum(amount) FILTER (state = 'lost'), 0)::BIGINT AS lost_amount
FROM parts
WHERE bucket <> 'unattributed'
GROUP BY ALL
