-- What the cases share; run once before them. Everything is read from the snapshot.

-- The moment that cuts events: UTC second, and day number in the reporting zone.
CREATE TEMP VIEW as_of AS
SELECT epoch(moment)::BIGINT AS s, date_diff('day', DATE '1970-01-01', timezone(zone, moment)::DATE) AS day
FROM (
    SELECT
        max(value) FILTER (key = 'as_of')::TIMESTAMPTZ AS moment,
        max(value) FILTER (key = 'zone') AS zone
    FROM _meta
);

CREATE TEMP VIEW stages AS
SELECT * FROM (VALUES (0, 'Inquiry'), (1, 'MQL'), (2, 'SAL'), (3, 'SQL'), (4, 'Won')) AS s (stage_no, stage);

-- Every timed entry of a journey into a stage: visits of positions, and Won by its close.
CREATE TEMP VIEW entries AS
SELECT journey_id, stage_no, entered_s, entered_day FROM journey_visits
UNION ALL
SELECT journey_id, stage_no, entered_s, entered_day FROM journey_outcomes;

-- Responses that count: dated, of a person, by as-of, the first of their person and campaign.
CREATE TEMP VIEW counted_responses AS
SELECT * FROM responses WHERE fate IN ('tipped', 'joined_before', 'joined_after', 'not_qualified');

-- How long each visit lasted in seconds: by the second between two instants, else in whole days.
-- A visit that still stands ends at as-of.
CREATE TEMP VIEW visit_lengths AS
SELECT
    v.*,
    v.left_s IS NULL AS is_open,
    CASE
        WHEN v.entered_is_date OR coalesce(v.left_is_date, false)
            THEN (coalesce(v.left_day, a.day) - v.entered_day) * 86400
        ELSE coalesce(v.left_s, a.s) - v.entered_s
    END AS seconds
FROM journey_visits AS v, as_of AS a;

-- A day number as a date, and its calendar month.
CREATE TEMP MACRO date_of(day) AS DATE '1970-01-01' + day::INTEGER;
CREATE TEMP MACRO month_of(day) AS strftime(DATE '1970-01-01' + day::INTEGER, '%Y-%m');

-- n ÷ d to a whole number, a half to the even one.
CREATE TEMP MACRO half_even(n, d) AS
    n // d + CASE WHEN 2 * (n % d) > d OR (2 * (n % d) = d AND (n // d) % 2 = 1) THEN 1 ELSE 0 END;

-- Touches of each deal that has an amount: responses that count, of people with a role on it, from 365 days
-- before its creation up to its close, or to as-of while it is open; the earliest is number 1.
CREATE TEMP VIEW role_touches AS
SELECT
    d.opportunity_id,
    d.state,
    d.amount,
    r.response_id,
    r.campaign_id,
    r.responded_s,
    r.responded_s <= d.created_s AS before_creation,
    row_number() OVER (PARTITION BY d.opportunity_id ORDER BY r.responded_s, r.response_id) AS nth,
    count(*) OVER (PARTITION BY d.opportunity_id) AS touches
FROM deals AS d
JOIN opportunity_people AS p USING (opportunity_id)
JOIN counted_responses AS r USING (person_id)
CROSS JOIN as_of AS a
WHERE
    d.amount_state = 'known'
    AND p.has_role
    AND d.created_day - r.responded_day <= 365
    AND r.responded_s <= CASE WHEN d.state = 'open' THEN a.s ELSE d.closed_s END;
