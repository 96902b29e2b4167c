SELECT
  "t0"."id",
  CAST(FLOOR(
    CAST((
      EXTRACT('epoch' FROM CAST("t0"."close_date" AS TIMESTAMP))
    ) AS DOUBLE PRECISION) / (
      86400
    )
  ) AS BIGINT) AS "close_day"
FROM "deals" AS "t0"
