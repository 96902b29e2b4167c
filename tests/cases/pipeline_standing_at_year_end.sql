-- What was open in each stage at the end of 2025, and what was it worth, from the files alone, whatever the as-of?
-- ask: pipeline(view="standing", end="2026-01-01")
WITH history AS (
    SELECT
        OpportunityId,
        StageName,
        Amount,
        CloseDate,
        CreatedDate::TIMESTAMPTZ < TIMESTAMPTZ '2026-01-01 00:00:00 America/New_York' AS by_then,
        row_number() OVER (PARTITION BY OpportunityId, by_then ORDER BY CreatedDate DESC, h.Id DESC) AS back
    FROM read_csv(getvariable('files') || 'OpportunityHistory.csv', header = true, all_varchar = true) AS h
    WHERE IsDeleted = 'false'
),
standing AS (
    SELECT
        h.StageName AS stage,
        o.CurrencyIsoCode AS currency,
        if(later.OpportunityId IS NULL, o.Amount, h.Amount) AS amount,
        if(later.OpportunityId IS NULL, o.CloseDate, h.CloseDate)::DATE AS close_date
    FROM read_csv(getvariable('files') || 'Opportunity.csv', header = true, all_varchar = true) AS o
    JOIN history AS h ON h.OpportunityId = o.Id AND h.by_then AND h.back = 1
    LEFT JOIN history AS later ON later.OpportunityId = o.Id AND NOT later.by_then AND later.back = 1
    WHERE
        o.IsDeleted = 'false'
        AND o.CreatedDate::TIMESTAMPTZ < TIMESTAMPTZ '2026-01-01 00:00:00 America/New_York'
        AND h.StageName NOT IN ('Closed Won', 'Closed Lost')
),
rate AS (
    SELECT
        IsoCode AS currency,
        StartDate::DATE AS starts,
        NextStartDate::DATE AS ends,
        (ConversionRate::DECIMAL(18, 6) * 1000000)::HUGEINT AS micro
    FROM read_csv(getvariable('files') || 'DatedConversionRate.csv', header = true, all_varchar = true)
),
valued AS (
    SELECT
        stage,
        half_even((amount::DECIMAL(18, 3) * 1000)::HUGEINT, if(currency = 'JPY', 1000, 10)) AS minor,
        if(currency = 'JPY', 100, 1) * 1000000 AS scale,
        micro
    FROM standing JOIN rate USING (currency)
    WHERE close_date >= starts AND close_date < ends
)
SELECT
    'all' AS period,
    stage,
    count(*) AS opportunities,
    count(*) AS count,
    sum(half_even(minor * scale, micro))::BIGINT AS amount,
    count(*) FILTER (minor IS NULL) AS without_amount
FROM valued
GROUP BY stage
