-- Which lead sources and campaign types go on less often than the rest? The pooled two-proportion test, its variance as
-- if journeys that share a deal were one; false discovery rate 10 % over all segments tested (Benjamini–Hochberg). What
-- was lost: the gap to the rest times the journeys, then times the later rates, then times the mean won amount.
-- ask: problems(by=["lead_source", "campaign_type"], window_days=30)
WITH firsts AS (
    SELECT journey_id, stage_no, min(entered_s) AS s, min(entered_day) AS day FROM entries GROUP BY ALL
),
steps AS (
    SELECT a.journey_id, a.stage_no AS from_no, a.s AS a_s, a.day AS a_day, min(b.s) AS b_s, min(b.day) AS b_day
    FROM firsts AS a
    LEFT JOIN firsts AS b ON b.journey_id = a.journey_id AND b.stage_no > a.stage_no
    WHERE a.stage_no < 4
    GROUP BY ALL
),
started AS (
    SELECT journey_id, from_no, (coalesce(b_day - a_day <= 30, false))::BIGINT AS hit
    FROM steps, as_of
    WHERE (b_s IS NULL OR b_s >= a_s) AND a_day + 30 < as_of.day
),
deal_firsts AS (
    SELECT opportunity_id, min(journey_no) AS first_no FROM journey_opportunities GROUP BY ALL
),
shared AS (
    SELECT journey_id, min(first_no) AS cluster
    FROM journey_opportunities JOIN deal_firsts USING (opportunity_id)
    GROUP BY journey_id
),
valued AS (
    SELECT 'lead_source' AS dimension, journey_id, lead_source AS value FROM journeys JOIN people USING (person_id)
    UNION ALL
    SELECT 'campaign_type', journey_id, campaign_type
    FROM journeys JOIN campaigns ON campaign_id = origin_campaign_id
),
units AS (
    SELECT v.dimension, v.value, s.from_no, s.hit, coalesce(shared.cluster, -j.journey_no - 1) AS cluster
    FROM valued AS v
    JOIN started AS s USING (journey_id)
    JOIN journeys AS j USING (journey_id)
    LEFT JOIN shared USING (journey_id)
    WHERE v.value IS NOT NULL
),
wholes AS (
    SELECT dimension, from_no, count(*) AS n, sum(hit) AS y, sum(hit) / count(*) AS p FROM units GROUP BY ALL
),
segments AS (
    SELECT
        u.dimension,
        u.value,
        u.from_no,
        count(*) AS own_n,
        sum(hit) AS own_y,
        any_value(n) - count(*) AS rest_n,
        any_value(y) - sum(hit) AS rest_y,
        any_value(p) AS p
    FROM units AS u JOIN wholes USING (dimension, from_no)
    GROUP BY ALL
    HAVING count(*) < any_value(n)
),
tested AS (
    SELECT * FROM segments
    WHERE own_n <= rest_n AND least(own_n * p, own_n * (1 - p), rest_n * p, rest_n * (1 - p)) >= 5
),
residuals AS (
    SELECT
        t.dimension,
        t.value,
        t.from_no,
        u.cluster,
        sum((hit - p) * CASE WHEN u.value = t.value THEN 1 / own_n ELSE -1 / rest_n END) AS together,
        sum(((hit - p) * CASE WHEN u.value = t.value THEN 1 / own_n ELSE 1 / rest_n END) ** 2) AS single
    FROM tested AS t JOIN units AS u USING (dimension, from_no)
    GROUP BY t.dimension, t.value, t.from_no, u.cluster
),
effects AS (
    SELECT dimension, value, from_no, greatest(sum(together ** 2) / sum(single), 1) AS effect
    FROM residuals
    GROUP BY ALL
),
scored AS (
    SELECT
        *,
        own_y / own_n AS rate,
        rest_y / rest_n AS rest_rate,
        abs(own_y / own_n - rest_y / rest_n) / sqrt(p * (1 - p) * (1 / own_n + 1 / rest_n) * effect) AS z
    FROM tested JOIN effects USING (dimension, value, from_no)
),
terms AS (
    -- The normal distribution by its series: density times the sum of z^(2k+1) ÷ (1·3·5·…·(2k+1)).
    SELECT dimension, value, from_no, z, product(CASE WHEN k = 0 THEN z ELSE z * z / (2 * k + 1) END) OVER (
        PARTITION BY dimension, value, from_no ORDER BY k
    ) AS term
    FROM scored, range(0, 200) AS r (k)
),
chances AS (
    SELECT dimension, value, from_no, 1 - 2 * exp(-(any_value(z) ** 2) / 2) / sqrt(2 * pi()) * sum(term) AS p_value
    FROM terms
    GROUP BY ALL
),
adjusted AS (
    SELECT *, least(min(p_value * tests / nth) OVER (ORDER BY nth DESC), 1) AS q_value
    FROM (
        SELECT *, row_number() OVER (ORDER BY p_value, dimension, value, from_no) AS nth, count(*) OVER () AS tests FROM chances
    )
),
limits AS (
    -- Wilson's, of as many independent journeys as the clustered ones are worth.
    SELECT
        *,
        own_n / effect AS own_e,
        rest_n / effect AS rest_e,
        1.959963984540054 AS z95
    FROM scored
),
wilson AS (
    SELECT
        *,
        (rate + z95 ** 2 / (2 * own_e) + z95 * sqrt(rate * (1 - rate) / own_e + z95 ** 2 / (4 * own_e ** 2)))
        / (1 + z95 ** 2 / own_e) AS own_high,
        (rest_rate + z95 ** 2 / (2 * rest_e) - z95 * sqrt(rest_rate * (1 - rest_rate) / rest_e + z95 ** 2 / (4 * rest_e ** 2)))
        / (1 + z95 ** 2 / rest_e) AS rest_low
    FROM limits
),
through AS (
    SELECT from_no, sum(hit) / count(*) AS rate FROM started GROUP BY from_no
),
worth AS (
    SELECT stage_no, coalesce((SELECT product(rate) FROM through WHERE from_no >= stage_no), 1) AS wins FROM stages
),
found AS (
    SELECT
        w.*,
        p_value,
        q_value,
        (rest_rate - rate) * own_n AS records_lost,
        -- Newcombe: the end of the interval of rate less rest that is nearer to no difference.
        greatest(-(rate - rest_rate + sqrt((own_high - rate) ** 2 + (rest_rate - rest_low) ** 2)), 0) * own_n AS surely,
        wins
    FROM wilson AS w
    JOIN adjusted USING (dimension, value, from_no)
    JOIN worth ON worth.stage_no = from_no + 1
    WHERE q_value <= 0.1 AND rate < rest_rate
)
SELECT
    row_number() OVER (ORDER BY surely * wins DESC, p_value, dimension, value) AS rank,
    dimension,
    value,
    a.stage AS from_stage,
    b.stage AS to_stage,
    own_n AS started,
    own_y::BIGINT AS converted,
    rate,
    rest_n AS rest_started,
    rest_y::BIGINT AS rest_converted,
    rest_rate,
    p_value,
    q_value,
    records_lost,
    records_lost * wins AS wins_lost,
    surely * wins AS wins_lost_low,
    round(records_lost * wins * (SELECT avg(amount) FROM deals WHERE state = 'won' AND amount_state = 'known'))::BIGINT
        AS amount_at_stake
FROM found
JOIN stages AS a ON a.stage_no = from_no
JOIN stages AS b ON b.stage_no = from_no + 1
