-- How long are opportunities open? From creation to the close that holds at as-of, by the second; open ones
-- are censored at as-of. Winning is moving up, losing is not.
-- ask: velocity(unit="opportunities")
WITH spells AS (
    SELECT coalesce(closed_s, as_of.s) - created_s AS seconds, state FROM deals, as_of
),
lengths AS (
    SELECT
        seconds,
        count(*) AS units,
        count(*) FILTER (state = 'won') AS won,
        count(*) FILTER (state <> 'open') AS gone,
        sum(count(*)) OVER (ORDER BY seconds DESC) AS at_risk
    FROM spells
    GROUP BY seconds
),
curve AS (
    SELECT *, product(1 - gone / at_risk) OVER (ORDER BY seconds) AS waiting FROM lengths
),
moved AS (
    SELECT *, sum(before * won / at_risk) OVER (ORDER BY seconds) AS up
    FROM (SELECT *, coalesce(lag(waiting) OVER (ORDER BY seconds), 1.0) AS before FROM curve)
)
SELECT
    'SQL' AS stage,
    sum(units)::BIGINT AS n,
    sum(units - gone)::BIGINT AS open,
    0 AS excluded,
    min(seconds) FILTER (waiting <= 0.5) / 86400 AS median_days,
    min(seconds) FILTER (waiting <= 0.25) / 86400 AS p75_days,
    max(up) AS advance_share,
    1.0::DOUBLE AS waiting_share
FROM moved
