-- How many accounts had somebody come into each stage, per year of the first entry?
-- ask: volume(view="entered", unit="accounts", grain="year")
-- only: count > 0
WITH first_entries AS (
    SELECT account_id, stage_no, min(entered_day) AS day
    FROM entries JOIN journeys USING (journey_id) JOIN people USING (person_id)
    WHERE account_id IS NOT NULL
    GROUP BY ALL
)
SELECT strftime(date_of(day), '%Y') AS period, stage, count(*) AS count
FROM first_entries JOIN stages USING (stage_no)
GROUP BY ALL
