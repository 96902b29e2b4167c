SELECT
  "t0"."id",
  CAST(FLOOR(
    CAST((
      TO_UNIXTIME(CAST("t0"."close_date" AS TIMESTAMP))
    ) AS DOUBLE) / (
      86400
    )
  ) AS BIGINT) AS "close_day"
FROM "deals" AS "t0"
