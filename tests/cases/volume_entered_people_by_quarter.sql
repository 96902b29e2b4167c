-- How many people came into each stage, by quarter, each once in a lifetime?
-- ask: volume(view="entered", unit="people", grain="quarter")
-- only: count > 0
WITH first_entries AS (
    SELECT person_id, stage_no, min(entered_day) AS day
    FROM entries JOIN journeys USING (journey_id)
    GROUP BY ALL
)
SELECT strftime(date_of(day), '%Y') || '-Q' || quarter(date_of(day)) AS period, stage, count(*) AS count
FROM first_entries JOIN stages USING (stage_no)
GROUP BY ALL
