-- Which opportunities came into the pipeline between the beginning of 2026 and the end of May, from the files alone?
-- Those created in between that were open at any time.
-- ask: pipeline(view="movements", start="2026-01-01", end="2026-06-01")
-- of: list
-- only: movement = "new"
SELECT DISTINCT o.Id AS unit_id, o.Id AS record_id, 'Opportunity' AS object, 1 AS count
FROM read_csv(getvariable('files') || 'Opportunity.csv', header = true, all_varchar = true) AS o
JOIN read_csv(getvariable('files') || 'OpportunityHistory.csv', header = true, all_varchar = true) AS h
    ON h.OpportunityId = o.Id
WHERE
    o.IsDeleted = 'false'
    AND h.IsDeleted = 'false'
    AND o.CreatedDate::TIMESTAMPTZ >= TIMESTAMPTZ '2026-01-01 00:00:00 America/New_York'
    AND o.CreatedDate::TIMESTAMPTZ < TIMESTAMPTZ '2026-06-01 00:00:00 America/New_York'
    AND h.CreatedDate::TIMESTAMPTZ < TIMESTAMPTZ '2026-06-01 00:00:00 America/New_York'
    AND h.StageName NOT IN ('Closed Won', 'Closed Lost')
