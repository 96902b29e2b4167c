-- Where did most of the waiting of the last 12 months happen, and how much of all waiting was it in the 12 months
-- before? With the units that stood there, those that stand there now, and the money they wait with.
-- ask: velocity(show="bottleneck")
WITH years AS (
    SELECT 'now' AS year, DATE '2025-07-01' AS first, DATE '2026-07-01' AS after
    UNION ALL
    SELECT 'before', DATE '2024-07-01', DATE '2025-07-01'
),
stood AS (
    SELECT
        year,
        journey_id,
        stage_no,
        CASE
            WHEN entered_is_date OR coalesce(left_is_date, false)
                THEN date_diff('day', greatest(date_of(entered_day), first), least(date_of(coalesce(left_day, a.day)), after)) * 86400
            ELSE least(coalesce(left_s, a.s), epoch(timezone('America/New_York', after::TIMESTAMP))::BIGINT)
                - greatest(entered_s, epoch(timezone('America/New_York', first::TIMESTAMP))::BIGINT)
        END AS seconds
    FROM journey_visits, years, as_of AS a
    WHERE stage_no IN (1, 2, 3)
),
shares AS (
    SELECT
        year,
        stage_no,
        sum(seconds) / sum(sum(seconds)) OVER (PARTITION BY year) AS share,
        sum(seconds) / 86400 AS days,
        count(DISTINCT journey_id) AS units
    FROM stood
    WHERE seconds > 0
    GROUP BY year, stage_no
),
held AS (
    SELECT DISTINCT stage_no, d.opportunity_id, d.amount
    FROM journey_visits JOIN journey_opportunities AS h USING (journey_id) JOIN deals AS d USING (opportunity_id)
    WHERE left_s IS NULL AND d.state = 'open'
)
SELECT
    stage,
    n.share = max(n.share) OVER () AS bottleneck,
    n.share AS waiting_share,
    b.share AS waiting_share_before,
    n.days AS waiting_days,
    n.units,
    (SELECT count(*) FROM journey_visits AS v WHERE left_s IS NULL AND v.stage_no = n.stage_no) AS standing,
    (SELECT sum(amount)::BIGINT FROM held WHERE held.stage_no = n.stage_no) AS amount
FROM shares AS n
JOIN shares AS b ON b.stage_no = n.stage_no AND b.year = 'before'
JOIN stages ON stages.stage_no = n.stage_no
WHERE n.year = 'now'
