-- Every response gets the same, in whole cents: amount ÷ touches, and the cents left over go one each to the
-- earliest touches.
-- ask: influence(models=["even"])
-- only: bucket = "campaign"
WITH credits AS (
    SELECT *, amount // touches + CASE WHEN nth <= amount % touches THEN 1 ELSE 0 END AS credit FROM role_touches
)
SELECT
    campaign_id,
    count(*) AS responses,
    count(DISTINCT opportunity_id) AS opportunities,
    coalesce(sum(credit) FILTER (state = 'won'), 0)::BIGINT AS won_amount,
    coalesce(sum(credit) FILTER (state = 'open'), 0)::BIGINT AS open_amount,
    coalesce(sum(credit) FILTER (state = 'lost'), 0)::BIGINT AS lost_amount,
    coalesce(sum(credit) FILTER (before_creation), 0)::BIGINT AS sourced_amount,
    coalesce(sum(credit) FILTER (NOT before_creation), 0)::BIGINT AS accelerated_amount
FROM credits
GROUP BY campaign_id
