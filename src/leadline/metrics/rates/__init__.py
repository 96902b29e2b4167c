"""Conversion in its forms: conventions, matrix, triangle, mix, problem areas."""
