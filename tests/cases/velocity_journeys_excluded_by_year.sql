-- How many journeys have a time in each stage, by the year of their first entry, and for how many is the stage
-- only implied (by the year of the first entry beyond it)?
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
        JOIN entries AS beyond ON beyond.journey_id = s.journey_id AND beyond.stage_no > s.stage_no
        ANTI JOIN entries AS own ON own.journey_id = s.journey_id AND own.stage_no = s.stage_no
        GROUP BY ALL
    )
    GROUP BY ALL
)
SELECT period, stage, n, coalesce(excluded, 0) AS excluded
FROM timed LEFT JOIN implied USING (period, stage_no) JOIN stages USING (stage_no)
