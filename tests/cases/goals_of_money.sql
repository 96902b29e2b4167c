-- What has come of the goals for won amounts? Money is in cents; expected by the working days passed.
-- ask: goals()
-- only: unit = "opportunities"
WITH goals (period, starts, ends, goal) AS (
    VALUES
        ('2026-Q1', DATE '2026-01-01', DATE '2026-04-01', 30000000),
        ('2026', DATE '2026-01-01', DATE '2027-01-01', 250000000)
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
placed AS (
    SELECT
        g.*,
        (SELECT count(*) FROM workdays WHERE day >= starts AND day < ends) AS work,
        (SELECT count(*) FROM workdays WHERE day >= starts AND day < ends AND day < today)
        + coalesce((SELECT part FROM workdays WHERE day = today AND day < ends), 0) AS passed,
        (
            SELECT sum(amount) FROM deals
            WHERE state = 'won' AND date_of(closed_day) >= starts AND date_of(closed_day) < ends
        ) AS actual
    FROM goals AS g, now
)
SELECT
    period,
    'won_amount' AS metric,
    actual::BIGINT AS actual_amount,
    goal AS goal_amount,
    round(goal * passed / work)::BIGINT AS expected_to_date_amount,
    (actual / goal)::DOUBLE AS attainment,
    (actual / (goal * passed / work))::DOUBLE AS pace,
    CASE WHEN passed < work THEN round(greatest(goal - actual, 0) / (work - passed))::BIGINT END AS required_amount,
    round(actual / (passed / work))::BIGINT AS landing_amount
FROM placed
