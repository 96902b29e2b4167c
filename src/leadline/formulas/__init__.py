"""The language of formulas: text → tree → checked kind → value, with nothing of data in it.

A formula is arithmetic over named operands (`SQL / MQL`, `won_amount / won_count`). Nothing is ever
handed to Python to run: the text is cut into tokens, parsed by recursive descent into a tree of few
node types, checked for what can be added to what, and computed in exact fractions.
"""
