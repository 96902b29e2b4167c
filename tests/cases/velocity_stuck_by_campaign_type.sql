-- From which channels do journeys get stuck? Of the visits of the last 365 days that began longer ago than the limit of
-- their stage, how many stood longer than it; and how many of those that stand now are older.
-- ask: velocity(stuck=True, by=["campaign_type"])
-- only: judged > 0
WITH limits AS (
    SELECT s.stage_no, s.stage, (value ->> ('$."stuck:main:journeys:' || s.stage || '"'))::BIGINT AS seconds
    FROM _meta, stages AS s WHERE key = 'numbers'
),
visits AS (
    SELECT
        v.*,
        l.stage,
        l.seconds AS limit_s,
        c.campaign_type,
        entered_day + limit_s // 86400 + 1 < a.day AND entered_day >= a.day - 365 AS old
    FROM visit_lengths AS v
    JOIN limits AS l ON l.stage_no = v.stage_no AND l.seconds IS NOT NULL
    JOIN journeys AS j USING (journey_id)
    JOIN campaigns AS c ON c.campaign_id = j.origin_campaign_id
    CROSS JOIN as_of AS a
    WHERE campaign_type IS NOT NULL
)
SELECT
    campaign_type,
    stage,
    count(*) FILTER (is_open) AS open,
    count(*) FILTER (is_open AND seconds > limit_s) AS stuck,
    count(*) FILTER (old) AS judged,
    count(*) FILTER (old AND seconds > limit_s) AS overstayed
FROM visits
GROUP BY campaign_type, stage
HAVING count(*) FILTER (old) > 0
