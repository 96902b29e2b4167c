-- Unit responses by month: an Inquiry in the month of the response, a later stage in that of its entry.
-- ask: volume(view="entered", unit="responses", grain="month")
-- only: count > 0
WITH first_entries AS (
    SELECT response_id, 0 AS stage_no, responded_day AS day FROM counted_responses
    UNION ALL
    SELECT r.response_id, e.stage_no, min(e.entered_day)
    FROM counted_responses AS r JOIN entries AS e USING (journey_id)
    WHERE r.fate = 'tipped' AND e.stage_no > 0
    GROUP BY ALL
)
SELECT month_of(day) AS period, stage, count(*) AS count
FROM first_entries JOIN stages USING (stage_no)
GROUP BY ALL
