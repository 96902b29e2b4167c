SELECT
  CAST(FLOOR((
    DATE_PART('epoch', CAST("t0"."close_date" AS TIMESTAMP))
  ) / (
    86400
  )) AS BIGINT) AS "day",
  SUM(CAST("t0"."is_won" AS BIGINT)) AS "won",
  SUM("t0"."amount") AS "amount"
FROM "deals" AS "t0"
GROUP BY
  1
