-- With leads that belong to the account, what is the total, what is credited and what remains?
-- ask: influence(models=["even"], scope="account + matched leads")
-- of: totals
WITH scope AS (
    SELECT person_id, account_id FROM people WHERE account_id IS NOT NULL
    UNION ALL
    SELECT person_id, account_id FROM account_matches
),
touched AS (
    SELECT DISTINCT d.opportunity_id
    FROM deals AS d
    JOIN scope USING (account_id)
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
    'even' AS model,
    'account + matched leads' AS scope,
    sum(amount)::BIGINT AS total_amount,
    sum(amount) FILTER (credited)::BIGINT AS credited_amount,
    0 AS pending_amount,
    sum(amount) FILTER (NOT credited)::BIGINT AS unattributed_amount,
    sum(amount) FILTER (state = 'won' AND credited)::BIGINT AS won_credited_amount
FROM valued
