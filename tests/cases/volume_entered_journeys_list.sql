-- Which journeys are behind the entries of June 2026, and when did each enter?
-- ask: volume(view="entered", unit="journeys", grain="month", start="2026-06-01", end="2026-07-01")
-- of: list
SELECT
    e.journey_id AS unit_id,
    j.person_id,
    stage,
    '2026-06' AS period,
    make_timestamptz(min(e.entered_s) * 1000000) AS at,
    j.origin_campaign_id AS campaign_id
FROM entries AS e
JOIN stages USING (stage_no)
JOIN journeys AS j USING (journey_id)
GROUP BY ALL
HAVING month_of(min(e.entered_day)) = '2026-06'
