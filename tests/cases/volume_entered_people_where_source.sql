-- How many people of the source "Purchased List" came into each stage, month by month?
-- The lead source is read from the files: the person bears the id of its contact, else of its lead.
-- ask: volume(view="entered", unit="people", grain="month", where={"lead_source": "Purchased List"})
-- only: count > 0
WITH sources AS (
    SELECT Id AS person_id, LeadSource FROM read_csv(getvariable('files') || 'Lead.csv', header = true, all_varchar = true)
    UNION ALL
    SELECT Id, LeadSource FROM read_csv(getvariable('files') || 'Contact.csv', header = true, all_varchar = true)
),
first_entries AS (
    SELECT person_id, stage_no, min(entered_day) AS day
    FROM entries JOIN journeys USING (journey_id)
    GROUP BY ALL
)
SELECT month_of(day) AS period, stage, count(*) AS count
FROM first_entries
JOIN stages USING (stage_no)
JOIN sources USING (person_id)
WHERE LeadSource = 'Purchased List'
GROUP BY ALL
