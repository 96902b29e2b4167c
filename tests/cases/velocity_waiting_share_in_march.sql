-- The same in March 2026, by campaign type; the shares of all types add up to 1. Between two instants seconds
-- count (this month is an hour short), otherwise whole days.
-- ask: velocity(by=["campaign_type"], start="2026-03-01", end="2026-04-01")
-- only: waiting_share > 0
WITH month AS (
    SELECT
        DATE '2026-03-01' AS first,
        DATE '2026-04-01' AS after,
        epoch(TIMESTAMPTZ '2026-03-01 00:00:00 America/New_York')::BIGINT AS first_s,
        epoch(TIMESTAMPTZ '2026-04-01 00:00:00 America/New_York')::BIGINT AS after_s
),
stood AS (
    SELECT
        journey_id,
        stage_no,
        CASE
            WHEN entered_is_date OR coalesce(left_is_date, false)
                THEN date_diff('day', greatest(date_of(entered_day), first), least(date_of(coalesce(left_day, as_of.day)), after))
                    * 86400
            ELSE least(coalesce(left_s, as_of.s), after_s) - greatest(entered_s, first_s)
        END AS seconds
    FROM journey_visits, as_of, month
    WHERE stage_no IN (1, 2, 3)
)
SELECT
    CASE WHEN j.origin_campaign_id IS NULL THEN 'no response' ELSE c.campaign_type END AS campaign_type,
    stage,
    sum(seconds) / sum(sum(seconds)) OVER () AS waiting_share
FROM stood
JOIN stages USING (stage_no)
JOIN journeys AS j USING (journey_id)
LEFT JOIN campaigns AS c ON c.campaign_id = j.origin_campaign_id
WHERE seconds > 0
GROUP BY ALL
