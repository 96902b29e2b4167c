-- Who was converted into an opportunity that has no contact role, and how often do such people have one elsewhere?
-- ask: suggested_roles(top=1000)
-- only: evidence = "converted into the opportunity"
WITH with_role AS (
    SELECT DISTINCT opportunity_id FROM opportunity_people WHERE has_role
),
candidates AS (
    SELECT o.opportunity_id, o.person_id, o.has_role, w.opportunity_id IS NOT NULL AS known
    FROM opportunity_people AS o
    JOIN people AS p USING (person_id)
    LEFT JOIN with_role AS w USING (opportunity_id)
    WHERE o.is_converted_lead AND p.object = 'Contact'
),
worth AS (
    SELECT (count(*) FILTER (has_role) + 1) / (count(*) + 2) AS confidence FROM candidates WHERE known
)
SELECT opportunity_id, person_id AS contact_id, d.state, d.amount, confidence
FROM candidates JOIN deals AS d USING (opportunity_id) CROSS JOIN worth
WHERE NOT known
