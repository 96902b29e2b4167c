SELECT
  `t0`.`id`,
  CAST(CAST(FLOOR(
    CAST(`t0`.`amount` AS NUMERIC) * CAST(CAST(CASE
      WHEN `t0`.`digits` = 0
      THEN 1
      WHEN `t0`.`digits` = 1
      THEN 10
      WHEN `t0`.`digits` = 3
      THEN 1000
      ELSE 100
    END AS INT64) AS NUMERIC)
  ) AS NUMERIC) AS INT64) + CAST((
    (
      (
        CAST(`t0`.`amount` AS NUMERIC) * CAST(CAST(CASE
          WHEN `t0`.`digits` = 0
          THEN 1
          WHEN `t0`.`digits` = 1
          THEN 10
          WHEN `t0`.`digits` = 3
          THEN 1000
          ELSE 100
        END AS INT64) AS NUMERIC)
      ) - CAST(CAST(CAST(FLOOR(
        CAST(`t0`.`amount` AS NUMERIC) * CAST(CAST(CASE
          WHEN `t0`.`digits` = 0
          THEN 1
          WHEN `t0`.`digits` = 1
          THEN 10
          WHEN `t0`.`digits` = 3
          THEN 1000
          ELSE 100
        END AS INT64) AS NUMERIC)
      ) AS NUMERIC) AS INT64) AS NUMERIC)
    ) > CAST('0.5' AS NUMERIC)
  )
  OR (
    (
      (
        (
          CAST(`t0`.`amount` AS NUMERIC) * CAST(CAST(CASE
            WHEN `t0`.`digits` = 0
            THEN 1
            WHEN `t0`.`digits` = 1
            THEN 10
            WHEN `t0`.`digits` = 3
            THEN 1000
            ELSE 100
          END AS INT64) AS NUMERIC)
        ) - CAST(CAST(CAST(FLOOR(
          CAST(`t0`.`amount` AS NUMERIC) * CAST(CAST(CASE
            WHEN `t0`.`digits` = 0
            THEN 1
            WHEN `t0`.`digits` = 1
            THEN 10
            WHEN `t0`.`digits` = 3
            THEN 1000
            ELSE 100
          END AS INT64) AS NUMERIC)
        ) AS NUMERIC) AS INT64) AS NUMERIC)
      ) = CAST('0.5' AS NUMERIC)
    )
    AND (
      (
        MOD(
          CAST(CAST(FLOOR(
            CAST(`t0`.`amount` AS NUMERIC) * CAST(CAST(CASE
              WHEN `t0`.`digits` = 0
              THEN 1
              WHEN `t0`.`digits` = 1
              THEN 10
              WHEN `t0`.`digits` = 3
              THEN 1000
              ELSE 100
            END AS INT64) AS NUMERIC)
          ) AS NUMERIC) AS INT64),
          2
        )
      ) <> 0
    )
  ) AS INT64) AS `minor`
FROM `deals` AS `t0`
