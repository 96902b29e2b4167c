-- Where should the running goals stand by the org's own seasonality? By the share of the entries of up to three periods
-- before that had come by the same working day; two whole periods with entries are needed. Of the day under way the
-- part that has passed counts.
-- ask: goals(pace="seasonal")
-- only: unit = "journeys", state = "running"
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
running AS (
    SELECT
        *,
        (SELECT count(*) FROM workdays WHERE day >= starts AND day < today) AS whole,
        -- On a day off nothing of a working day is under way.
        coalesce((SELECT part FROM workdays WHERE day = today), 0) AS share
    FROM goals, now
    WHERE today >= starts AND today < ends
),
before AS (
    SELECT
        g.period,
        g.segment,
        g.stage_no,
        (starts - CASE WHEN g.period LIKE '%-Q%' THEN INTERVAL 3 MONTH ELSE INTERVAL 1 YEAR END * back)::DATE AS b_starts,
        (starts - CASE WHEN g.period LIKE '%-Q%' THEN INTERVAL 3 MONTH ELSE INTERVAL 1 YEAR END * (back - 1))::DATE AS b_ends,
        whole,
        share
    FROM running AS g, range(1, 4) AS r (back)
),
numbered AS (
    SELECT b.*, w.day, row_number() OVER (PARTITION BY b.period, b.segment, b.stage_no, b_starts ORDER BY w.day) AS nth
    FROM before AS b JOIN workdays AS w ON w.day >= b_starts AND w.day < b_ends
),
bounds AS (
    -- The working day of the same number in that period; where it has fewer, all of it.
    SELECT
        period,
        segment,
        stage_no,
        b_starts,
        b_ends,
        any_value(share) AS share,
        coalesce(max(day) FILTER (nth = whole), b_ends) AS by_whole,
        coalesce(max(day) FILTER (nth = whole + 1), b_ends) AS by_next
    FROM numbered
    GROUP BY period, segment, stage_no, b_starts, b_ends
),
came AS (
    SELECT
        b.period,
        b.segment,
        b.stage_no,
        b_starts,
        any_value(share) AS share,
        count(first_on) AS all_came,
        count(first_on) FILTER (first_on <= by_whole) AS came_whole,
        count(first_on) FILTER (first_on <= by_next) AS came_next
    FROM bounds AS b
    LEFT JOIN firsts AS f ON f.stage_no = b.stage_no AND first_on >= b_starts AND first_on < b_ends
    AND (b.segment IS NULL OR f.campaign_type = b.segment)
    WHERE b_starts >= (SELECT min(first_on) FROM firsts AS o WHERE o.stage_no = b.stage_no)
    GROUP BY b.period, b.segment, b.stage_no, b_starts
),
shares AS (
    SELECT
        period,
        segment,
        stage_no,
        CASE WHEN count(*) >= 2 THEN sum((1 - share) * came_whole + share * came_next) / sum(all_came) END AS expected
    FROM came
    WHERE all_came > 0
    GROUP BY period, segment, stage_no
),
actuals AS (
    SELECT
        g.*,
        (
            SELECT count(*) FROM firsts AS f
            WHERE f.stage_no = g.stage_no AND first_on >= starts AND first_on < ends
            AND (segment IS NULL OR f.campaign_type = segment)
        ) AS actual
    FROM running AS g
)
SELECT
    a.period,
    metric,
    'campaign_type=' || a.segment AS segment,
    actual,
    (goal * expected)::DOUBLE AS expected_to_date,
    (actual / (goal * expected))::DOUBLE AS pace,
    (actual / expected)::DOUBLE AS landing
FROM actuals AS a
LEFT JOIN shares AS s ON s.period = a.period AND s.stage_no = a.stage_no AND s.segment IS NOT DISTINCT FROM a.segment
