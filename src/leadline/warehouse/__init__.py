"""Build and query where the records already lie: the model on PostgreSQL or Spark in place of DuckDB."""
