-- Which opportunities were won between the beginning of 2026 and the end of June, out of which stage, from the files
-- alone? Their history ends by then in Closed Won, and an open row of it was in force in between.
-- ask: pipeline(view="movements", by=["stage"], start="2026-01-01", end="2026-06-01")
-- only: movement = "won"
WITH history AS (
    SELECT
        OpportunityId,
        StageName,
        CreatedDate::TIMESTAMPTZ AS begins,
        lead(CreatedDate::TIMESTAMPTZ) OVER (PARTITION BY OpportunityId ORDER BY CreatedDate, h.Id) AS ends,
        lead(StageName) OVER (PARTITION BY OpportunityId ORDER BY CreatedDate, h.Id) AS next_stage
    FROM read_csv(getvariable('files') || 'OpportunityHistory.csv', header = true, all_varchar = true) AS h
    WHERE IsDeleted = 'false'
),
bounds AS (
    SELECT
        TIMESTAMPTZ '2026-01-01 00:00:00 America/New_York' AS first,
        TIMESTAMPTZ '2026-06-01 00:00:00 America/New_York' AS stop
),
won AS (
    SELECT OpportunityId
    FROM history, bounds
    WHERE begins < stop AND (ends IS NULL OR ends >= stop) AND StageName = 'Closed Won'
),
open AS (
    SELECT OpportunityId, StageName, row_number() OVER (PARTITION BY OpportunityId ORDER BY begins DESC) AS back
    FROM history, bounds
    WHERE begins < stop AND ends >= first AND StageName NOT IN ('Closed Won', 'Closed Lost')
)
SELECT open.StageName AS stage, 'won' AS movement, count(*) AS opportunities, -count(*) AS count
FROM won
JOIN open USING (OpportunityId)
JOIN read_csv(getvariable('files') || 'Opportunity.csv', header = true, all_varchar = true) AS o ON o.Id = OpportunityId
WHERE open.back = 1 AND o.IsDeleted = 'false'
GROUP BY open.StageName
