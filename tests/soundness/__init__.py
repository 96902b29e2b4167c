"""Traps in which a measurement of this kind goes wrong without a sign: one test each, never weakened."""
