-- Of the people of each lead source, how many have reached each stage? Counted over all their journeys; no
-- lead source and the word Unknown stand apart. The source is read from the files.
-- ask: volume(view="cohort", unit="people", by=["lead_source"])
WITH sources AS (
    SELECT Id AS person_id, LeadSource FROM read_csv(getvariable('files') || 'Lead.csv', header = true, all_varchar = true)
    UNION ALL
    SELECT Id, LeadSource FROM read_csv(getvariable('files') || 'Contact.csv', header = true, all_varchar = true)
),
furthest AS (
    SELECT person_id, max(stage_no) AS stage_no
    FROM journey_stages JOIN journeys USING (journey_id)
    GROUP BY person_id
)
SELECT LeadSource AS lead_source, 'all' AS period, stage, count(*) AS count
FROM furthest AS f
JOIN sources USING (person_id)
JOIN stages AS s ON s.stage_no <= f.stage_no
GROUP BY ALL
