-- What has come of the goals that are counted, and where should they stand? By the working days, Monday to Friday,
-- that have passed, of the one under way its part; what is left must bring the rest.
-- ask: goals()
-- only: unit = "journeys"
WITH goals (metric, stage_no, period, starts, ends, segment, goal) AS (
    VALUES
        ('MQL', 1, '2026-Q1', DATE '2026-01-01', DATE '2026-04-01', NULL, 180.0::DOUBLE),
        ('MQL', 1, '2026-Q2', DATE '2026-04-01', DATE '2026-07-01', NULL, 200),
        ('MQL', 1, '2026-Q2', DATE '2026-04-01', DATE '2026-07-01', 'Webinar', 40),
        ('SQL', 3, '2026', DATE '2026-01-01', DATE '2027-01-01', NULL, 120),
        ('MQL', 1, '2026-Q3', DATE '2026-07-01', DATE '2026-10-01', NULL, 210)
),
now AS (
    SELECT
        date_of(a.day) AS today,
        -- Of the day under way the part that has passed, by its own seconds: it may have 23 or 25 hours.
        least((a.s - d.starts) / (d.ends - d.starts + 1), 1.0)::DOUBLE AS part
    FROM as_of AS a JOIN days AS d USING (day)
),
workdays AS (
    SELECT day::DATE AS day FROM range(TIMESTAMP '2024-01-01', TIMESTAMP '2028-01-01', INTERVAL 1 DAY) AS r (day)
    WHERE isodow(day) <= 5
),
firsts AS (
    SELECT e.journey_id, e.stage_no, date_of(min(entered_day)) AS first_on, any_value(c.campaign_type) AS campaign_type
    FROM entries AS e
    JOIN journeys AS j USING (journey_id)
    LEFT JOIN campaigns AS c ON c.campaign_id = j.origin_campaign_id
    GROUP BY e.journey_id, e.stage_no
),
placed AS (
    SELECT
        g.*,
        (SELECT count(*) FROM workdays WHERE day >= starts AND day < ends)::DOUBLE AS work,
        least(
            (SELECT count(*) FROM workdays WHERE day >= starts AND day < ends AND day < today)
            + coalesce((SELECT part FROM workdays WHERE day = today AND day >= starts AND day < ends), 0),
            (SELECT count(*) FROM workdays WHERE day >= starts AND day < ends)
        )::DOUBLE AS passed,
        CASE WHEN today >= ends THEN 'finished' WHEN today < starts THEN 'future' ELSE 'running' END AS state,
        (
            SELECT count(*) FROM firsts AS f
            WHERE f.stage_no = g.stage_no AND first_on >= starts AND first_on < ends
            AND (segment IS NULL OR f.campaign_type = segment)
        ) AS actual
    FROM goals AS g, now
)
SELECT
    period,
    metric,
    'campaign_type=' || segment AS segment,
    actual,
    goal,
    CASE WHEN state <> 'future' THEN goal * passed / work END AS expected_to_date,
    actual / goal AS attainment,
    CASE WHEN state <> 'future' THEN actual / (goal * passed / work) END AS pace,
    CASE WHEN state <> 'finished' THEN greatest(goal - actual, 0) / (work - passed) END AS required,
    CASE WHEN state <> 'future' THEN actual / passed END AS so_far,
    CASE WHEN state <> 'future' THEN actual / (passed / work) END AS landing,
    state,
    work AS workdays,
    passed AS workdays_passed
FROM placed
