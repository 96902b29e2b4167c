-- Who wrote the members that responded: the user or tool that created each, by its name in the files.
-- ask: volume(view="cohort", unit="responses", by=["written_by"])
-- only: stage = "Inquiry"
SELECT u.Name AS written_by, 'all' AS period, 'Inquiry' AS stage, count(DISTINCT r.response_id) AS count
FROM counted_responses AS r
JOIN read_csv(getvariable('files') || 'CampaignMember.csv', header = true, all_varchar = true) AS m ON m.Id = r.response_id
JOIN read_csv(getvariable('files') || 'User.csv', header = true, all_varchar = true) AS u ON u.Id = m.CreatedById
GROUP BY ALL
