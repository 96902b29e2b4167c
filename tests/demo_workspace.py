"""A demo org taken in through the doors a user takes: files, import, publish."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from leadline.demo.org import CONFIG_TOML, DemoOrg, generate
from leadline.demo.writers import Format
from leadline.model.opened import Opened, open_snapshot
from leadline.workspace import Workspace, create


@dataclass(frozen=True)
class Demo:
    """A demo org and the workspace made of its files."""

    org: DemoOrg
    workspace: Workspace
    snapshot: Path

    def open(self) -> Opened:
        """The published snapshot, as the metrics see it."""
        return open_snapshot(self.snapshot)


def imported(folder: Path, *, people: int, seed: int, form: Format = "csv", settings: str = CONFIG_TOML) -> Demo:
    """Generate a demo org below `folder`, import it and publish its first snapshot."""
    org = generate(folder / "files", people=people, seed=seed, format=form)
    workspace = create(folder / "workspace")
    (workspace.folder / "leadline.toml").write_text(settings, encoding="utf-8")
    report = workspace.sources.import_files(folder / "files")
    assert report.published is not None
    return Demo(org, workspace, report.published.snapshot.path)
