-- Why is an amount unattributed in the scope of primary roles, and how much is it by reason?
-- ask: influence(models=["first"], scope="primary role")
-- only: bucket = "unattributed"
WITH answered AS (
    SELECT
        d.opportunity_id,
        any_value(d.amount) AS amount,
        count(p.person_id) AS persons,
        count(*) FILTER (r.fate <> 'after_as_of') AS answers,
        count(*) FILTER (r.fate = 'no_date') AS undated,
        count(*) FILTER (r.fate NOT IN ('after_as_of', 'excluded', 'no_date')) AS dated,
        count(*) FILTER (
            r.fate NOT IN ('after_as_of', 'excluded', 'no_date', 'duplicate_member')
            AND d.created_day - r.responded_day <= 365
            AND r.responded_s <= CASE WHEN d.state = 'open' THEN a.s ELSE d.closed_s END
        ) AS in_window
    FROM deals AS d
    LEFT JOIN opportunity_people AS p ON p.opportunity_id = d.opportunity_id AND p.is_primary
    LEFT JOIN responses AS r ON r.person_id = p.person_id
    CROSS JOIN as_of AS a
    WHERE d.amount_state = 'known'
    GROUP BY d.opportunity_id
)
SELECT
    CASE
        WHEN persons = 0 THEN 'no person in scope'
        WHEN answers = 0 THEN 'nobody responded'
        WHEN dated > 0 THEN 'no response in window'
        WHEN undated > 0 THEN 'only undated responses'
        ELSE 'only excluded responses'
    END AS reason,
    count(*) AS opportunities,
    sum(amount) / (SELECT sum(amount) FROM deals) AS share
FROM answered
WHERE in_window = 0
GROUP BY reason
