"""What changed between two published states, told apart into parts that add up."""

from leadline.diff.changes import PARTS, Difference, as_list, as_table
from leadline.diff.states import States, differences

__all__ = ["PARTS", "Difference", "States", "as_list", "as_table", "differences"]
