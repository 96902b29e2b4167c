"""A second, independent implementation of the definitions: plain, slow, obvious Python.

It shares no code with the engine. Tests build small random orgs (`org.random_org`), ask both
for their answers and compare them exactly. Sections (§) are those of the definitions, D-numbers
those of the decision page on how the definitions are read.
"""
