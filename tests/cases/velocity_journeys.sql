-- How long do journeys stand in each stage? Visits to a stage are added per journey; what still stands there,
-- or before it, is censored at its sum so far. Median and percentiles by the product-limit curve (the middle of
-- a flat stretch where it meets a share exactly); the share that moves up by Aalen–Johansen, other exits competing.
-- ask: velocity(unit="journeys")
WITH sums AS (
    SELECT journey_id, stage_no, sum(seconds) AS seconds FROM visit_lengths GROUP BY ALL
),
last_visits AS (
    SELECT journey_id, arg_max(stage_no, visit_no) AS last_no, arg_max(is_open, visit_no) AS stands
    FROM visit_lengths
    GROUP BY journey_id
),
spells AS (
    SELECT
        stage_no,
        seconds,
        CASE
            WHEN last_no > stage_no THEN 'advanced'
            WHEN stands THEN 'censored'
            WHEN outcome = 'won' THEN 'advanced'
            ELSE 'exit'
        END AS cause
    FROM sums JOIN last_visits USING (journey_id) JOIN journeys USING (journey_id)
),
lengths AS (
    SELECT
        stage_no,
        seconds,
        count(*) AS units,
        count(*) FILTER (cause = 'advanced') AS advanced,
        count(*) FILTER (cause <> 'censored') AS gone,
        -- At risk just before this length: everybody who stood at least as long.
        sum(count(*)) OVER (PARTITION BY stage_no ORDER BY seconds DESC) AS at_risk
    FROM spells
    GROUP BY stage_no, seconds
),
curve AS (
    SELECT *, product(1 - gone / at_risk) OVER (PARTITION BY stage_no ORDER BY seconds) AS waiting FROM lengths
),
moved AS (
    SELECT *, sum(before * advanced / at_risk) OVER (PARTITION BY stage_no ORDER BY seconds) AS up
    FROM (SELECT *, coalesce(lag(waiting) OVER (PARTITION BY stage_no ORDER BY seconds), 1.0) AS before FROM curve)
),
finals AS (
    SELECT stage_no, max(up) AS final, max(seconds) AS longest FROM moved GROUP BY stage_no
)
SELECT
    'all' AS period,
    stage,
    'sum' AS measure,
    sum(units)::BIGINT AS n,
    sum(units - gone)::BIGINT AS open,
    (min(seconds) FILTER (waiting < 0.5 + 1e-12) + coalesce(min(seconds) FILTER (waiting < 0.5 - 1e-12), longest))
    / 2 / 86400 AS median_days,
    (min(seconds) FILTER (waiting < 0.25 + 1e-12) + coalesce(min(seconds) FILTER (waiting < 0.25 - 1e-12), longest))
    / 2 / 86400 AS p75_days,
    (min(seconds) FILTER (waiting < 0.1 + 1e-12) + coalesce(min(seconds) FILTER (waiting < 0.1 - 1e-12), longest))
    / 2 / 86400 AS p90_days,
    final AS advance_share,
    (min(seconds) FILTER (up > final / 2 - 1e-12) + min(seconds) FILTER (up > final / 2 + 1e-12)) / 2 / 86400
        AS advance_median_days
FROM moved JOIN finals USING (stage_no) JOIN stages USING (stage_no)
GROUP BY stage, final, longest
