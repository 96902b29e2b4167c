SELECT
  CAST(FLOOR(
    (
      toRelativeSecondNum(CAST("t0"."close_date" AS Nullable(DateTime)))
    ) / (
      86400
    )
  ) AS Nullable(Int64)) AS "day",
  SUM(CAST("t0"."is_won" AS Nullable(Int64))) AS "won",
  SUM("t0"."amount") AS "amount"
FROM "deals" AS "t0"
GROUP BY
  CAST(FLOOR(
    (
      toRelativeSecondNum(CAST("t0"."close_date" AS Nullable(DateTime)))
    ) / (
      86400
    )
  ) AS Nullable(Int64))
