-- Which responses made a new person, and which came from people known before; which were their first?
-- ask: newness(by=["campaign_type"])
WITH ranked AS (
    SELECT
        r.*,
        row_number() OVER (PARTITION BY person_id ORDER BY responded_s, response_id) AS nth
    FROM counted_responses AS r
)
SELECT
    c.campaign_type,
    CASE
        WHEN p.first_created_day IS NULL THEN 'unknown'
        WHEN p.first_created_day >= r.responded_day THEN 'new'
        ELSE 'known'
    END AS person,
    if(nth = 1, 'first', 'repeat') AS response,
    count(*) AS count
FROM ranked AS r
JOIN campaigns AS c USING (campaign_id)
JOIN people AS p USING (person_id)
GROUP BY ALL
