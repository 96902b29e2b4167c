-- Of the accounts whose first journey opened in a quarter, how many have reached each stage?
-- ask: volume(view="cohort", unit="accounts", grain="quarter")
WITH accounts AS (
    SELECT account_id, min(started_day) AS opened, max(stage_no) AS furthest
    FROM journeys JOIN people USING (person_id) JOIN journey_stages USING (journey_id)
    WHERE account_id IS NOT NULL
    GROUP BY account_id
)
SELECT strftime(date_of(opened), '%Y') || '-Q' || quarter(date_of(opened)) AS period, stage, count(*) AS count
FROM accounts AS a JOIN stages AS s ON s.stage_no <= a.furthest
GROUP BY ALL
