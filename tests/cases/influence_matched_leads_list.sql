-- Which credits go to leads that belong to the account, and by what were they matched?
-- ask: influence(models=["last"], scope="account + matched leads")
-- of: list
-- only: object = "CampaignMember"
WITH scope AS (
    SELECT person_id, account_id, NULL AS matched_by FROM people WHERE account_id IS NOT NULL
    UNION ALL
    SELECT person_id, account_id, rule || ': ' || agrees || ' (' || round(score_parts / 10000)::BIGINT || ' %)'
    FROM account_matches
),
touches AS (
    SELECT d.opportunity_id, d.amount AS credit, r.response_id AS unit_id, r.person_id, matched_by
    FROM deals AS d
    JOIN scope USING (account_id)
    JOIN counted_responses AS r USING (person_id)
    CROSS JOIN as_of AS a
    WHERE
        d.amount_state = 'known'
        AND d.created_day - r.responded_day <= 365
        AND r.responded_s <= CASE WHEN d.state = 'open' THEN a.s ELSE d.closed_s END
    QUALIFY row_number() OVER (PARTITION BY d.opportunity_id ORDER BY r.responded_s DESC, r.response_id DESC) = 1
)
SELECT opportunity_id, unit_id, person_id, credit, matched_by FROM touches WHERE credit <> 0
