SELECT
  CAST(FLOOR(ieee_divide(UNIX_SECONDS(CAST(`t0`.`close_date` AS DATETIME)), 86400)) AS INT64) AS `day`,
  SUM(CAST(`t0`.`is_won` AS INT64)) AS `won`,
  SUM(`t0`.`amount`) AS `amount`
FROM `deals` AS `t0`
GROUP BY
  1
