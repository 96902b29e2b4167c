-- Where did journeys wait, month by month and by campaign type? A visit counts in every month it lies in; the shares of
-- one month add up to 1.
-- ask: velocity(grain="month", by=["campaign_type"])
-- only: waiting_share > 0
WITH months AS (
    SELECT
        day AS first_day,
        starts AS first_s,
        lead(day) OVER (ORDER BY day) AS after_day,
        lead(starts) OVER (ORDER BY day) AS after_s
    FROM days WHERE day = month
),
stood AS (
    SELECT
        journey_id,
        stage_no,
        month_of(first_day) AS period,
        CASE
            WHEN entered_is_date OR coalesce(left_is_date, false)
                THEN greatest(least(coalesce(left_day, a.day), after_day) - greatest(entered_day, first_day), 0) * 86400
            ELSE greatest(least(coalesce(left_s, a.s), after_s) - greatest(entered_s, first_s), 0)
        END AS seconds
    FROM journey_visits JOIN months ON first_day <= coalesce(left_day, 1000000) AND after_day > entered_day, as_of AS a
    WHERE stage_no IN (1, 2, 3)
),
labelled AS (
    SELECT
        period,
        CASE WHEN j.origin_campaign_id IS NULL THEN 'no response' ELSE c.campaign_type END AS campaign_type,
        stage,
        seconds
    FROM stood
    JOIN journeys AS j USING (journey_id)
    JOIN stages USING (stage_no)
    LEFT JOIN campaigns AS c ON c.campaign_id = j.origin_campaign_id
    WHERE seconds > 0
)
SELECT period, campaign_type, stage, sum(seconds) / sum(sum(seconds)) OVER (PARTITION BY period) AS waiting_share
FROM labelled
GROUP BY period, campaign_type, stage
