"""Published states of the model: one read-only DuckDB file each, switched at once, verified, kept."""

from leadline.snapshots.content import COLUMNS, LINEAGE, META, REQUIRED, TABLES, content_hash
from leadline.snapshots.files import Snapshot
from leadline.snapshots.frozen import Frozen
from leadline.snapshots.snapshots import KEPT, Current, Published, Snapshots

__all__ = [
    "COLUMNS",
    "KEPT",
    "LINEAGE",
    "META",
    "REQUIRED",
    "TABLES",
    "Current",
    "Frozen",
    "Published",
    "Snapshot",
    "Snapshots",
    "content_hash",
]
