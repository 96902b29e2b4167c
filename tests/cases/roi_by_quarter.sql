-- What did each campaign cost in each quarter, day by day, and what came of its responses and deals?
-- ask: roi(models=["first"], grain="quarter")
-- only: cost_state = "known"
WITH dated AS (
    SELECT campaign_id, cost, starts_day, least(coalesce(ends_day, a.day), a.day) - starts_day + 1 AS length
    FROM campaigns, as_of AS a
    WHERE cost IS NOT NULL AND starts_day IS NOT NULL AND coalesce(ends_day, starts_day) >= starts_day
),
spent AS (
    SELECT campaign_id, starts_day + i AS day, cost // length + CASE WHEN i < cost % length THEN 1 ELSE 0 END AS cost
    FROM dated, LATERAL (SELECT unnest(range(length)) AS i)
),
parts AS (
    SELECT campaign_id, day, cost, 0 AS responses, 0 AS qualified, 0 AS won_amount, NULL AS deal FROM spent
    UNION ALL
    SELECT campaign_id, responded_day, 0, 1, 0, 0, NULL FROM counted_responses
    UNION ALL
    SELECT origin_campaign_id, min(entered_day), 0, 0, 1, 0, NULL
    FROM journeys JOIN journey_visits USING (journey_id)
    WHERE stage_no = 1 AND entered_day IS NOT NULL
    GROUP BY journey_id, origin_campaign_id
    UNION ALL
    SELECT campaign_id, created_day, 0, 0, 0, CASE WHEN t.state = 'won' THEN t.amount ELSE 0 END, opportunity_id
    FROM role_touches AS t JOIN deals USING (opportunity_id)
    WHERE nth = 1
)
SELECT
    campaign_id,
    strftime(date_of(day), '%Y') || '-Q' || quarter(date_of(day)) AS period,
    sum(parts.cost)::BIGINT AS cost,
    sum(responses)::BIGINT AS responses,
    sum(qualified)::BIGINT AS qualified,
    sum(won_amount)::BIGINT AS won_amount,
    count(DISTINCT deal) AS opportunities,
    CASE WHEN sum(parts.cost) > 0 THEN (sum(won_amount) - sum(parts.cost)) / sum(parts.cost)::DOUBLE END AS roi,
    CASE WHEN sum(responses) > 0 THEN half_even(sum(parts.cost), sum(responses))::BIGINT END AS cost_per_response
FROM parts JOIN dated USING (campaign_id)
GROUP BY ALL
