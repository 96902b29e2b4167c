-- In which stage do accounts stand at as-of, each at the furthest of its people?
-- ask: volume(view="standing", unit="accounts")
WITH standing AS (
    SELECT account_id, max(stage_no) AS stage_no
    FROM journey_visits JOIN journeys USING (journey_id) JOIN people USING (person_id)
    WHERE left_s IS NULL AND account_id IS NOT NULL
    GROUP BY account_id
)
SELECT 'all' AS period, stage, count(*) AS count
FROM standing JOIN stages USING (stage_no)
GROUP BY ALL
