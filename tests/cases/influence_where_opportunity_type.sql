-- A filter chooses deals, not touches: even credit of New Business deals created in 2026.
-- ask: influence(models=["even"], where={"opportunity_type": "New Business"}, start="2026-01-01")
-- only: bucket = "campaign"
WITH credits AS (
    SELECT *, amount // touches + CASE WHEN nth <= amount % touches THEN 1 ELSE 0 END AS credit FROM role_touches
)
SELECT
    c.campaign_id,
    count(*) AS responses,
    coalesce(sum(credit) FILTER (c.state = 'won'), 0)::BIGINT AS won_amount,
    coalesce(sum(credit) FILTER (c.state = 'open'), 0)::BIGINT AS open_amount,
    coalesce(sum(credit) FILTER (c.state = 'lost'), 0)::BIGINT AS lost_amount
FROM credits AS c JOIN deals AS d USING (opportunity_id)
WHERE d.opportunity_type = 'New Business' AND date_of(d.created_day) >= DATE '2026-01-01'
GROUP BY c.campaign_id
