-- What did the org write, beside what the members of primary campaigns would have: row by row?
-- ask: salesforce()
-- of: list
WITH org AS (
    SELECT
        opportunity_id,
        coalesce(person_id, contact_id) AS person_id,
        campaign_id,
        sum(share_parts) / 1e6 AS org_share,
        max(created_s) AS written_s
    FROM salesforce_influence
    GROUP BY ALL
),
role AS (SELECT opportunity_id, person_id, min(created_s) AS role_s FROM roles GROUP BY ALL),
member AS (
    SELECT person_id, campaign_id, min(created_s) AS member_s, min(created_day) AS member_day
    FROM role_members, as_of AS a
    WHERE created_s <= a.s
    GROUP BY ALL
),
pair AS (SELECT * FROM role JOIN member USING (person_id) JOIN deals USING (opportunity_id)),
ours AS (
    SELECT
        opportunity_id,
        person_id,
        p.campaign_id,
        count(DISTINCT response_id) FILTER (p.campaign_id = primary_campaign_id) AS points
    FROM pair AS p JOIN role_members AS m USING (person_id, campaign_id) CROSS JOIN as_of AS a
    WHERE
        amount_state = 'known'
        AND p.created_day - m.created_day <= 365
        AND m.created_s <= CASE WHEN state = 'open' THEN a.s ELSE closed_s END
    GROUP BY ALL
),
shared AS (
    SELECT *, coalesce(points / nullif(sum(points) OVER (PARTITION BY opportunity_id), 0), 0) AS our_share FROM ours
),
key AS (
    SELECT opportunity_id, person_id, campaign_id FROM org SEMI JOIN deals USING (opportunity_id)
    UNION
    SELECT opportunity_id, person_id, campaign_id FROM pair
),
told AS (
    SELECT opportunity_id, count(*) AS written, max(written_s) AS last_s FROM org GROUP BY ALL
),
known AS (
    SELECT
        k.*,
        d.amount_state,
        org_share,
        our_share,
        points,
        CASE
            WHEN org_share IS NOT NULL AND our_share IS NOT NULL THEN 'both'
            WHEN org_share IS NOT NULL THEN 'org only'
            WHEN our_share IS NOT NULL THEN 'ours only'
            ELSE 'neither'
        END AS difference,
        written,
        role_s IS NOT NULL AS has_role,
        member_s IS NOT NULL AS has_member,
        state <> 'open' AND member_s > closed_s AS late_member,
        created_day - member_day > 365 AS old_member,
        state <> 'open' AND role_s > closed_s AS late_role,
        greatest(member_s, role_s) > last_s AS after_last
    FROM key AS k
    JOIN deals AS d USING (opportunity_id)
    LEFT JOIN org USING (opportunity_id, person_id, campaign_id)
    LEFT JOIN shared USING (opportunity_id, person_id, campaign_id)
    LEFT JOIN role USING (opportunity_id, person_id)
    LEFT JOIN member USING (person_id, campaign_id)
    LEFT JOIN told USING (opportunity_id)
)
SELECT
    opportunity_id,
    person_id,
    campaign_id,
    difference,
    org_share,
    our_share,
    CASE
        WHEN difference = 'both' THEN
            CASE WHEN abs(org_share - our_share) <= 0.0001 THEN 'the same' ELSE 'another share of the amount' END
        WHEN difference = 'org only' AND NOT has_role THEN 'no contact role now'
        WHEN difference = 'org only' AND NOT has_member THEN 'no campaign member now'
        WHEN difference <> 'org only' AND written IS NULL THEN 'the org wrote no row for this opportunity'
        WHEN late_member THEN 'member created after the close'
        WHEN old_member THEN 'member older than the window'
        WHEN late_role THEN 'contact role created after the close'
        WHEN difference = 'org only' AND amount_state <> 'known' THEN 'the opportunity has no amount to share'
        WHEN difference <> 'org only' AND points = 0 THEN 'the model gives it no share'
        WHEN difference <> 'org only' AND after_last THEN 'role or member came after the org''s last row'
        ELSE 'nothing in the data says why'
    END AS reason
FROM known
