-- 40 to the first touch, 40 to the latest one up to the creation of the first lead, 20 to those between. Where no
-- lead was created, or only before all touches, the first touch has everything; where both are one touch, or none
-- lies between, the two share the 20. In whole numbers: 2, 2 and 1, each touch between one, the two as often as there
-- are such touches.
-- ask: influence(models=["u_shaped"])
-- only: bucket = "campaign"
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
        count(*) FILTER (t.responded_s <= l.lead_s) OVER (PARTITION BY t.opportunity_id) AS lead_nth
    FROM role_touches AS t
    LEFT JOIN leads AS l USING (opportunity_id)
),
pointed AS (
    SELECT
        *,
        CASE
            WHEN lead_nth <= 1 THEN (nth = 1)::INTEGER
            WHEN lead_nth = 2 THEN (nth <= 2)::INTEGER
            WHEN nth = 1 OR nth = lead_nth THEN 2 * (lead_nth - 2)
            WHEN nth < lead_nth THEN 1
            ELSE 0
        END::BIGINT AS points
    FROM placed
),
shared AS (
    SELECT
        *,
        (amount * points) // sum(points) OVER (PARTITION BY opportunity_id) AS whole,
        (amount * points) % sum(points) OVER (PARTITION BY opportunity_id) AS remainder
    FROM pointed
),
credits AS (
    SELECT
        *,
        whole + CASE
            WHEN row_number() OVER (PARTITION BY opportunity_id ORDER BY remainder DESC, nth)
                <= amount - sum(whole) OVER (PARTITION BY opportunity_id) THEN 1
            ELSE 0
        END AS credit
    FROM shared
)
SELECT
    campaign_id,
    count(*) AS responses,
    count(DISTINCT opportunity_id) AS opportunities,
    coalesce(sum(credit) FILTER (state = 'won'), 0)::BIGINT AS won_amount,
    coalesce(sum(credit) FILTER (state = 'open'), 0)::BIGINT AS open_amount,
    coalesce(sum(credit) FILTER (state = 'lost'), 0)::BIGINT AS lost_amount
FROM credits
WHERE points > 0
GROUP BY campaign_id
