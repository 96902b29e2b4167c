-- A first response within two days is agreed: of how many MQLs was it kept? Who ended without one has not been answered
-- in time, however soon; read from the files.
-- ask: velocity(measure="first-response")
-- in: agreed
WITH done AS (
    SELECT WhoId AS record_id, epoch(CompletedDateTime::TIMESTAMPTZ)::BIGINT AS s
    FROM read_csv(getvariable('files') || 'Task.csv', all_varchar = true)
    WHERE IsDeleted = 'false' AND CompletedDateTime IS NOT NULL
    UNION ALL
    SELECT WhoId, epoch(StartDateTime::TIMESTAMPTZ)::BIGINT
    FROM read_csv(getvariable('files') || 'Event.csv', all_varchar = true)
    WHERE IsDeleted = 'false'
),
worked AS (
    SELECT person_id, done.s, date_diff('day', DATE '1970-01-01', timezone('America/New_York', make_timestamptz(done.s * 1000000))::DATE) AS day
    FROM done JOIN person_records USING (record_id), as_of AS a
    WHERE done.s <= a.s
),
starts AS (
    SELECT v.journey_id, v.entered_s, v.entered_day, v.entered_is_date, j.person_id, j.ended_s, j.ended_day, j.ended_is_date
    FROM journey_visits AS v JOIN journeys AS j USING (journey_id)
    WHERE stage_no = 1
    QUALIFY row_number() OVER (PARTITION BY journey_id ORDER BY entered_s, visit_no) = 1
),
answers AS (
    SELECT starts.*, min(worked.s) AS done_s, min(worked.day) AS done_day
    FROM starts
    LEFT JOIN worked ON worked.person_id = starts.person_id AND worked.s >= entered_s AND (ended_s IS NULL OR worked.s <= ended_s)
    GROUP BY ALL
),
timed AS (
    SELECT
        done_s IS NOT NULL AS answered,
        done_s IS NULL AND ended_s IS NULL AS waits,
        CASE
            WHEN entered_is_date OR (done_s IS NULL AND coalesce(ended_is_date, false))
                THEN (coalesce(done_day, ended_day, a.day) - entered_day) * 86400
            ELSE coalesce(done_s, ended_s, a.s) - entered_s
        END AS seconds
    FROM answers, as_of AS a
)
SELECT
    'MQL' AS stage,
    2 AS sla_days,
    count(*) FILTER (NOT waits OR seconds > 2 * 86400) AS sla_known,
    count(*) FILTER (waits AND seconds <= 2 * 86400) AS sla_too_young,
    count(*) FILTER (answered AND seconds <= 2 * 86400) / count(*) FILTER (NOT waits OR seconds > 2 * 86400) AS sla_share
FROM timed
