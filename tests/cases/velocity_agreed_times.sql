-- Five days are agreed for MQL, thirty for SQL: how many journeys left within them? Of those of which it is known: who
-- left early or late, and who still stands there beyond the time; who stands within it is too young.
-- ask: velocity(unit="journeys")
-- only: sla_days > 0
-- in: agreed
WITH agreed (stage_no, days) AS (
    VALUES (1, 5), (3, 30)
),
sums AS (
    SELECT journey_id, stage_no, sum(seconds) AS seconds FROM visit_lengths GROUP BY ALL
),
last_visits AS (
    SELECT journey_id, arg_max(stage_no, visit_no) AS last_no, arg_max(is_open, visit_no) AS stands
    FROM visit_lengths
    GROUP BY journey_id
)
SELECT
    stage,
    any_value(days) AS sla_days,
    count(*) FILTER (NOT (stands AND last_no <= stage_no) OR seconds > days * 86400) AS sla_known,
    count(*) FILTER (stands AND last_no <= stage_no AND seconds <= days * 86400) AS sla_too_young,
    count(*) FILTER (NOT (stands AND last_no <= stage_no) AND seconds <= days * 86400)
    / count(*) FILTER (NOT (stands AND last_no <= stage_no) OR seconds > days * 86400) AS sla_share
FROM sums JOIN agreed USING (stage_no) JOIN last_visits USING (journey_id) JOIN stages USING (stage_no)
GROUP BY stage
