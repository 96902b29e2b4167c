-- The curve of the sales cycle of opportunities: after each close, the share that is not closed yet, and the shares
-- that are won and lost.
-- ask: velocity(show="distribution", measure="cycle", unit="opportunities")
WITH lengths AS (
    SELECT
        coalesce(closed_s, a.s) - created_s AS seconds,
        count(*) FILTER (state = 'won') AS won,
        count(*) FILTER (state = 'lost') AS lost,
        sum(count(*)) OVER (ORDER BY coalesce(closed_s, a.s) - created_s DESC) AS at_risk
    FROM deals, as_of AS a
    GROUP BY 1
),
curve AS (
    SELECT *, product(1 - (won + lost) / at_risk) OVER (ORDER BY seconds) AS survival FROM lengths
),
causes AS (
    SELECT *, coalesce(lag(survival) OVER (ORDER BY seconds), 1.0) AS before FROM curve
)
SELECT * EXCLUDE (gone)
FROM (
    SELECT
        seconds / 86400 AS time_days,
        at_risk::BIGINT AS at_risk,
        survival,
        sum(before * won / at_risk) OVER (ORDER BY seconds) AS advanced_share,
        sum(before * lost / at_risk) OVER (ORDER BY seconds) AS exited_share,
        won + lost AS gone
    FROM causes
)
WHERE gone > 0
