-- How many journeys reached MQL at a known time, by quarter of that day?
-- ask: influence(models=["u_shaped"], goal="MQL", grain="quarter")
-- of: totals
SELECT
    strftime(date_of(day), '%Y') || '-Q' || date_part('quarter', date_of(day)) AS period,
    count(*)::DOUBLE AS journeys
FROM (
    SELECT e.journey_id, min(e.entered_day) AS day
    FROM entries AS e
    JOIN stages AS g USING (stage_no)
    WHERE g.stage = 'MQL'
    GROUP BY e.journey_id
)
GROUP BY 1
