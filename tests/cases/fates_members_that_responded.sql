-- How many campaign members responded at all, from the file alone?
-- ask: fates()
-- of: totals
SELECT 'all' AS period, count(*) AS count
FROM read_csv(getvariable('files') || 'CampaignMember.csv', header = true, all_varchar = true)
WHERE HasResponded = 'true' AND IsDeleted = 'false'
