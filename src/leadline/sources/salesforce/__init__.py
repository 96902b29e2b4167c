"""The live org as a source: log in, read everything, prove that nothing is missing.

`hosts`, `vault`, `grants` log in; `transport` is the one way out, `session` retries and counts
calls, `faults` says what an answer means; `shapes` and `plan` decide what is asked; `rest` and
`bulk` read it into typed pages; `run` and `pull` make a load of them; `doctor` tells what the
integration user can and cannot see.
"""
