-- What does a million of revenue need of each stage? Backwards: deals at the mean amount of the year, journeys won
-- per deal, then each stage by the rate of its newest twelve months that are old enough (the window is the one kept
-- with the snapshot) and by the share of the later stage that had come through it; responses per journey.
-- ask: reverse(amount=1000000, period="2026-Q4")
WITH firsts AS (
    SELECT journey_id, stage_no, min(entered_s) AS s, min(entered_day) AS day FROM entries GROUP BY ALL
),
pairs AS (
    SELECT
        a.stage_no AS from_no,
        a.stage || '>' || b.stage AS name,
        (
            SELECT (value ->> ('$."window:main:journeys:' || a.stage || '>' || b.stage || '"'))::BIGINT
            FROM _meta WHERE key = 'numbers'
        ) AS window_days
    FROM stages AS a JOIN stages AS b ON b.stage_no = a.stage_no + 1
),
steps AS (
    SELECT from_no, window_days, a.journey_id, a.s AS a_s, a.day AS a_day, min(b.s) AS b_s, min(b.day) AS b_day
    FROM pairs
    JOIN firsts AS a ON a.stage_no = from_no
    LEFT JOIN firsts AS b ON b.journey_id = a.journey_id AND b.stage_no > from_no
    GROUP BY ALL
),
months AS (
    SELECT
        from_no,
        month_of(a_day) AS month,
        count(*) AS started,
        count(*) FILTER (b_day - a_day <= window_days) AS converted
    FROM steps, as_of
    WHERE (b_s IS NULL OR b_s >= a_s) AND a_day + window_days < as_of.day
    GROUP BY ALL
),
rates AS (
    SELECT from_no, sum(started)::BIGINT AS n, sum(converted) / sum(started) AS rate
    FROM (SELECT *, row_number() OVER (PARTITION BY from_no ORDER BY month DESC) AS back FROM months)
    WHERE back <= 12
    GROUP BY from_no
),
throughs AS (
    SELECT p.from_no, count(*) FILTER (earlier.s <= later.s) / count(*) AS through
    FROM pairs AS p
    JOIN firsts AS later ON later.stage_no = p.from_no + 1
    LEFT JOIN firsts AS earlier ON earlier.journey_id = later.journey_id AND earlier.stage_no = p.from_no
    WHERE later.day > (SELECT day FROM as_of) - 365
    GROUP BY p.from_no
),
year AS (
    SELECT
        (SELECT avg(amount) FROM deals WHERE state = 'won' AND closed_day > a.day - 365) AS deal_size,
        (SELECT count(amount) FROM deals WHERE state = 'won' AND closed_day > a.day - 365) AS deals,
        (SELECT count(*) FROM firsts WHERE stage_no = 4 AND day > a.day - 365) AS journeys_won,
        (SELECT count(*) FROM firsts WHERE stage_no = 0 AND day > a.day - 365) AS journeys_begun,
        (SELECT count(*) FROM counted_responses WHERE responded_day > a.day - 365) AS answers
    FROM as_of AS a
),
won AS (
    SELECT 100000000 / deal_size AS deals_won, 100000000 / deal_size * journeys_won / deals AS journeys_won_needed FROM year
),
walked AS (
    SELECT
        stage AS step,
        'journeys' AS unit,
        -- All later factors together, the last one first.
        journeys_won_needed * product(through / rate) OVER (ORDER BY from_no DESC) AS exact,
        name AS factor,
        n,
        rate,
        through,
        NULL::DOUBLE AS value,
        from_no
    FROM pairs JOIN rates USING (from_no) JOIN throughs USING (from_no) JOIN stages ON stage_no = from_no, won
),
rows AS (
    SELECT step, unit, exact, factor, n, rate, through, value FROM walked
    UNION ALL
    SELECT 'deals won', 'opportunities', deals_won, 'deal_size', deals, NULL, NULL, NULL FROM won, year
    UNION ALL
    SELECT 'Won', 'journeys', journeys_won_needed, 'journeys_per_deal', deals, NULL, NULL, journeys_won / deals FROM won, year
    UNION ALL
    SELECT
        'responses', 'responses', exact * answers / journeys_begun, 'responses_per_journey', journeys_begun, NULL, NULL,
        answers / journeys_begun
    FROM walked, year WHERE from_no = 0
    UNION ALL
    SELECT 'revenue', 'USD', NULL, NULL, NULL, NULL, NULL, NULL
)
SELECT step, unit, ceil(exact)::BIGINT AS needed, factor, n, rate, through, value FROM rows
