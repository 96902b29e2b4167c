-- Credit evenly to all people of the deal's account, whether they have a role on it or not.
-- ask: influence(models=["even"], scope="account")
-- only: bucket = "campaign"
WITH touches AS (
    SELECT
        d.opportunity_id,
        d.state,
        d.amount,
        r.campaign_id,
        row_number() OVER (PARTITION BY d.opportunity_id ORDER BY r.responded_s, r.response_id) AS nth,
        count(*) OVER (PARTITION BY d.opportunity_id) AS touches
    FROM deals AS d
    JOIN people AS p USING (account_id)
    JOIN counted_responses AS r USING (person_id)
    CROSS JOIN as_of AS a
    WHERE
        d.amount_state = 'known'
        AND d.created_day - r.responded_day <= 365
        AND r.responded_s <= CASE WHEN d.state = 'open' THEN a.s ELSE d.closed_s END
),
credits AS (
    SELECT *, amount // touches + CASE WHEN nth <= amount % touches THEN 1 ELSE 0 END AS credit FROM touches
)
SELECT
    campaign_id,
    'account' AS scope,
    count(*) AS responses,
    coalesce(sum(credit) FILTER (state = 'won'), 0)::BIGINT AS won_amount,
    coalesce(sum(credit) FILTER (state = 'open'), 0)::BIGINT AS open_amount,
    coalesce(sum(credit) FILTER (state = 'lost'), 0)::BIGINT AS lost_amount
FROM credits
GROUP BY campaign_id
