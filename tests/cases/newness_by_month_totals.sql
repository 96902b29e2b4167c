-- How many people became known by a response of theirs in each month?
-- ask: newness(grain="month", start="2026-01-01", end="2026-06-01")
-- of: totals
WITH first AS (
    SELECT person_id, min(responded_day) AS day FROM counted_responses GROUP BY person_id
)
SELECT
    month_of(responded_day) AS period,
    count(*) AS count,
    count(DISTINCT person_id) FILTER (first.day = responded_day AND p.first_created_day >= responded_day)
        AS net_new_people
FROM counted_responses AS r
JOIN people AS p USING (person_id)
JOIN first USING (person_id)
WHERE date_of(responded_day) BETWEEN DATE '2026-01-01' AND DATE '2026-05-31'
GROUP BY ALL
