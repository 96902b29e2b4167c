-- Half as much for every 7 days before the close, or before as-of while a deal is open: in whole days where the response or
-- the close is known by its date only, else with fractions. On the grid: millionths of the youngest touch's weight,
-- then parts of a million of their sum.
-- ask: influence(models=["time_decay"])
-- of: list
-- only: bucket = "campaign"
WITH aged AS (
    SELECT
        t.*,
        CASE
            WHEN r.responded_is_date OR (d.state <> 'open' AND d.closed_is_date)
                THEN (CASE WHEN d.state = 'open' THEN a.day ELSE d.closed_day END - r.responded_day)::DOUBLE
            ELSE (CASE WHEN d.state = 'open' THEN a.s ELSE d.closed_s END - r.responded_s) / 86400.0
        END AS days
    FROM role_touches AS t
    JOIN deals AS d USING (opportunity_id)
    JOIN counted_responses AS r USING (response_id)
    CROSS JOIN as_of AS a
),
scaled AS (
    SELECT
        *,
        round(1000000 * 2.0 ** ((min(days) OVER (PARTITION BY opportunity_id) - days) / 7))::BIGINT AS w
    FROM aged
),
pointed AS (
    SELECT *, ((w * 1000000) // sum(w) OVER (PARTITION BY opportunity_id))::BIGINT AS points FROM scaled
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
QUALIFY points > 0
