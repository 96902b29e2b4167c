-- Did journeys that had responded to a campaign by their 20th day create an opportunity more often within 90 days
-- after, than those of the same month of start and lead source that had not?
-- ask: lift(landmark_days=20, window_days=90)
-- only: responders > 0
WITH first_entry AS (
    SELECT journey_id, min(entered_day) AS entered_day FROM entries WHERE stage_no >= 3 GROUP BY ALL
),
free AS (
    SELECT
        journey_id,
        started_day + 20 AS landmark,
        date_trunc('month', date_of(started_day)) AS month,
        coalesce(value, '') AS lead_source,
        coalesce(entered_day <= started_day + 110, false) AS converted
    FROM journeys AS j
    CROSS JOIN as_of AS a
    LEFT JOIN first_entry USING (journey_id)
    LEFT JOIN dimension_values AS v ON v.id = j.person_id AND v.dimension = 'lead_source'
    WHERE started_day IS NOT NULL AND coalesce(entered_day > started_day + 20, true) AND started_day + 110 < a.day
),
answered AS (
    SELECT journey_id, campaign_id, min(responded_day) <= any_value(landmark) AS on_time
    FROM counted_responses JOIN free USING (journey_id)
    GROUP BY ALL
),
campaign AS (SELECT DISTINCT campaign_id FROM answered),
side AS (
    SELECT c.campaign_id, f.*, on_time
    FROM campaign AS c CROSS JOIN free AS f
    LEFT JOIN answered AS r ON r.journey_id = f.journey_id AND r.campaign_id = c.campaign_id
    WHERE on_time IS NULL OR on_time
),
stratum AS (
    SELECT
        campaign_id,
        count(*) FILTER (on_time) AS n,
        count(*) FILTER (on_time AND converted) AS a,
        count(*) FILTER (on_time IS NULL) AS m,
        count(*) FILTER (on_time IS NULL AND converted) AS c
    FROM side
    GROUP BY campaign_id, month, lead_source
    HAVING n > 0
)
SELECT
    campaign_id,
    sum(n) FILTER (m >= 5)::BIGINT AS responders,
    sum(a) FILTER (m >= 5)::BIGINT AS converted,
    sum(m) FILTER (m >= 5)::BIGINT AS comparable,
    sum(c) FILTER (m >= 5)::BIGINT AS comparable_converted,
    count(*) FILTER (m >= 5) AS strata,
    coalesce(sum(n) FILTER (m < 5), 0)::BIGINT AS left_out,
    sum(a * m / (n + m)) FILTER (m >= 5) / sum(n * m / (n + m)) FILTER (m >= 5) AS rate,
    sum(c * n / (n + m)) FILTER (m >= 5) / sum(n * m / (n + m)) FILTER (m >= 5) AS comparable_rate
FROM stratum
GROUP BY campaign_id
HAVING responders > 0
