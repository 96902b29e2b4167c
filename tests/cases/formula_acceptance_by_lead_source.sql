-- MQLs that became SALs or more within 90 days, of those old enough and in order, by the person's lead source.
-- ask: formula(expression="converted(MQL, SAL) / started(MQL, SAL)", by=["lead_source"], grain="year")
WITH learned AS (
    SELECT (json_extract(value, '$."window:main:journeys:MQL>SAL"'))::INTEGER AS days FROM _meta WHERE key = 'numbers'
),
first_of AS (
    SELECT
        journey_id,
        min(entered_s) FILTER (stage_no = 1) AS mql_s,
        min(entered_day) FILTER (stage_no = 1) AS mql_day,
        min(entered_s) FILTER (stage_no >= 2) AS later_s,
        min(entered_day) FILTER (stage_no >= 2) AS later_day
    FROM entries
    GROUP BY journey_id
),
started AS (
    SELECT p.lead_source, strftime(date_of(f.mql_day), '%Y') AS period, f.later_day - f.mql_day <= l.days AS on_time
    FROM first_of AS f
    CROSS JOIN learned AS l
    CROSS JOIN as_of AS a
    JOIN journeys AS j USING (journey_id)
    JOIN people AS p USING (person_id)
    WHERE f.mql_s IS NOT NULL AND coalesce(f.later_s >= f.mql_s, true) AND f.mql_day + l.days < a.day
)
SELECT
    lead_source,
    period,
    count(*) AS mql_sal_started,
    count(*) FILTER (on_time) AS mql_sal_converted,
    count(*) FILTER (on_time) / count(*) AS value
FROM started
GROUP BY ALL
