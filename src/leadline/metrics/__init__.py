"""Metrics: expression + array maths → `Result`."""
