-- How many working days, Monday to Friday, did each journey stand in SQL? The first day counts, the last does not.
-- ask: velocity(days="working", from_stage="SQL", to_stage="SQL")
-- of: list
SELECT
    journey_id AS unit_id,
    sum((
        SELECT count(*)
        FROM range(date_of(entered_day)::TIMESTAMP, date_of(coalesce(left_day, a.day))::TIMESTAMP, INTERVAL 1 DAY) AS d (day)
        WHERE isodow(d.day) <= 5
    ))::DOUBLE AS days
FROM visit_lengths, as_of AS a
WHERE stage_no = 3
GROUP BY journey_id
