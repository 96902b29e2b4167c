-- Which responses stand behind each fate of events?
-- ask: fates(by=["campaign_type"], where={"campaign_type": "Event"})
-- of: list
SELECT 'Event' AS campaign_type, r.response_id AS unit_id, r.fate AS stage, r.person_id, r.campaign_id
FROM responses AS r
JOIN campaigns AS c USING (campaign_id)
WHERE c.campaign_type = 'Event'
