-- How many opportunities were open at the end of each quarter, and what are they worth? An opportunity is
-- open from its creation to the close that holds at as-of.
-- ask: volume(view="standing", unit="opportunities", grain="quarter")
WITH quarters AS (
    SELECT unnest(generate_series(
        date_trunc('quarter', date_of((SELECT min(created_day) FROM deals))),
        date_of((SELECT day FROM as_of)),
        INTERVAL 3 MONTH
    ))::DATE AS first
),
instants AS (
    SELECT
        strftime(q.first, '%Y') || '-Q' || quarter(q.first) AS period,
        least(epoch(timezone('America/New_York', q.first + INTERVAL 3 MONTH))::BIGINT - 1, a.s) AS s
    FROM quarters AS q, as_of AS a
)
SELECT period, 'SQL' AS stage, count(*) AS count, sum(amount)::BIGINT AS amount
FROM instants AS i
JOIN deals AS d ON d.created_s <= i.s AND (d.state = 'open' OR d.closed_s > i.s)
GROUP BY ALL
