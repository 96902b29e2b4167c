-- Won of all that closed, by amount, in the quarter of the close. Amounts in cents; without one a deal adds nothing.
-- ask: formula(name="win_rate_amount", grain="quarter")
SELECT
    strftime(date_of(closed_day), '%Y') || '-Q' || quarter(date_of(closed_day)) AS period,
    coalesce(sum(amount) FILTER (state = 'won'), 0)::BIGINT AS won_amount,
    coalesce(sum(amount) FILTER (state = 'lost'), 0)::BIGINT AS lost_amount,
    won_amount / (won_amount + lost_amount) AS value
FROM deals
WHERE state IN ('won', 'lost')
GROUP BY period
