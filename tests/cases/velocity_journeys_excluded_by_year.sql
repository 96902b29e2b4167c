-- How many journeys have a time in each stage, by the year of their first entry, and for how many is the stage
-- only implied? By the year of the first entry beyond it; without any entry beyond it they stand in no year.
-- ask: velocity(unit="journeys", grain="year")
WITH timed AS (
    SELECT strftime(date_of(day), '%Y') AS period, stage_no, count(*) AS n
    FROM (SELECT journey_id, stage_no, min(entered_day) AS day FROM journey_visits GROUP BY ALL)
    GROUP BY ALL
),
implied AS (
    SELECT strftime(date_of(day), '%Y') AS period, stage_no, count(*) AS excluded
    FROM (
        SELECT s.journey_id, s.stage_no, min(beyond.entered_day) AS day
        FROM journey_stages AS s
        LEFT JOIN entries AS beyond ON beyond.journey_id = s.journey_id AND beyond.stage_no > s.stage_no
        ANTI JOIN entries AS own ON own.journey_id = s.journey_id AND own.stage_no = s.stage_no
        GROUP BY ALL
    )
    GROUP BY ALL
)
SELECT period, stage, sum(n)::BIGINT AS n, sum(excluded)::BIGINT AS excluded
FROM (
    SELECT period, stage_no, n, 0 AS excluded FROM timed
    UNION ALL
    SELECT period, stage_no, 0, excluded FROM implied
)
JOIN stages USING (stage_no)
GROUP BY ALL
