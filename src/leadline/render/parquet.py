"""A result as Parquet: typed columns, money as decimals, the rest of the contract in the metadata."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow.parquet as pq

from leadline.results import Result

METADATA_KEY = b"leadline"


def save(result: Result, path: Path) -> None:
    """Write the rows; file metadata `leadline` holds the JSON contract without them."""
    about = json.dumps(result.to_dict(rows=False), ensure_ascii=False, allow_nan=False)
    table = result.typed()
    described = table.replace_schema_metadata({**(table.schema.metadata or {}), METADATA_KEY: about.encode()})
    pq.write_table(described, path, compression="zstd")
