-- How many responses did each campaign get, from the files alone? People who responded, with a date that is not
-- after as-of, each once per campaign. A merged record is its survivor, a converted lead its contact.
-- ask: volume(view="entered", unit="responses", by=["campaign_id"])
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
    -- The last record on the way that is there.
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
CROSS JOIN as_of
WHERE
    responded <= DATE '1970-01-01' + as_of.day::INTEGER
    OR (responded IS NULL AND came_as_response AND epoch(created) <= as_of.s)
GROUP BY CampaignId
