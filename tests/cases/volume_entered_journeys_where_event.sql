-- Entries by week in the spring of 2026 of journeys that an Event tipped.
-- ask: volume(view="entered", grain="week", where={"campaign_type": "Event"}, start="2026-03-01", end="2026-06-01")
-- only: count > 0
WITH first_entries AS (
    SELECT journey_id, stage_no, min(entered_day) AS day FROM entries GROUP BY ALL
)
SELECT strftime(date_trunc('week', date_of(day)), '%Y-%m-%d') AS period, stage, count(*) AS count
FROM first_entries
JOIN stages USING (stage_no)
JOIN journeys AS j USING (journey_id)
JOIN campaigns AS c ON c.campaign_id = j.origin_campaign_id
WHERE c.campaign_type = 'Event' AND date_of(day) >= DATE '2026-03-01' AND date_of(day) < DATE '2026-06-01'
GROUP BY ALL
