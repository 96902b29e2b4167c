-- What became of the responses of each quarter, from the table of responses?
-- ask: fates(grain="quarter")
WITH placed AS (
    SELECT
        year(date_of(responded_day)) || '-Q' || quarter(date_of(responded_day)) AS period,
        fate,
        CASE WHEN fate = 'excluded' THEN excluded_why END AS reason
    FROM responses
),
whole AS (
    SELECT period, count(*) AS n FROM placed GROUP BY period
)
SELECT p.period, fate, reason, count(*) AS count, count(*) / w.n AS share
FROM placed AS p
JOIN whole AS w ON w.period IS NOT DISTINCT FROM p.period
GROUP BY p.period, fate, reason, w.n
