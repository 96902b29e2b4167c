-- Of the people whose earliest record each user or tool wrote, how many have reached each stage? Losers of merges
-- and deleted records tell who came first, too. Dates and creators are read from the files.
-- ask: volume(view="cohort", unit="people", by=["written_by"])
WITH written AS (
    SELECT Id, CreatedDate, CreatedById
    FROM read_csv(getvariable('files') || 'Lead.csv', header = true, all_varchar = true)
    UNION ALL
    SELECT Id, CreatedDate, CreatedById
    FROM read_csv(getvariable('files') || 'Contact.csv', header = true, all_varchar = true)
),
earliest AS (
    SELECT person_id, CreatedById
    FROM person_records JOIN written ON Id = record_id
    QUALIFY row_number() OVER (PARTITION BY person_id ORDER BY CreatedDate NULLS LAST, record_id) = 1
),
furthest AS (
    SELECT person_id, max(stage_no) AS stage_no
    FROM journey_stages JOIN journeys USING (journey_id)
    GROUP BY person_id
)
SELECT u.Name AS written_by, 'all' AS period, stage, count(*) AS count
FROM furthest AS f
JOIN earliest AS e USING (person_id)
JOIN stages AS s ON s.stage_no <= f.stage_no
LEFT JOIN read_csv(getvariable('files') || 'User.csv', header = true, all_varchar = true) AS u ON u.Id = e.CreatedById
GROUP BY ALL
