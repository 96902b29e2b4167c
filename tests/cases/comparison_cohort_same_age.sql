-- Of the journeys that opened in April to June 2026, and of those of January to March: how many had reached each stage
-- as many days after the first day of their quarter as the younger cohort has had at as-of?
-- ask: comparison(view="cohort", compare="previous", grain="quarter", start="2026-04-01", end="2026-07-01")
WITH cohorts AS (
    SELECT side, date_diff('day', DATE '1970-01-01', first) AS first, date_diff('day', DATE '1970-01-01', stop) AS stop
    FROM (VALUES
        ('now', DATE '2026-04-01', DATE '2026-07-01'),
        ('before', DATE '2026-01-01', DATE '2026-04-01')
    ) AS c (side, first, stop)
),
age AS (
    SELECT a.day - (SELECT first FROM cohorts WHERE side = 'now') AS days FROM as_of AS a
),
-- A stage is reached by an entry of its own or of a later stage.
reached AS (
    SELECT e.journey_id, s.stage_no, s.stage, min(e.entered_day) AS day
    FROM entries AS e
    JOIN stages AS s ON s.stage_no <= e.stage_no
    GROUP BY ALL
)
SELECT
    r.stage,
    count(*) FILTER (c.side = 'before') AS before,
    count(*) FILTER (c.side = 'now') AS count
FROM journeys AS j
JOIN cohorts AS c ON j.started_day >= c.first AND j.started_day < c.stop
JOIN reached AS r USING (journey_id)
CROSS JOIN age
WHERE r.day <= c.first + age.days
GROUP BY r.stage
