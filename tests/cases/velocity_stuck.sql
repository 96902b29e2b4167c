-- How many journeys are stuck? A visit that still stands is, if it is older than nine in ten of the visits that
-- moved up from that stage: a later stage followed, or the journey ended there as won.
-- ask: velocity(unit="journeys")
-- only: stuck > -1
WITH followed AS (
    SELECT
        v.*,
        lead(stage_no) OVER (PARTITION BY journey_id ORDER BY visit_no) AS next_no,
        outcome
    FROM visit_lengths AS v JOIN journeys USING (journey_id)
    WHERE stage_no IN (1, 2, 3)
),
moved_up AS (
    SELECT
        stage_no,
        seconds,
        row_number() OVER (PARTITION BY stage_no ORDER BY seconds) AS nth,
        count(*) OVER (PARTITION BY stage_no) AS visits
    FROM followed
    WHERE NOT is_open AND (next_no > stage_no OR (next_no IS NULL AND outcome = 'won'))
),
limits AS (
    SELECT stage_no, min(seconds) AS seconds FROM moved_up WHERE nth >= 0.9 * visits GROUP BY stage_no
)
SELECT stage, count(*) FILTER (v.is_open AND v.seconds > l.seconds) AS stuck
FROM visit_lengths AS v
JOIN limits AS l USING (stage_no)
JOIN stages USING (stage_no)
GROUP BY stage
