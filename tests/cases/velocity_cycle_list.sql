-- How long from the start of each journey that holds an opportunity to its close: the first one won, else the end
-- when all are lost, else not closed yet?
-- ask: velocity(measure="cycle")
-- of: list
WITH wins AS (
    SELECT journey_id, closed_s, closed_day, closed_is_date
    FROM journey_opportunities AS held JOIN deals USING (opportunity_id)
    WHERE held.state = 'won'
    QUALIFY row_number() OVER (PARTITION BY journey_id ORDER BY closed_s, closed_is_date) = 1
),
spans AS (
    SELECT
        j.*,
        closed_s AS win_s,
        CASE WHEN closed_s IS NOT NULL THEN closed_day WHEN outcome = 'lost' THEN ended_day ELSE a.day END AS stop_day,
        CASE WHEN closed_s IS NOT NULL THEN closed_s WHEN outcome = 'lost' THEN ended_s ELSE a.s END AS stop_s,
        CASE WHEN closed_s IS NOT NULL THEN closed_is_date WHEN outcome = 'lost' THEN ended_is_date ELSE false END AS stop_is_date
    FROM journeys AS j LEFT JOIN wins USING (journey_id) CROSS JOIN as_of AS a
    WHERE held_count > 0
)
SELECT
    journey_id AS unit_id,
    CASE WHEN win_s IS NOT NULL THEN 'advanced' WHEN outcome = 'lost' THEN 'exit' ELSE 'censored' END AS evidence,
    CASE
        WHEN started_is_date OR stop_is_date THEN (stop_day - started_day)::DOUBLE
        ELSE (stop_s - started_s) / 86400
    END AS days
FROM spans
