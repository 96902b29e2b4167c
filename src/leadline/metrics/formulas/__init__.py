"""What formulas are computed on: their grid, operands and columns."""
