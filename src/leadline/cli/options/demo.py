"""Options of the demo org and of the report."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

People = Annotated[int, typer.Option(min=1, metavar="N", help="How many people the org has.")]
Seed = Annotated[int, typer.Option(metavar="N", help="The same seed gives the same org, to the byte.")]
Plain = Annotated[
    bool, typer.Option("--plain", help="Plant nothing: no campaign, channel or source differs from another by design.")
]
AsOrg = Annotated[
    bool,
    typer.Option(
        "--as-org", help="Then serve them as an org on this machine, to try connect, pull and push; see docs/push.md."
    ),
]
OutFolder = Annotated[Path, typer.Option("--out", metavar="DIR", help="Folder for the files.")]
DemoFormat = Annotated[Literal["csv", "parquet", "export-zip"], typer.Option("--format", help="Form of the files.")]
ReportFile = Annotated[Path, typer.Option("--output", metavar="FILE", help="The page to write.")]
