SELECT
  "t0"."id" AS "id",
  CAST(FLOOR(
    (
      toRelativeSecondNum(CAST("t0"."close_date" AS Nullable(DateTime)))
    ) / (
      86400
    )
  ) AS Nullable(Int64)) AS "close_day"
FROM "deals" AS "t0"
