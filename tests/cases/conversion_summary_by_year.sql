-- What a Salesforce report with the formula B:SUM / A:SUM shows of the records of each year: journeys by the day
-- they opened, each stage on record with a time or without, whenever it came. Journeys without a time have no year.
-- ask: conversion(convention="summary", unit="journeys", grain="year")
-- only: started > 0
WITH on_record AS (
    SELECT journey_id, stage_no FROM entries
    UNION
    SELECT journey_id, stage_no FROM journey_stages WHERE known = 'untimed'
),
flags AS (
    SELECT strftime(date_of(j.started_day), '%Y') AS period, stage_no, count(*) AS units
    FROM on_record
    JOIN journeys AS j USING (journey_id)
    GROUP BY ALL
)
SELECT
    x.period,
    a.stage AS from_stage,
    b.stage AS to_stage,
    x.units AS started,
    coalesce(y.units, 0) AS converted,
    coalesce(y.units, 0) / x.units AS rate,
    coalesce(y.units, 0) / f.units AS rate_of_first
FROM flags AS x
JOIN stages AS a ON a.stage_no = x.stage_no
JOIN stages AS b ON b.stage_no = x.stage_no + 1
LEFT JOIN flags AS y ON y.period IS NOT DISTINCT FROM x.period AND y.stage_no = x.stage_no + 1
LEFT JOIN flags AS f ON f.period IS NOT DISTINCT FROM x.period AND f.stage_no = 0
