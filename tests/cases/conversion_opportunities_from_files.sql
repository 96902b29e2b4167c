-- Opportunities won within 90 days of their creation, by month of creation, from the files alone: a deal is
-- won if it stands in Closed Won, since the row of its history that begins the run which holds now.
-- ask: conversion(unit="opportunities", grain="month", window_days=90)
WITH deal AS (
    SELECT
        Id,
        timezone('America/New_York', CreatedDate::TIMESTAMPTZ)::DATE AS created
    FROM read_csv(getvariable('files') || 'Opportunity.csv', header = true, all_varchar = true)
    WHERE IsDeleted = 'false'
),
history AS (
    SELECT
        OpportunityId AS Id,
        StageName,
        timezone('America/New_York', CreatedDate::TIMESTAMPTZ)::DATE AS day,
        row_number() OVER (PARTITION BY OpportunityId ORDER BY CreatedDate DESC, h.Id DESC) AS back
    FROM read_csv(getvariable('files') || 'OpportunityHistory.csv', header = true, all_varchar = true) AS h
    WHERE IsDeleted = 'false'
),
won AS (
    -- Rows that are newer than the last row in another stage; the oldest of them began the run.
    SELECT Id, min(day) AS day
    FROM history AS h
    WHERE back < coalesce((SELECT min(o.back) FROM history AS o WHERE o.Id = h.Id AND o.StageName <> 'Closed Won'), 1e9)
    GROUP BY Id
),
as_of_day AS (
    SELECT DATE '1970-01-01' + day::INTEGER AS day FROM as_of
)
SELECT
    strftime(created, '%Y-%m') AS period,
    'SQL' AS from_stage,
    'Won' AS to_stage,
    count(*) FILTER (created + 90 < as_of_day.day) AS started,
    count(*) FILTER (created + 90 < as_of_day.day AND won.day - created <= 90) AS converted,
    count(*) FILTER (created + 90 >= as_of_day.day) AS too_young,
    count(*) FILTER (created + 90 < as_of_day.day AND won.day - created <= 90)
    / nullif(count(*) FILTER (created + 90 < as_of_day.day), 0) AS rate
FROM deal
LEFT JOIN won USING (Id)
CROSS JOIN as_of_day
GROUP BY period
