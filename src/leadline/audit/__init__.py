"""Faults of the data: one small function per check, run once at publish.

`registry` lists the checks, `run` writes the tables `findings` and `finding_records` of a
snapshot, `read` shows them, `lineage` counts the way from the records to the model.
"""
