-- Of the accounts that ever answered, how many have won a deal within a year of their first Inquiry?
-- ask: conversion(unit="accounts", from_stage="Inquiry", to_stage="Won", window_days=365)
WITH steps AS (
    SELECT
        account_id,
        min(entered_s) FILTER (stage_no = 0) AS a_s,
        min(entered_day) FILTER (stage_no = 0) AS a_day,
        min(entered_s) FILTER (stage_no > 0) AS beyond_s,
        min(entered_s) FILTER (stage_no = 4) AS b_s,
        min(entered_day) FILTER (stage_no = 4) AS b_day
    FROM journeys
    JOIN people USING (person_id)
    LEFT JOIN entries USING (journey_id)
    WHERE account_id IS NOT NULL
    GROUP BY account_id
),
classed AS (
    SELECT
        CASE
            WHEN a_s IS NULL AND beyond_s IS NULL THEN 'undated'
            WHEN a_s IS NULL THEN 'implied'
            WHEN b_s < a_s THEN 'out_of_order'
            WHEN a_day + 365 >= as_of.day THEN 'too_young'
            ELSE 'started'
        END AS class,
        coalesce(b_day - a_day <= 365, false) AS in_time
    FROM steps, as_of
)
SELECT
    count(*) FILTER (class = 'started') AS started,
    count(*) FILTER (class = 'started' AND in_time) AS converted,
    count(*) FILTER (class = 'too_young') AS too_young,
    count(*) FILTER (class = 'implied') AS implied,
    count(*) FILTER (class = 'out_of_order') AS out_of_order,
    count(*) FILTER (class = 'undated') AS undated
FROM classed
