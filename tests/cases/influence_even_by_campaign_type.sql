-- Even credit by type of the credited campaign.
-- ask: influence(models=["even"], by=["campaign_type"])
-- only: bucket = "campaign"
WITH credits AS (
    SELECT *, amount // touches + CASE WHEN nth <= amount % touches THEN 1 ELSE 0 END AS credit FROM role_touches
)
SELECT
    campaign_type,
    count(*) AS responses,
    count(DISTINCT opportunity_id) AS opportunities,
    coalesce(sum(credit) FILTER (state = 'won'), 0)::BIGINT AS won_amount,
    coalesce(sum(credit) FILTER (state = 'open'), 0)::BIGINT AS open_amount,
    coalesce(sum(credit) FILTER (state = 'lost'), 0)::BIGINT AS lost_amount
FROM credits JOIN campaigns USING (campaign_id)
GROUP BY campaign_type
