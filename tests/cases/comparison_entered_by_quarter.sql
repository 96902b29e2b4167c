-- How many journeys entered each stage in the quarters of 2026, and in the same quarters a year before? The second
-- quarter is over at as-of.
-- ask: comparison(view="entered", compare="last-year", grain="quarter", start="2026-01-01", end="2026-07-01")
WITH firsts AS (
    SELECT journey_id, stage_no, min(entered_day) AS day FROM entries GROUP BY ALL
),
quarters AS (
    SELECT stage, year(date_of(day)) AS year, quarter(date_of(day)) AS quarter, count(*) AS n
    FROM firsts JOIN stages USING (stage_no)
    GROUP BY ALL
)
SELECT
    '2026-Q' || q.quarter AS period,
    '2025-Q' || q.quarter AS before_period,
    q.stage,
    coalesce(b.n, 0) AS before,
    q.n AS count,
    q.n - coalesce(b.n, 0) AS change,
    q.n / b.n - 1 AS change_share
FROM quarters AS q
LEFT JOIN quarters AS b ON b.stage = q.stage AND b.quarter = q.quarter AND b.year = 2025
WHERE q.year = 2026 AND q.quarter <= 2
