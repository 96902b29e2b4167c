-- How long is the sales cycle of opportunities, by their type? From creation to the close that holds at as-of.
-- ask: velocity(measure="cycle", unit="opportunities", by=["opportunity_type"])
WITH spells AS (
    SELECT
        (SELECT value FROM dimension_values WHERE dimension = 'opportunity_type' AND id = opportunity_id) AS opportunity_type,
        coalesce(closed_s, a.s) - created_s AS seconds,
        state
    FROM deals, as_of AS a
)
SELECT
    opportunity_type,
    'Close' AS to_stage,
    'cycle' AS measure,
    count(*) AS n,
    count(*) FILTER (state = 'open') AS open
FROM spells
GROUP BY opportunity_type
