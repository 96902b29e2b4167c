"""Options of importing, of the config and of findings."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

Export = Annotated[
    list[Path],
    typer.Argument(
        metavar="PATH",
        help="A folder, a ZIP archive, or one CSV or Parquet file; several (the ZIPs of a weekly export) are one load.",
    ),
]
Folder = Annotated[Path | None, typer.Argument(metavar="DIR", help="Folder of the workspace; the same as --workspace.")]
Strict = Annotated[bool, typer.Option("--strict", help="End with exit code 3 if a finding has severity error.")]
NoBuild = Annotated[bool, typer.Option("--no-build", help="Only import; publish nothing.")]
Propose = Annotated[
    bool, typer.Option("--propose", help="Look at the imported data and propose stages, beside a config that exists.")
]
PrintSchema = Annotated[
    bool, typer.Option("--schema", help="Print the JSON schema of leadline.toml and do nothing else.")
]
FindingCode = Annotated[str | None, typer.Option("--list", metavar="CODE", help="The records of one finding.")]
FindingsBy = Annotated[
    Literal["owner", "campaign", "month", "written_by"] | None,
    typer.Option(
        "--by",
        help="Records and amount per owner, campaign, month of creation or writer; with --list of one finding only.",
        show_default=False,
    ),
]
Quick = Annotated[
    bool, typer.Option("--quick", help="Without measuring by how much each finding moves the headline numbers.")
]
AcceptedCode = Annotated[str, typer.Argument(metavar="CODE", help="The finding, as `leadline audit` names it.")]
Reason = Annotated[str, typer.Option(metavar="TEXT", help="Why it is accepted.")]
Until = Annotated[
    str,
    typer.Option(metavar="DATE", help="Last day: for loads after it the finding stands among the others again."),
]
