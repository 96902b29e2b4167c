-- Opportunities created and won in the first half of 2026, by the StageName that their record shows now.
-- ask: volume(view="entered", unit="opportunities", by=["stage_name"], start="2026-01-01", end="2026-07-01")
-- only: count > 0
SELECT o.stage_name, 'all' AS period, 'SQL' AS stage, count(*) AS count, sum(d.amount)::BIGINT AS amount
FROM deals AS d JOIN opportunities AS o USING (opportunity_id)
WHERE date_of(d.created_day) BETWEEN DATE '2026-01-01' AND DATE '2026-06-30'
GROUP BY ALL
UNION ALL
SELECT o.stage_name, 'all', 'Won', count(*), sum(d.amount)::BIGINT
FROM deals AS d JOIN opportunities AS o USING (opportunity_id)
WHERE d.state = 'won' AND date_of(d.closed_day) BETWEEN DATE '2026-01-01' AND DATE '2026-06-30'
GROUP BY ALL
