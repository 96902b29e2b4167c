-- Where did responses stand at the end of each month? The one that tipped a journey stands where the journey
-- does; any other stands at Inquiry as long as its journey lasts.
-- ask: volume(view="standing", unit="responses", grain="month")
WITH months AS (
    SELECT unnest(generate_series(
        date_trunc('month', date_of((SELECT min(responded_day) FROM counted_responses))),
        date_of((SELECT day FROM as_of)),
        INTERVAL 1 MONTH
    ))::DATE AS first
),
instants AS (
    SELECT
        strftime(m.first, '%Y-%m') AS period,
        least(epoch(timezone('America/New_York', m.first + INTERVAL 1 MONTH))::BIGINT - 1, a.s) AS s
    FROM months AS m, as_of AS a
),
standing AS (
    SELECT period, if(r.fate = 'tipped', v.stage_no, 0) AS stage_no
    FROM instants AS i
    JOIN counted_responses AS r ON r.responded_s <= i.s
    JOIN journey_visits AS v
        ON v.journey_id = r.journey_id AND v.entered_s <= i.s AND (v.left_s IS NULL OR v.left_s > i.s)
)
SELECT period, stage, count(*) AS count
FROM standing JOIN stages USING (stage_no)
GROUP BY ALL
