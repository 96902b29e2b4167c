-- Of the opportunities created in each month, how many are won by as-of, and what are they worth?
-- ask: volume(view="cohort", unit="opportunities", grain="month")
SELECT month_of(created_day) AS period, stage, count(*) AS count, sum(amount)::BIGINT AS amount
FROM deals JOIN stages ON stage = 'SQL' OR (stage = 'Won' AND state = 'won')
GROUP BY ALL
