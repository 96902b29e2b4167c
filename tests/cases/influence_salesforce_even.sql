-- Every campaign that a person with a role is a member of, whatever the status, gets the same: a member counts from its
-- creation, within 365 days before the deal's creation and up to its close or as-of. Two members of one campaign
-- share its part: half a campaign's weight each, and so on, on the grid of a million.
-- ask: influence(models=["salesforce_even"])
-- only: bucket = "campaign"
WITH touched AS (
    SELECT
        d.opportunity_id,
        d.state,
        d.amount,
        m.campaign_id,
        row_number() OVER (PARTITION BY d.opportunity_id ORDER BY m.created_s, m.response_id) AS nth,
        count(*) OVER (PARTITION BY d.opportunity_id, m.campaign_id) AS same_campaign
    FROM deals AS d
    JOIN opportunity_people AS p USING (opportunity_id)
    JOIN role_members AS m USING (person_id)
    CROSS JOIN as_of AS a
    WHERE
        d.amount_state = 'known'
        AND p.has_role
        AND m.created_s <= a.s
        AND d.created_day - m.created_day <= 365
        AND m.created_s <= CASE WHEN d.state = 'open' THEN a.s ELSE d.closed_s END
),
scaled AS (
    SELECT
        *,
        round(1000000.0::DOUBLE * min(same_campaign) OVER (PARTITION BY opportunity_id) / same_campaign)::HUGEINT AS w
    FROM touched
),
pointed AS (
    SELECT *, (w * 1000000) // sum(w) OVER (PARTITION BY opportunity_id) AS points FROM scaled
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
GROUP BY campaign_id
