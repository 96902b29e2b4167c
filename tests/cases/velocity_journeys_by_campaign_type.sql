-- The same in SAL alone, by campaign type: what is asked for does not change what a length or its end is.
-- Of fewer than ten units nothing is estimated.
-- ask: velocity(unit="journeys", by=["campaign_type"], from_stage="SAL", to_stage="SAL")
-- only: n > 9
WITH sums AS (
    SELECT journey_id, sum(seconds) AS seconds FROM visit_lengths WHERE stage_no = 2 GROUP BY journey_id
),
last_visits AS (
    SELECT journey_id, arg_max(stage_no, visit_no) AS last_no, arg_max(is_open, visit_no) AS stands
    FROM visit_lengths
    GROUP BY journey_id
),
spells AS (
    SELECT
        CASE WHEN origin_campaign_id IS NULL THEN 'no response' ELSE campaign_type END AS campaign_type,
        seconds,
        last_no > 2 OR (NOT stands AND outcome = 'won') AS advanced,
        last_no <= 2 AND stands AS censored
    FROM sums
    JOIN last_visits USING (journey_id)
    JOIN journeys AS j USING (journey_id)
    LEFT JOIN campaigns AS c ON c.campaign_id = j.origin_campaign_id
),
lengths AS (
    SELECT
        campaign_type,
        seconds,
        count(*) AS units,
        count(*) FILTER (advanced) AS advanced,
        count(*) FILTER (NOT censored) AS gone,
        sum(count(*)) OVER (PARTITION BY campaign_type ORDER BY seconds DESC) AS at_risk
    FROM spells
    GROUP BY campaign_type, seconds
),
curve AS (
    SELECT *, product(1 - gone / at_risk) OVER (PARTITION BY campaign_type ORDER BY seconds) AS waiting FROM lengths
),
moved AS (
    SELECT *, sum(before * advanced / at_risk) OVER (PARTITION BY campaign_type ORDER BY seconds) AS up
    FROM (SELECT *, coalesce(lag(waiting) OVER (PARTITION BY campaign_type ORDER BY seconds), 1.0) AS before FROM curve)
)
SELECT
    campaign_type,
    'SAL' AS stage,
    sum(units)::BIGINT AS n,
    sum(units - gone)::BIGINT AS open,
    (
        min(seconds) FILTER (waiting < 0.5 + 1e-12)
        + coalesce(min(seconds) FILTER (waiting < 0.5 - 1e-12), max(seconds))
    ) / 2 / 86400 AS median_days,
    max(up) AS advance_share
FROM moved
GROUP BY campaign_type
HAVING sum(units) >= 10
