"""The canonical tables of the manual, as Ibis expressions: one module per table.

Base tables (known at the load) and derived tables (at an as-of) are functions from tables to
a table; `build` runs them in order.
"""
