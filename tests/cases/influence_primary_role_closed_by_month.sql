-- What do the responses of primary contacts get of the deals that closed in each month? Open ones are not in it.
-- ask: influence(models=["last"], scope="primary role", date="closed", grain="month")
-- only: bucket = "campaign"
WITH touches AS (
    SELECT
        d.*,
        r.campaign_id,
        row_number() OVER (PARTITION BY d.opportunity_id ORDER BY r.responded_s DESC, r.response_id DESC) AS back
    FROM deals AS d
    JOIN opportunity_people AS p USING (opportunity_id)
    JOIN counted_responses AS r USING (person_id)
    WHERE
        d.amount_state = 'known'
        AND d.state <> 'open'
        AND p.is_primary
        AND d.created_day - r.responded_day <= 365
        AND r.responded_s <= d.closed_s
)
SELECT
    month_of(closed_day) AS period,
    campaign_id,
    count(*) AS opportunities,
    coalesce(sum(amount) FILTER (state = 'won'), 0)::BIGINT AS won_amount,
    0 AS open_amount,
    coalesce(sum(amount) FILTER (state = 'lost'), 0)::BIGINT AS lost_amount
FROM touches
WHERE back = 1
GROUP BY ALL
