-- In which stage did journeys stand at the last second of each month, the last one cut to as-of?
-- ask: volume(view="standing", unit="journeys", grain="month")
WITH months AS (
    SELECT unnest(generate_series(
        date_trunc('month', date_of((SELECT min(entered_day) FROM journey_visits))),
        date_of((SELECT day FROM as_of)),
        INTERVAL 1 MONTH
    ))::DATE AS first
),
instants AS (
    SELECT
        strftime(m.first, '%Y-%m') AS period,
        least(epoch(timezone('America/New_York', m.first + INTERVAL 1 MONTH))::BIGINT - 1, a.s) AS s
    FROM months AS m, as_of AS a
)
SELECT period, stage, count(*) AS count
FROM instants AS i
JOIN journey_visits AS v ON v.entered_s <= i.s AND (v.left_s IS NULL OR v.left_s > i.s)
JOIN stages USING (stage_no)
GROUP BY ALL
