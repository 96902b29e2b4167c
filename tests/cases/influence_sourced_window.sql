-- Of the even allocation, which campaigns have what fell on responses before the creation of the deal?
-- ask: influence(models=["even"], window="sourced")
-- only: bucket = "campaign", sourced_amount > 0
WITH credits AS (
    SELECT *, amount // touches + CASE WHEN nth <= amount % touches THEN 1 ELSE 0 END AS credit FROM role_touches
)
SELECT
    campaign_id,
    'sourced' AS window,
    coalesce(sum(credit) FILTER (state = 'won'), 0)::BIGINT AS won_amount,
    coalesce(sum(credit) FILTER (state = 'open'), 0)::BIGINT AS open_amount,
    coalesce(sum(credit) FILTER (state = 'lost'), 0)::BIGINT AS lost_amount,
    sum(credit)::BIGINT AS sourced_amount
FROM credits
WHERE before_creation
GROUP BY campaign_id
HAVING sum(credit) > 0
