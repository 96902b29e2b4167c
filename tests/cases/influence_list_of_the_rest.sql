-- Which deals have nobody in scope, and what are they worth?
-- ask: influence(models=["even"])
-- of: list
-- only: evidence = "no person in scope"
SELECT opportunity_id, amount AS credit, 'unattributed' AS bucket
FROM deals AS d
ANTI JOIN (SELECT opportunity_id FROM opportunity_people WHERE has_role) AS p USING (opportunity_id)
WHERE amount_state = 'known'
