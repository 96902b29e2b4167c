-- The same of opportunities, by the quarter in which they closed: of those created, how many are won.
-- ask: conversion(convention="summary", unit="opportunities", date_field="closed", grain="quarter")
-- only: started > 0
SELECT
    CASE
        WHEN closed_day IS NOT NULL
            THEN strftime(date_of(closed_day), '%Y') || '-Q' || quarter(date_of(closed_day))
    END AS period,
    'SQL' AS from_stage,
    'Won' AS to_stage,
    count(*) AS started,
    count(*) FILTER (state = 'won') AS converted,
    count(*) FILTER (state = 'won') / count(*) AS rate
FROM deals
GROUP BY ALL
