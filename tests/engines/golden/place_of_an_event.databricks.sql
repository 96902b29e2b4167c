SELECT
  `t0`.`person_id`,
  `t0`.`second`,
  `t0`.`rank`,
  `t0`.`record_id`,
  ROW_NUMBER() OVER (
    PARTITION BY `t0`.`person_id`
    ORDER BY `t0`.`second` ASC NULLS LAST, `t0`.`rank` ASC NULLS LAST, `t0`.`record_id` ASC NULLS LAST
  ) - 1 AS `n`
FROM `events` AS `t0`
