"""Volume in its forms: fates, new people, movements, comparison, what stands outside."""
