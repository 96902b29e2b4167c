-- Who brought journeys to MQL, by the last response of their person up to the first entry, at most 365 days before it?
-- ask: influence(models=["last"], goal="MQL")
-- only: bucket = "campaign"
WITH reached AS (
    SELECT j.journey_id, j.person_id, j.outcome, min(e.entered_s) AS s, min(e.entered_day) AS day
    FROM journeys AS j
    JOIN entries AS e USING (journey_id)
    JOIN stages AS g USING (stage_no)
    WHERE g.stage = 'MQL'
    GROUP BY j.journey_id, j.person_id, j.outcome
),
touched AS (
    SELECT j.journey_id, j.outcome, r.campaign_id
    FROM reached AS j
    JOIN counted_responses AS r USING (person_id)
    WHERE r.responded_s <= j.s AND j.day - r.responded_day <= 365
    QUALIFY row_number() OVER (PARTITION BY j.journey_id ORDER BY r.responded_s DESC, r.response_id DESC) = 1
)
SELECT
    campaign_id,
    count(*) AS journeys,
    count(*)::DOUBLE AS credited,
    count(*) FILTER (outcome = 'won')::DOUBLE AS won,
    count(*) FILTER (outcome = 'open')::DOUBLE AS open
FROM touched
GROUP BY campaign_id
