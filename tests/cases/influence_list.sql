-- Every credit of the even model in cents: deal, response, campaign.
-- ask: influence(models=["even"])
-- of: list
-- only: bucket = "campaign"
SELECT
    opportunity_id,
    response_id AS unit_id,
    campaign_id,
    amount // touches + CASE WHEN nth <= amount % touches THEN 1 ELSE 0 END AS credit
FROM role_touches
