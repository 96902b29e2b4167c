-- Where did people stand at the end of 31 December 2025? Each once, at the furthest of their positions.
-- ask: volume(view="standing", unit="people", end="2026-01-01")
WITH standing AS (
    SELECT person_id, max(stage_no) AS stage_no
    FROM journey_visits JOIN journeys USING (journey_id)
    WHERE
        entered_s < epoch(TIMESTAMPTZ '2026-01-01 00:00:00 America/New_York')
        AND (left_s IS NULL OR left_s >= epoch(TIMESTAMPTZ '2026-01-01 00:00:00 America/New_York'))
    GROUP BY person_id
)
SELECT 'all' AS period, stage, count(*) AS count
FROM standing JOIN stages USING (stage_no)
GROUP BY ALL
