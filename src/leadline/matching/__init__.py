"""Who may be the same, and who belongs to whom: leads to accounts, second records of a person, missing roles.

What is judged here moves no number by itself: people are counted as the org has them. Matches
serve the scope `account + matched leads`; possible duplicates are findings; roles are proposals.
"""
