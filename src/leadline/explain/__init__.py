"""Where a number comes from: its definition in figures, its fields and loads, its steps, its faults."""

from leadline.explain.explanation import Explanation, State, explain
from leadline.explain.fields import field_table

__all__ = ["Explanation", "State", "explain", "field_table"]
