-- How many journeys came into each stage, month by month, each once per stage by its first visit?
-- ask: volume(view="entered", unit="journeys", grain="month")
-- only: count > 0
WITH first_entries AS (
    SELECT journey_id, stage_no, min(entered_day) AS day FROM entries GROUP BY ALL
)
SELECT month_of(day) AS period, stage, count(*) AS count, count(*) AS observed
FROM first_entries JOIN stages USING (stage_no)
GROUP BY ALL
