-- How many opportunities have no amount, and how many nobody on them, from the files alone?
-- ask: findings()
-- only: object = "Opportunity"
SELECT 'opportunity-without-amount' AS code, count(*) AS rows
FROM read_csv(getvariable('files') || 'Opportunity.csv', header = true, all_varchar = true)
WHERE IsDeleted = 'false' AND coalesce(Amount, '') = ''
