-- What the full path keeps of each open deal for its close. First touch, the touch of the lead and that of the creation count 9
-- as far as they are there, the close counts 9, the touches between 4 together; without any between, all share the 4.
-- ask: influence(models=["full_path"])
-- of: list
-- only: bucket = "pending"
WITH leads AS (
    SELECT p.opportunity_id, min(l.created_s) AS lead_s
    FROM opportunity_people AS p
    JOIN person_records AS l USING (person_id)
    CROSS JOIN as_of AS a
    WHERE p.has_role AND l.object = 'Lead' AND l.created_s <= a.s
    GROUP BY p.opportunity_id
),
placed AS (
    SELECT
        t.*,
        count(*) FILTER (t.responded_s <= l.lead_s) OVER deal AS lead_nth,
        count(*) FILTER (t.before_creation) OVER deal AS creation_nth
    FROM role_touches AS t
    LEFT JOIN leads AS l USING (opportunity_id)
    WHERE t.state = 'open'
    WINDOW deal AS (PARTITION BY t.opportunity_id)
),
counted AS (
    SELECT
        *,
        2 + (lead_nth > 0)::INTEGER + (creation_nth > 0)::INTEGER AS milestones,
        touches - 1 - (lead_nth > 1)::INTEGER - (creation_nth > 1 AND creation_nth <> lead_nth)::INTEGER AS between_them,
        (nth = 1)::INTEGER + (nth = lead_nth)::INTEGER + (nth = creation_nth)::INTEGER AS held
    FROM placed
),
parts AS (
    SELECT
        opportunity_id,
        amount,
        nth,
        CASE
            WHEN between_them = 0 THEN held * (9 * milestones + 4)
            WHEN held > 0 THEN held * 9 * between_them
            ELSE 4
        END AS points
    FROM counted
    UNION ALL
    SELECT DISTINCT
        opportunity_id,
        amount,
        touches + 1,
        CASE WHEN between_them = 0 THEN 9 * milestones + 4 ELSE 9 * between_them END
    FROM counted
),
shared AS (
    SELECT
        *,
        (amount * points) // sum(points) OVER deal AS whole,
        (amount * points) % sum(points) OVER deal AS remainder,
        nth = max(nth) OVER deal AS is_close
    FROM parts
    WINDOW deal AS (PARTITION BY opportunity_id)
)
SELECT
    opportunity_id,
    'pending' AS evidence,
    (
        whole + CASE
            WHEN row_number() OVER (PARTITION BY opportunity_id ORDER BY remainder DESC, nth)
                <= amount - sum(whole) OVER (PARTITION BY opportunity_id) THEN 1
            ELSE 0
        END
    )::BIGINT AS credit
FROM shared
QUALIFY is_close AND credit <> 0
