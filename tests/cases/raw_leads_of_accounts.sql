-- Which leads belong to an account, from the files alone: by a contact's address, the domain, the company?
-- Legal forms at the end are those that the demo org adds to companies of leads.
-- ask: records(code="lead-of-account")
WITH lead AS (
    SELECT
        Id,
        lower(Email) AS address,
        nullif(split_part(lower(Email), '@', 2), 'freemail.example') AS host,
        regexp_replace(Company, '( Inc\.| GmbH|, LLC)$', '') AS company
    FROM read_csv(getvariable('files') || 'Lead.csv', header = true, all_varchar = true)
    WHERE IsDeleted = 'false' AND IsConverted = 'false'
),
contact AS (
    SELECT AccountId AS account, lower(Email) AS address, split_part(lower(Email), '@', 2) AS host
    FROM read_csv(getvariable('files') || 'Contact.csv', header = true, all_varchar = true)
    WHERE IsDeleted = 'false'
),
account AS (
    SELECT Id AS account, Name AS company, regexp_extract(Website, 'www\.([^/]+)', 1) AS host
    FROM read_csv(getvariable('files') || 'Account.csv', header = true, all_varchar = true)
    WHERE IsDeleted = 'false'
),
by_contacts AS (
    SELECT host, account, count(*) AS people, sum(count(*)) OVER (PARTITION BY host) AS everyone
    FROM contact
    WHERE host <> ''
    GROUP BY host, account
),
domain AS (
    SELECT host, account FROM by_contacts WHERE people * 5 >= everyone
    UNION
    SELECT host, account FROM account WHERE host <> ''
),
found AS (
    SELECT lead.Id, contact.account, 1 AS rule FROM lead JOIN contact USING (address)
    UNION
    SELECT lead.Id, domain.account, 2 FROM lead JOIN domain USING (host)
    UNION
    SELECT lead.Id, account.account, 3 FROM lead JOIN account USING (company)
),
marked AS (
    SELECT
        Id,
        account,
        rule = min(rule) OVER (PARTITION BY Id) AS decides,
        max(rule) OVER (PARTITION BY Id, account) = 3 AS named
    FROM found
)
SELECT 'Lead' AS object, Id AS record_id
FROM marked
WHERE decides
GROUP BY Id
HAVING count(*) = 1 OR count(*) FILTER (named) = 1
