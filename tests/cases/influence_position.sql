-- 40 to the first touch, 40 to the last, 20 to all between; two touches have half each, one has all. In whole numbers:
-- of n touches the first and the last weigh 2 × (n − 2), every other one 1.
-- ask: influence(models=["position"])
-- of: list
-- only: bucket = "campaign"
WITH placed AS (
    SELECT
        *,
        count(*) OVER (PARTITION BY opportunity_id) AS n,
        row_number() OVER (PARTITION BY opportunity_id ORDER BY nth) AS place
    FROM role_touches
),
pointed AS (
    SELECT
        *,
        CASE WHEN n <= 2 THEN 1 WHEN place IN (1, n) THEN 2 * (n - 2) ELSE 1 END AS points
    FROM placed
),
shared AS (
    SELECT
        *,
        (amount * points) // sum(points) OVER (PARTITION BY opportunity_id) AS whole,
        (amount * points) % sum(points) OVER (PARTITION BY opportunity_id) AS remainder
    FROM pointed
)
SELECT
    opportunity_id,
    response_id AS unit_id,
    (
        whole + CASE
            WHEN row_number() OVER (PARTITION BY opportunity_id ORDER BY remainder DESC, nth)
                <= amount - sum(whole) OVER (PARTITION BY opportunity_id) THEN 1
            ELSE 0
        END
    )::BIGINT AS credit
FROM shared
