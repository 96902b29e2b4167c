-- How many opportunities have no amount, from the files alone?
-- ask: findings()
-- only: code = "opportunity-without-amount"
SELECT 'opportunity-without-amount' AS code, 'Opportunity' AS object, count(*) AS rows
FROM read_csv(getvariable('files') || 'Opportunity.csv', header = true, all_varchar = true)
WHERE IsDeleted = 'false' AND coalesce(Amount, '') = ''
