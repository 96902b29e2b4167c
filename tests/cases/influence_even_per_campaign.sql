-- Every campaign on a deal gets the same, and its touches share that. The weight of a touch is 1 ÷ touches of its
-- campaign; on the grid: w = round(1,000,000 × weight ÷ largest weight), points = w × 1,000,000 div sum of w.
-- Credit = amount × points ÷ sum of points in whole cents; the cents left over go one each to the largest
-- remainders, ties to the earlier touch.
-- ask: influence(models=["even_per_campaign"])
-- only: bucket = "campaign"
WITH weighted AS (
    SELECT *, count(*) OVER (PARTITION BY opportunity_id, campaign_id) AS same_campaign FROM role_touches
),
scaled AS (
    SELECT
        *,
        round(1000000.0::DOUBLE * min(same_campaign) OVER (PARTITION BY opportunity_id) / same_campaign)::HUGEINT AS w
    FROM weighted
),
pointed AS (
    SELECT *, (w * 1000000) // sum(w) OVER (PARTITION BY opportunity_id) AS points FROM scaled
),
shared AS (
    SELECT
        *,
        (amount * points) // sum(points) OVER (PARTITION BY opportunity_id) AS whole,
        (amount * points) % sum(points) OVER (PARTITION BY opportunity_id) AS remainder
    FROM pointed
),
credits AS (
    SELECT
        *,
        whole + CASE
            WHEN row_number() OVER (PARTITION BY opportunity_id ORDER BY remainder DESC, nth)
                <= amount - sum(whole) OVER (PARTITION BY opportunity_id) THEN 1
            ELSE 0
        END AS credit
    FROM shared
)
SELECT
    campaign_id,
    count(*) AS responses,
    coalesce(sum(credit) FILTER (state = 'won'), 0)::BIGINT AS won_amount,
    coalesce(sum(credit) FILTER (state = 'open'), 0)::BIGINT AS open_amount,
    coalesce(sum(credit) FILTER (state = 'lost'), 0)::BIGINT AS lost_amount
FROM credits
GROUP BY campaign_id
