-- Do the totals of a split cohort say the same as the cohort without the split?
-- ask: volume(view="cohort", unit="journeys", grain="year", by=["campaign_type"])
-- of: totals
SELECT strftime(date_of(started_day), '%Y') AS period, stage, count(*) AS count
FROM journeys JOIN journey_stages USING (journey_id) JOIN stages USING (stage_no)
GROUP BY ALL
