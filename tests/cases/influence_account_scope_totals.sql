-- In the account scope, what is the total, what is credited and what remains, in each state?
-- ask: influence(models=["first"], scope="account")
-- of: totals
WITH touched AS (
    SELECT DISTINCT d.opportunity_id
    FROM deals AS d
    JOIN people AS p USING (account_id)
    JOIN counted_responses AS r USING (person_id)
    CROSS JOIN as_of AS a
    WHERE
        d.created_day - r.responded_day <= 365
        AND r.responded_s <= CASE WHEN d.state = 'open' THEN a.s ELSE d.closed_s END
),
valued AS (
    SELECT d.amount, d.state, t.opportunity_id IS NOT NULL AS credited
    FROM deals AS d LEFT JOIN touched AS t USING (opportunity_id)
    WHERE d.amount_state = 'known'
)
SELECT
    'first' AS model,
    'account' AS scope,
    sum(amount)::BIGINT AS total_amount,
    sum(amount) FILTER (credited)::BIGINT AS credited_amount,
    0 AS pending_amount,
    sum(amount) FILTER (NOT credited)::BIGINT AS unattributed_amount,
    sum(amount) FILTER (state = 'won')::BIGINT AS won_total_amount,
    sum(amount) FILTER (state = 'won' AND credited)::BIGINT AS won_credited_amount,
    sum(amount) FILTER (state = 'lost' AND NOT credited)::BIGINT AS lost_unattributed_amount
FROM valued
