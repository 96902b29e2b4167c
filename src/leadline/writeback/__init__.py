"""Results written back into the org: a plan to look at, then that plan and nothing else.

`target` says which records and fields are ours to write, `influence` and `members` what should
stand there, `present` what does; `planning` compares the two and keeps a `plan`. `applying` does a
plan, or undoes it, by `sending` its rows; the `journal` knows at every moment what was done.
"""
