-- How many opportunities stood in a stage at the end of March 2026, and at the end of 2025?
-- ask: comparison(view="standing", unit="opportunities", compare="previous", start="2026-01-01", end="2026-04-01")
WITH instants AS (
    SELECT
        epoch(timezone('America/New_York', TIMESTAMP '2026-04-01'))::BIGINT - 1 AS now_s,
        epoch(timezone('America/New_York', TIMESTAMP '2026-01-01'))::BIGINT - 1 AS before_s
)
SELECT
    stage,
    count(*) FILTER (entered_s <= before_s AND coalesce(left_s > before_s, true)) AS before,
    count(*) FILTER (entered_s <= now_s AND coalesce(left_s > now_s, true)) AS count
FROM opportunity_visits
JOIN stages USING (stage_no)
CROSS JOIN instants
GROUP BY stage
HAVING before + count > 0
