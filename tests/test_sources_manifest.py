"""What the manifest of an export says of its files, against the rows that were read."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from leadline.config import Settings
from leadline.errors import SourceError
from leadline.sources.files import stage
from leadline.sources.staged import StagedLoad
from tests.small_org import write_export

RIGHT = "file,rows\nLead.csv,5\nOpportunity.csv,2\n"


def staged(path: Path, work: Path) -> StagedLoad:
    return stage(path, Settings(), staging=work / "staging", rejected=work / "rejected")


def test_agreement_is_told_and_finds_nothing(tmp_path: Path) -> None:
    folder = write_export(tmp_path / "export")
    (folder / "manifest.csv").write_text(RIGHT)
    load = staged(folder, tmp_path)
    told = {one.file: one.notes for one in load.accounts}
    assert "5 rows, as the manifest says" in told["Lead.csv"]
    assert not any("manifest" in note for note in told["Contact.csv"])
    assert told["manifest.csv"] == ("states how many rows 2 files have",)
    assert [one.code for one in load.findings] == []


def test_other_counts_and_absent_files_are_errors(tmp_path: Path) -> None:
    archive = tmp_path / "export.zip"
    with zipfile.ZipFile(archive, "w") as packed:
        for path in write_export(tmp_path / "files").iterdir():
            packed.write(path, path.name)
        packed.writestr("manifest.csv", "\ufeffRows,File\r\n7,Lead.csv\r\n2,Opportunity.csv\r\n9,Task.csv\r\n\r\n")
    found = {one.message: (one.code, one.severity, one.object, one.rows) for one in staged(archive, tmp_path).findings}
    assert found == {
        "export.zip!Lead.csv has 5 rows; the manifest says 7.": ("row-count-differs", "error", "Lead", 2),
        "The manifest names export.zip!Task.csv with 9 rows; there is no such file.": (
            "row-count-differs",
            "error",
            "",
            9,
        ),
    }


def test_a_rejected_row_was_in_the_file(tmp_path: Path) -> None:
    folder = write_export(tmp_path / "export")
    with (folder / "Opportunity.csv").open("a") as file:
        file.write(
            "006000000000009AAA,001000000000001AAA,Odd,Proposal,much,false,false,2026-06-01,2026-02-03T10:00:00Z\n"
        )
    (folder / "manifest.csv").write_text("file,rows\nOpportunity.csv,3\n")
    load = staged(folder, tmp_path)
    assert {one.file: (one.loaded, one.rejected) for one in load.accounts}["Opportunity.csv"] == (2, 1)
    assert [one.code for one in load.findings] == ["rows-rejected"]


def test_a_file_of_other_columns_is_no_manifest(tmp_path: Path) -> None:
    folder = write_export(tmp_path / "export")
    (folder / "manifest.csv").write_text("name,size\nLead.csv,5\n")
    (note,) = next(one for one in staged(folder, tmp_path).accounts if one.file == "manifest.csv").notes
    assert note.startswith("passed over")


@pytest.mark.parametrize("line", ["Lead.csv,many", "Lead.csv,-5", "Lead.csv", ",5", "Lead.csv,5.5", "Lead.csv,²"])
def test_a_line_without_a_whole_number_is_refused(tmp_path: Path, line: str) -> None:
    folder = write_export(tmp_path / "export")
    (folder / "manifest.csv").write_text(f"file,rows\n{line}\n")
    with pytest.raises(SourceError, match=r"manifest\.csv, line 2"):
        staged(folder, tmp_path)
