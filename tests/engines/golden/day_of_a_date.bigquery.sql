SELECT
  `t0`.`id`,
  CAST(FLOOR(ieee_divide(UNIX_SECONDS(CAST(`t0`.`close_date` AS DATETIME)), 86400)) AS INT64) AS `close_day`
FROM `deals` AS `t0`
