-- Of the journeys that opened in each month, how many have reached each stage by as-of, and for how many of
-- those is it only implied? Journeys without any time stand in no month.
-- ask: volume(view="cohort", unit="journeys", grain="month")
WITH furthest AS (
    SELECT journey_id, max(stage_no) AS stage_no FROM journey_stages GROUP BY journey_id
)
SELECT
    month_of(j.started_day) AS period,
    stage,
    count(*) AS count,
    count(*) FILTER (seen.stage_no IS NULL) AS implied,
    count(seen.stage_no) AS observed
FROM journeys AS j
JOIN furthest AS f USING (journey_id)
JOIN stages AS s ON s.stage_no <= f.stage_no
LEFT JOIN (SELECT DISTINCT journey_id, stage_no FROM entries) AS seen
    ON seen.journey_id = j.journey_id AND seen.stage_no = s.stage_no
GROUP BY ALL
