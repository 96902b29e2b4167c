SELECT
  `t0`.`id`,
  CAST(CAST(FLOOR(
    CAST(`t0`.`amount` AS DECIMAL(38, 8)) * CAST(CAST(CASE
      WHEN `t0`.`digits` = 0
      THEN 1
      WHEN `t0`.`digits` = 1
      THEN 10
      WHEN `t0`.`digits` = 3
      THEN 1000
      ELSE 100
    END AS BIGINT) AS DECIMAL(38, 8))
  ) AS DECIMAL(38, 8)) AS BIGINT) + CAST((
    (
      (
        CAST(`t0`.`amount` AS DECIMAL(38, 8)) * CAST(CAST(CASE
          WHEN `t0`.`digits` = 0
          THEN 1
          WHEN `t0`.`digits` = 1
          THEN 10
          WHEN `t0`.`digits` = 3
          THEN 1000
          ELSE 100
        END AS BIGINT) AS DECIMAL(38, 8))
      ) - CAST(CAST(CAST(FLOOR(
        CAST(`t0`.`amount` AS DECIMAL(38, 8)) * CAST(CAST(CASE
          WHEN `t0`.`digits` = 0
          THEN 1
          WHEN `t0`.`digits` = 1
          THEN 10
          WHEN `t0`.`digits` = 3
          THEN 1000
          ELSE 100
        END AS BIGINT) AS DECIMAL(38, 8))
      ) AS DECIMAL(38, 8)) AS BIGINT) AS DECIMAL(38, 8))
    ) > CAST('0.5' AS DECIMAL(38, 8))
  )
  OR (
    (
      (
        (
          CAST(`t0`.`amount` AS DECIMAL(38, 8)) * CAST(CAST(CASE
            WHEN `t0`.`digits` = 0
            THEN 1
            WHEN `t0`.`digits` = 1
            THEN 10
            WHEN `t0`.`digits` = 3
            THEN 1000
            ELSE 100
          END AS BIGINT) AS DECIMAL(38, 8))
        ) - CAST(CAST(CAST(FLOOR(
          CAST(`t0`.`amount` AS DECIMAL(38, 8)) * CAST(CAST(CASE
            WHEN `t0`.`digits` = 0
            THEN 1
            WHEN `t0`.`digits` = 1
            THEN 10
            WHEN `t0`.`digits` = 3
            THEN 1000
            ELSE 100
          END AS BIGINT) AS DECIMAL(38, 8))
        ) AS DECIMAL(38, 8)) AS BIGINT) AS DECIMAL(38, 8))
      ) = CAST('0.5' AS DECIMAL(38, 8))
    )
    AND (
      (
        CAST(CAST(FLOOR(
          CAST(`t0`.`amount` AS DECIMAL(38, 8)) * CAST(CAST(CASE
            WHEN `t0`.`digits` = 0
            THEN 1
            WHEN `t0`.`digits` = 1
            THEN 10
            WHEN `t0`.`digits` = 3
            THEN 1000
            ELSE 100
          END AS BIGINT) AS DECIMAL(38, 8))
        ) AS DECIMAL(38, 8)) AS BIGINT) % 2
      ) <> 0
    )
  ) AS BIGINT) AS `minor`
FROM `deals` AS `t0`
