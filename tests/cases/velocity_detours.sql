-- Which stages were gone back to, entered again, or passed by, and how many deals of journeys came back?
-- ask: velocity(show="detours")
SELECT
    stage,
    (SELECT count(*) FROM journey_stages AS r WHERE r.stage_no = s.stage_no) AS units,
    (SELECT count(*) FROM journey_visits AS v WHERE v.stage_no = s.stage_no AND regression) AS regressions,
    (SELECT count(*) FROM journey_visits AS v WHERE v.stage_no = s.stage_no AND re_entry) AS re_entries,
    (SELECT count(*) FROM requalifications AS q WHERE q.stage_no = s.stage_no) AS requalifications,
    (SELECT count(*) FROM journey_stages AS r WHERE r.stage_no = s.stage_no AND known = 'skipped') AS skipped,
    CASE stage
        WHEN 'SQL' THEN (SELECT count(*) FROM journey_opportunities JOIN deals USING (opportunity_id) WHERE reopened)
        ELSE 0
    END AS reopened
FROM stages AS s
