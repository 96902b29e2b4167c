-- What fell on responses after the creation is credited, what fell before stands in other_window, and with the
-- unattributed all of it is the total.
-- ask: influence(models=["even"], window="accelerated")
-- of: totals
WITH credits AS (
    SELECT *, amount // touches + CASE WHEN nth <= amount % touches THEN 1 ELSE 0 END AS credit FROM role_touches
)
SELECT
    'accelerated' AS window,
    (SELECT sum(credit) FROM credits WHERE NOT before_creation)::BIGINT AS credited_amount,
    (SELECT sum(credit) FROM credits WHERE before_creation)::BIGINT AS other_window_amount,
    (SELECT sum(credit) FROM credits WHERE before_creation AND state = 'won')::BIGINT AS won_other_window_amount,
    (SELECT sum(amount) FROM deals ANTI JOIN role_touches USING (opportunity_id))::BIGINT AS unattributed_amount,
    (SELECT sum(amount) FROM deals)::BIGINT AS total_amount
