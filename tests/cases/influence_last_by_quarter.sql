-- Which campaigns had the last word before the deals of each quarter (by creation) closed?
-- ask: influence(models=["last"], grain="quarter")
-- only: bucket = "campaign"
SELECT
    strftime(date_of(created_day), '%Y') || '-Q' || quarter(date_of(created_day)) AS period,
    campaign_id,
    count(*) AS opportunities,
    coalesce(sum(t.amount) FILTER (t.state = 'won'), 0)::BIGINT AS won_amount,
    coalesce(sum(t.amount) FILTER (t.state = 'open'), 0)::BIGINT AS open_amount,
    coalesce(sum(t.amount) FILTER (t.state = 'lost'), 0)::BIGINT AS lost_amount
FROM role_touches AS t JOIN deals USING (opportunity_id)
WHERE nth = touches
GROUP BY ALL
