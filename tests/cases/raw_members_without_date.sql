-- Which members responded nobody knows when, from the files alone? They responded, have no FirstRespondedDate and
-- were changed more than a minute after they were made, so that their creation proves nothing.
-- ask: records(code="member-without-date")
WITH there AS (
    SELECT Id FROM read_csv(getvariable('files') || 'Lead.csv', header = true, all_varchar = true)
    WHERE IsDeleted = 'false' OR MasterRecordId <> ''
    UNION ALL
    SELECT Id FROM read_csv(getvariable('files') || 'Contact.csv', header = true, all_varchar = true)
    WHERE IsDeleted = 'false' OR MasterRecordId <> ''
)
SELECT 'CampaignMember' AS object, m.Id AS record_id
FROM read_csv(getvariable('files') || 'CampaignMember.csv', header = true, all_varchar = true) AS m
SEMI JOIN there ON there.Id = coalesce(nullif(m.ContactId, ''), m.LeadId)
WHERE
    IsDeleted = 'false'
    AND HasResponded = 'true'
    AND coalesce(FirstRespondedDate, '') = ''
    AND LastModifiedDate::TIMESTAMPTZ - CreatedDate::TIMESTAMPTZ > INTERVAL 60 SECONDS
