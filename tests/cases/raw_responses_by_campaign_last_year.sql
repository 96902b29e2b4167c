-- The same as it was at the end of 2025: what came later does not count, and who a person is stays as known now.
-- ask: volume(view="entered", unit="responses", by=["campaign_id"], as_of="2025-12-31")
-- only: stage = "Inquiry"
WITH RECURSIVE record AS (
    SELECT
        Id,
        IsDeleted = 'true' AS deleted,
        CASE WHEN IsDeleted = 'true' THEN MasterRecordId WHEN IsConverted = 'true' THEN ConvertedContactId END AS next
    FROM read_csv(getvariable('files') || 'Lead.csv', header = true, all_varchar = true)
    UNION ALL
    SELECT Id, IsDeleted = 'true', CASE WHEN IsDeleted = 'true' THEN MasterRecordId END
    FROM read_csv(getvariable('files') || 'Contact.csv', header = true, all_varchar = true)
),
way AS (
    SELECT Id, Id AS at_id, 0 AS steps FROM record
    UNION ALL
    SELECT way.Id, record.next, steps + 1
    FROM way JOIN record ON record.Id = way.at_id
    WHERE record.next IN (SELECT Id FROM record)
),
person AS (
    SELECT way.Id, arg_max(at_id, steps) AS person_id
    FROM way JOIN record ON record.Id = at_id
    WHERE NOT record.deleted
    GROUP BY way.Id
),
member AS (
    SELECT
        CampaignId,
        coalesce(nullif(ContactId, ''), LeadId) AS record_id,
        nullif(FirstRespondedDate, '')::DATE AS responded,
        CreatedDate::TIMESTAMPTZ AS created,
        LastModifiedDate::TIMESTAMPTZ - CreatedDate::TIMESTAMPTZ <= INTERVAL 60 SECONDS AS came_as_response
    FROM read_csv(getvariable('files') || 'CampaignMember.csv', header = true, all_varchar = true)
    WHERE IsDeleted = 'false' AND HasResponded = 'true'
)
SELECT CampaignId AS campaign_id, count(DISTINCT person_id) AS count
FROM member
JOIN person ON person.Id = record_id
WHERE
    responded < DATE '2026-01-01'
    OR (
        responded IS NULL
        AND came_as_response
        AND created < TIMESTAMPTZ '2026-01-01 00:00:00 America/New_York'
    )
GROUP BY CampaignId
