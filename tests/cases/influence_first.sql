-- Which campaigns were first? The whole amount goes to the earliest response; deals without any are
-- unattributed by reason. All rows of the answer, and so the whole amount of all deals.
-- ask: influence(models=["first"])
WITH people_of_deal AS (
    SELECT
        d.opportunity_id,
        count(p.person_id) AS persons,
        count(r.response_id) FILTER (r.fate <> 'after_as_of') AS responses,
        count(r.response_id) FILTER (r.fate NOT IN ('after_as_of', 'excluded', 'no_date')) AS dated,
        count(r.response_id) FILTER (r.fate = 'no_date') AS undated
    FROM deals AS d
    LEFT JOIN opportunity_people AS p ON p.opportunity_id = d.opportunity_id AND p.has_role
    LEFT JOIN responses AS r ON r.person_id = p.person_id
    WHERE d.amount_state = 'known'
    GROUP BY d.opportunity_id
),
reasons AS (
    SELECT
        opportunity_id,
        CASE
            WHEN persons = 0 THEN 'no person in scope'
            WHEN responses = 0 THEN 'nobody responded'
            WHEN dated > 0 THEN 'no response in window'
            WHEN undated > 0 THEN 'only undated responses'
            ELSE 'only excluded responses'
        END AS reason
    FROM people_of_deal
    WHERE opportunity_id NOT IN (SELECT opportunity_id FROM role_touches)
),
total AS (
    SELECT sum(amount) AS amount FROM deals WHERE amount_state = 'known'
)
SELECT
    'campaign' AS bucket,
    NULL AS reason,
    campaign_id,
    count(*) AS responses,
    count(DISTINCT opportunity_id) AS opportunities,
    coalesce(sum(t.amount) FILTER (state = 'won'), 0)::BIGINT AS won_amount,
    coalesce(sum(t.amount) FILTER (state = 'open'), 0)::BIGINT AS open_amount,
    coalesce(sum(t.amount) FILTER (state = 'lost'), 0)::BIGINT AS lost_amount,
    coalesce(sum(t.amount) FILTER (before_creation), 0)::BIGINT AS sourced_amount,
    coalesce(sum(t.amount) FILTER (NOT before_creation), 0)::BIGINT AS accelerated_amount,
    sum(t.amount) / any_value(total.amount) AS share
FROM role_touches AS t, total
WHERE nth = 1
GROUP BY campaign_id
UNION ALL
SELECT
    'unattributed',
    reason,
    NULL,
    0,
    count(*),
    coalesce(sum(d.amount) FILTER (state = 'won'), 0)::BIGINT,
    coalesce(sum(d.amount) FILTER (state = 'open'), 0)::BIGINT,
    coalesce(sum(d.amount) FILTER (state = 'lost'), 0)::BIGINT,
    NULL,
    NULL,
    sum(d.amount) / any_value(total.amount)
FROM reasons JOIN deals AS d USING (opportunity_id), total
GROUP BY reason
