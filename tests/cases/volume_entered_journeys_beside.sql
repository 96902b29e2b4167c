-- What stands beside the entries of journeys, per month: implied stages (at the first timed entry beyond
-- them), further visits, moves backwards and lower entries on another record?
-- ask: volume(view="entered", unit="journeys", grain="month")
WITH first_entries AS (
    SELECT journey_id, stage_no, min(entered_s) AS s, min(entered_day) AS day FROM entries GROUP BY ALL
),
reached AS (
    SELECT journey_id, max(stage_no) AS furthest FROM journey_stages GROUP BY journey_id
),
marks AS (
    SELECT stage_no, day, 'count' AS mark FROM first_entries
    UNION ALL
    SELECT s.stage_no, min(beyond.day), 'implied'
    FROM reached AS r
    JOIN stages AS s ON s.stage_no < r.furthest
    ANTI JOIN first_entries AS own ON own.journey_id = r.journey_id AND own.stage_no = s.stage_no
    JOIN first_entries AS beyond ON beyond.journey_id = r.journey_id AND beyond.stage_no > s.stage_no
    GROUP BY r.journey_id, s.stage_no
    UNION ALL
    SELECT stage_no, entered_day, 're_entries' FROM (
        SELECT *, row_number() OVER (PARTITION BY journey_id, stage_no ORDER BY entered_s) AS nth FROM entries
    )
    WHERE nth > 1
    UNION ALL
    SELECT stage_no, entered_day, 'regressions' FROM (
        SELECT *, lag(stage_no) OVER (PARTITION BY journey_id ORDER BY visit_no) AS before FROM journey_visits
    )
    WHERE before > stage_no
    UNION ALL
    SELECT stage_no, day, 'requalifications' FROM requalifications
)
SELECT
    month_of(day) AS period,
    stage,
    count(*) FILTER (mark = 'count') AS count,
    count(*) FILTER (mark = 'implied') AS implied,
    count(*) FILTER (mark = 're_entries') AS re_entries,
    count(*) FILTER (mark = 'regressions') AS regressions,
    count(*) FILTER (mark = 'requalifications') AS requalifications
FROM marks JOIN stages USING (stage_no)
GROUP BY ALL
