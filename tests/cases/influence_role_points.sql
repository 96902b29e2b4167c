-- Points that add up: 10 for any touch, by member status, by the strongest role of the person on the deal, 10 for the first
-- touch, 20 for the response that the deal's journey comes from.
-- ask: influence(models=["role_points"])
-- of: list
-- only: bucket = "campaign"
WITH held_roles AS (
    SELECT
        o.opportunity_id,
        o.person_id,
        max(CASE
            WHEN o.role IN ('Decision Maker', 'Economic Buyer') THEN 20
            WHEN o.role = 'Influencer' THEN 10
            WHEN o.role = 'Evaluator' THEN 5
            ELSE 0
        END) AS points
    FROM roles AS o
    CROSS JOIN as_of AS a
    WHERE o.created_s IS NULL OR o.created_s <= a.s
    GROUP BY o.opportunity_id, o.person_id
),
origins AS (
    SELECT g.opportunity_id, j.origin_response_id
    FROM opportunity_origins AS g
    JOIN journeys AS j USING (journey_id)
),
pointed AS (
    SELECT
        t.*,
        10
        + CASE WHEN r.status = 'Attended' THEN 10 WHEN r.status IN ('Registered', 'Visited', 'Responded') THEN 5 ELSE 0 END
        + coalesce(h.points, 0)
        + CASE WHEN t.nth = 1 THEN 10 ELSE 0 END
        + CASE WHEN t.response_id = g.origin_response_id THEN 20 ELSE 0 END AS points
    FROM role_touches AS t
    JOIN counted_responses AS r USING (response_id)
    LEFT JOIN held_roles AS h ON h.opportunity_id = t.opportunity_id AND h.person_id = r.person_id
    LEFT JOIN origins AS g ON g.opportunity_id = t.opportunity_id
),
shared AS (
    SELECT
        *,
        (amount * points) // sum(points) OVER (PARTITION BY opportunity_id) AS whole,
        (amount * points) % sum(points) OVER (PARTITION BY opportunity_id) AS remainder
    FROM pointed
)
SELECT
    opportunity_id,
    response_id AS unit_id,
    (
        whole + CASE
            WHEN row_number() OVER (PARTITION BY opportunity_id ORDER BY remainder DESC, nth)
                <= amount - sum(whole) OVER (PARTITION BY opportunity_id) THEN 1
            ELSE 0
        END
    )::BIGINT AS credit
FROM shared
