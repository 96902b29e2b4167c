"""Time in its forms: measures, curves, waiting, stuck and slow records, detours."""
