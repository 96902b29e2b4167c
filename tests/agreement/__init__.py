"""The engine's answers and the oracle's about the same records, brought into one shape and compared exactly."""
