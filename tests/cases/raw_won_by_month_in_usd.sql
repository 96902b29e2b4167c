-- What was won in each month, in US cents, from the files alone? A deal is won if its record says so; it was won
-- when the run of Closed Won began that its history ends with. Its amount is rounded half to even in its own
-- currency, divided by the rate of its CloseDate (the table is in units per dollar), and rounded once more.
-- ask: volume(view="entered", unit="opportunities", grain="month")
-- only: stage = "Won"
WITH deal AS (
    SELECT
        Id,
        CloseDate::DATE AS close_date,
        CurrencyIsoCode AS currency,
        -- Digits of each currency: none for yen, two for the others.
        half_even((Amount::DECIMAL(18, 3) * 1000)::HUGEINT, if(CurrencyIsoCode = 'JPY', 1000, 10)) AS minor
    FROM read_csv(getvariable('files') || 'Opportunity.csv', header = true, all_varchar = true)
    WHERE IsDeleted = 'false' AND IsWon = 'true'
),
rate AS (
    SELECT
        IsoCode AS currency,
        StartDate::DATE AS starts,
        NextStartDate::DATE AS ends,
        (ConversionRate::DECIMAL(18, 6) * 1000000)::HUGEINT AS micro
    FROM read_csv(getvariable('files') || 'DatedConversionRate.csv', header = true, all_varchar = true)
),
history AS (
    SELECT
        OpportunityId AS Id,
        StageName,
        timezone('America/New_York', CreatedDate::TIMESTAMPTZ)::DATE AS day,
        row_number() OVER (PARTITION BY OpportunityId ORDER BY CreatedDate DESC, h.Id DESC) AS back
    FROM read_csv(getvariable('files') || 'OpportunityHistory.csv', header = true, all_varchar = true) AS h
    WHERE IsDeleted = 'false'
),
won AS (
    SELECT Id, min(day) AS day
    FROM history AS h
    WHERE back < coalesce((SELECT min(o.back) FROM history AS o WHERE o.Id = h.Id AND o.StageName <> 'Closed Won'), 1e9)
    GROUP BY Id
)
SELECT
    strftime(won.day, '%Y-%m') AS period,
    count(*) AS count,
    sum(half_even(minor * if(currency = 'JPY', 100, 1) * 1000000, micro))::BIGINT AS amount
FROM deal
JOIN won USING (Id)
JOIN rate USING (currency)
WHERE close_date >= starts AND close_date < ends
GROUP BY period
