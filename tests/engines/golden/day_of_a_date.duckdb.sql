SELECT
  "t0"."id",
  CAST(FLOOR(
    (
      EPOCH(CAST(CAST("t0"."close_date" AS TIMESTAMP) AS TIMESTAMP))
    ) / (
      86400
    )
  ) AS BIGINT) AS "close_day"
FROM "deals" AS "t0"
