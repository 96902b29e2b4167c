-- Opportunities by month of creation (SQL) and of winning (Won), with their amounts in cents.
-- A deal with no amount counts and adds nothing.
-- ask: volume(view="entered", unit="opportunities", grain="month")
-- only: count > 0
SELECT month_of(created_day) AS period, 'SQL' AS stage, count(*) AS count, sum(amount)::BIGINT AS amount
FROM deals
GROUP BY ALL
UNION ALL
SELECT month_of(closed_day), 'Won', count(*), sum(amount)::BIGINT
FROM deals
WHERE state = 'won'
GROUP BY ALL
