"""By how much the faults of the data move its headline numbers.

`worlds` holds for each finding the people and opportunities it touches, mended, side by side in one
set of tables; `headline` measures parts that add up; `moves` puts the numbers together:
all of them, minus the touched ones as they are, plus the touched ones mended.
"""
