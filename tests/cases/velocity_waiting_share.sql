-- Where do journeys wait? Days stood in a stage ÷ days stood in all stages between Inquiry and the outcomes.
-- ask: velocity(unit="journeys")
-- only: waiting_share > 0
SELECT stage, sum(seconds) / sum(sum(seconds)) OVER () AS waiting_share
FROM visit_lengths JOIN stages USING (stage_no)
WHERE stage IN ('MQL', 'SAL', 'SQL')
GROUP BY stage
