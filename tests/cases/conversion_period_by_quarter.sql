-- The quick ratio: entries into a stage ÷ entries into the one before in the same quarter.
-- ask: conversion(convention="period", unit="journeys", grain="quarter")
-- only: rate > 0
WITH firsts AS (
    SELECT journey_id, stage_no, date_of(min(entered_day)) AS day FROM entries GROUP BY ALL
),
quarterly AS (
    SELECT stage_no, strftime(day, '%Y') || '-Q' || quarter(day) AS period, count(*) AS entered FROM firsts GROUP BY ALL
)
SELECT x.period, a.stage AS from_stage, b.stage AS to_stage, 'period' AS convention, y.entered / x.entered AS rate
FROM quarterly AS x
JOIN quarterly AS y ON y.period = x.period AND y.stage_no = x.stage_no + 1
JOIN stages AS a ON a.stage_no = x.stage_no
JOIN stages AS b ON b.stage_no = y.stage_no
