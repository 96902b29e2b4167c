-- Every credit of the even model: deal, response, campaign and cents; and each deal that remains, with its reason.
-- ask: influence(models=["even"])
-- of: list
-- only: bucket = "campaign"
SELECT
    opportunity_id,
    response_id,
    campaign_id,
    amount // touches + CASE WHEN nth <= amount % touches THEN 1 ELSE 0 END AS credit
FROM role_touches
