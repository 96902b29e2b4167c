-- Which journeys are stuck in SAL, since when, and from which campaign? By the limit kept with the snapshot.
-- ask: velocity(stuck=True, from_stage="SAL", to_stage="SAL")
SELECT
    journey_id AS unit_id,
    'SAL' AS stage,
    make_timestamptz(entered_s * 1000000) AS since,
    seconds / 86400 AS age_days,
    coalesce(c.campaign, 'no response') AS campaign,
    person_id
FROM visit_lengths
JOIN journeys USING (journey_id)
LEFT JOIN campaigns AS c ON c.campaign_id = origin_campaign_id
WHERE
    stage_no = 2
    AND is_open
    AND seconds > (SELECT (value ->> '$."stuck:main:journeys:SAL"')::BIGINT FROM _meta WHERE key = 'numbers')
