-- MQLs of each month against the month before, months without any included.
-- ask: formula(expression="MQL / previous(MQL) - 1", grain="month")
WITH firsts AS (
    SELECT date_of(min(entered_day)) AS day FROM entries WHERE stage_no = 1 GROUP BY journey_id
),
months AS (
    SELECT unnest(generate_series(
        date_trunc('month', (SELECT min(day) FROM firsts)), date_of((SELECT day FROM as_of)), INTERVAL 1 MONTH
    )) AS month
),
counted AS (
    SELECT month, count(day) AS mql FROM months LEFT JOIN firsts ON date_trunc('month', day) = month GROUP BY month
)
SELECT
    strftime(month, '%Y-%m') AS period,
    mql,
    lag(mql) OVER (ORDER BY month) AS previous_mql,
    mql / nullif(lag(mql) OVER (ORDER BY month), 0) - 1 AS value
FROM counted
