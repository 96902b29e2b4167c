-- Why did MQL to SAL change from the first to the second half of 2025: other types of campaigns, or other rates?
-- ask: conversion_change(compare="2025-01-01:2025-07-01", start="2025-07-01", end="2026-01-01", by=["campaign_type"], unit="journeys", from_stage="MQL", to_stage="SAL", window_days=30)
WITH firsts AS (
    SELECT journey_id, stage_no, min(entered_s) AS s, min(entered_day) AS day FROM entries GROUP BY ALL
),
steps AS (
    SELECT a.journey_id, a.s AS a_s, date_of(a.day) AS a_on, min(b.s) AS b_s, min(b.day) - a.day AS took
    FROM firsts AS a
    LEFT JOIN firsts AS b ON b.journey_id = a.journey_id AND b.stage_no > 1
    WHERE a.stage_no = 1
    GROUP BY a.journey_id, a.s, a.day
),
units AS (
    SELECT
        CASE WHEN j.origin_campaign_id IS NULL THEN 'no response' ELSE c.campaign_type END AS campaign_type,
        a_on >= DATE '2025-07-01' AS late,
        coalesce(took <= 30, false) AS hit
    FROM steps
    JOIN journeys AS j USING (journey_id)
    LEFT JOIN campaigns AS c ON c.campaign_id = j.origin_campaign_id
    WHERE (b_s IS NULL OR b_s >= a_s) AND a_on >= DATE '2025-01-01' AND a_on < DATE '2026-01-01'
),
sides AS (
    SELECT
        campaign_type,
        count(*) FILTER (NOT late) AS n0,
        count(*) FILTER (NOT late AND hit) AS y0,
        count(*) FILTER (late) AS n1,
        count(*) FILTER (late AND hit) AS y1
    FROM units
    GROUP BY ALL
),
rates AS (
    SELECT
        *,
        n0 / sum(n0) OVER () AS w0,
        n1 / sum(n1) OVER () AS w1,
        coalesce(y0 / nullif(n0, 0), y1 / n1) AS r0,
        coalesce(y1 / nullif(n1, 0), y0 / n0) AS r1,
        (sum(y0) OVER () / sum(n0) OVER () + sum(y1) OVER () / sum(n1) OVER ()) / 2 AS middle
    FROM sides
)
SELECT
    campaign_type,
    n0 AS base_started,
    y0 AS base_converted,
    n1 AS started,
    y1 AS converted,
    (w1 - w0) * ((r0 + r1) / 2 - middle) AS mix_effect,
    (r1 - r0) * (w0 + w1) / 2 AS rate_effect
FROM rates
