-- Of the people of each industry, how many have reached each stage? It is that of the earliest lead, else that of the
-- account of the person's surviving contact, both read from the files.
-- ask: volume(view="cohort", unit="people", by=["industry"])
WITH leads AS (
    SELECT person_id, Industry
    FROM person_records
    JOIN read_csv(getvariable('files') || 'Lead.csv', header = true, all_varchar = true) ON Id = record_id
    QUALIFY row_number() OVER (PARTITION BY person_id ORDER BY CreatedDate NULLS LAST, record_id) = 1
),
accounts AS (
    SELECT c.Id AS person_id, a.Industry
    FROM read_csv(getvariable('files') || 'Contact.csv', header = true, all_varchar = true) AS c
    JOIN read_csv(getvariable('files') || 'Account.csv', header = true, all_varchar = true) AS a ON a.Id = c.AccountId
),
furthest AS (
    SELECT person_id, max(stage_no) AS stage_no
    FROM journey_stages JOIN journeys USING (journey_id)
    GROUP BY person_id
)
SELECT coalesce(l.Industry, a.Industry) AS industry, 'all' AS period, stage, count(*) AS count
FROM furthest AS f
JOIN stages AS s ON s.stage_no <= f.stage_no
LEFT JOIN leads AS l USING (person_id)
LEFT JOIN accounts AS a USING (person_id)
GROUP BY ALL
