SELECT
  "t0"."person_id" AS "person_id",
  "t0"."second" AS "second",
  "t0"."rank" AS "rank",
  "t0"."record_id" AS "record_id",
  ROW_NUMBER() OVER (
    PARTITION BY "t0"."person_id"
    ORDER BY "t0"."second" ASC, "t0"."rank" ASC, "t0"."record_id" ASC
    ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING
  ) - 1 AS "n"
FROM "events" AS "t0"
