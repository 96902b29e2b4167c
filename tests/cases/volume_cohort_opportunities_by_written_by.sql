-- Who wrote the opportunities that exist, by the name of the user who created each?
-- ask: volume(view="cohort", unit="opportunities", by=["written_by"])
-- only: stage = "SQL"
SELECT u.Name AS written_by, 'all' AS period, 'SQL' AS stage, count(*) AS count
FROM deals AS d
JOIN read_csv(getvariable('files') || 'Opportunity.csv', header = true, all_varchar = true) AS o ON o.Id = d.opportunity_id
JOIN read_csv(getvariable('files') || 'User.csv', header = true, all_varchar = true) AS u ON u.Id = o.CreatedById
GROUP BY ALL
