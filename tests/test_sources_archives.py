"""Folders, archives, weekly exports: what is read, what is passed over, what is refused."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import pytest

from leadline.errors import SourceError
from leadline.sources import archives
from leadline.sources.archives import in_order, list_files
from tests.sources_kit import folder, staged, table

LEADS = table("Id,CreatedDate", "1,2024-01-01T10:00:00Z", "2,2024-01-02T10:00:00Z")


def zipped(path: Path, **entries: str) -> Path:
    """An archive; `__` in a name stands for a slash, a name without a dot gets `.csv`."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in entries.items():
            archive.writestr((name if "." in name else f"{name}.csv").replace("__", "/"), content)
    return path


def test_files_lie_in_natural_order():
    assert sorted(["WE_10.zip", "WE_9.zip", "we_1.zip"], key=in_order) == ["we_1.zip", "WE_9.zip", "WE_10.zip"]


def test_a_folder_says_what_it_passes_over(tmp_path: Path):
    path = folder(tmp_path, Lead=LEADS, Invoice=table("Id,Total", "1,5", "2,6"), **{"notes.txt": "x", ".hidden": "x"})
    (path / "more").mkdir()
    zipped(path / "rest.zip", Contact=table("Id,Email", "1,a"), Documents__x=LEADS)
    made = staged(path)
    assert {account.file: (account.object, account.rows) for account in made.load.accounts} == {
        "Invoice.csv": (None, 2),
        "Lead.csv": ("Lead", 2),
        "rest.zip!Contact.csv": ("Contact", 1),
        "more/": (None, 0),
        "notes.txt": (None, 0),
        "rest.zip!Documents/": (None, 0),
    }
    assert "passed over: no object is called like this" in made.account("Invoice.csv").notes[0]
    assert made.load.coverage == "full"


def test_a_single_file_is_partial_and_an_archive_full(tmp_path: Path):
    single = folder(tmp_path, Lead=LEADS) / "Lead.csv"
    assert staged(single).load.coverage == "partial"
    assert staged(single, coverage="full").load.coverage == "full"
    archive = zipped(tmp_path / "all.ZIP", Lead=LEADS)
    assert staged(archive).load.coverage == "full"
    assert staged(archive, coverage="partial").load.coverage == "partial"


def weekly(tmp_path: Path, shared_salesforce: Path) -> Path:
    """A weekly export by its conventions: two parts, every cell quoted, one object over both."""
    facts = json.loads(shared_salesforce.read_text())
    header = facts["objects"]["OpportunityHistory"]["columns"]
    row = dict.fromkeys(header, "") | {
        "Id": "008bm00000UoqOjAAJ",
        "OpportunityId": "006bm00000LKJNN",
        "CreatedDate": "2023-09-01 10:00:00",
        "SystemModstamp": "2023-09-02 11:30:00",
        "CloseDate": "2023-10-01 00:00:00",
        "Amount": "9225.225",
        "Probability": "100",
        "IsDeleted": "0",
        "CurrencyIsoCode": "000",
        "ValidThroughDate": "2023-09-02 11:30:00",
    }
    quoted = [",".join(f'"{value}"' for value in values) for values in (header, row.values())]
    members = '"Id","LeadId","HasResponded"\n"00v2100000AmXb2AAF","000000000000000AAA","1"\n'
    path = tmp_path / "week"
    path.mkdir()
    zipped(
        path / "WE_00D000000000001EAA_1.ZIP",
        OpportunityHistory=table(*quoted),
        CampaignMember=members,
        Attachment=LEADS,
    )
    more = members.replace("AmXb2AAF", "AmXb7AAF")
    zipped(path / "WE_00D000000000001EAA_2.ZIP", CampaignMember=more, Lead='"Id","Name"\n', ContentVersion__068="x")
    return path


def test_a_weekly_export(tmp_path: Path, shared_data: Path):
    path = weekly(tmp_path, shared_data.parent / "salesforce" / "weekly_export.json")
    made = staged(path)
    assert str(made.load.extracted_at) == "2023-09-02 11:30:00+00:00"
    assert made.query("OpportunityHistory", "OpportunityId, CAST(CloseDate AS VARCHAR), CAST(Amount AS VARCHAR)") == [
        ("006bm00000LKJNNAA5", "2023-10-01", "9225.22500000")
    ]
    assert made.query("OpportunityHistory", "IsDeleted, CurrencyIsoCode, ValidThroughDate") == [
        (False, None, "2023-09-02T11:30:00Z")
    ]
    assert made.query("CampaignMember", "Id, LeadId, HasResponded") == [
        ("00v2100000AmXb2AAF", None, True), ("00v2100000AmXb7AAF", None, True),
    ]  # fmt: skip
    assert (made.object("Lead").rows, list(made.object("Lead").columns)) == (0, ["Id", "Name", "_date_only"])
    assert made.query("Lead") == []
    assert made.load.findings == ()
    for number in (1, 2):
        zipped(path / f"WE_00D000000000001EAA_{number}.ZIP", Contact=table("Id", f"{number}"))
    zipped(path / "WE_00D000000000001EAA_4.ZIP", Contact=table("Id,CreatedDate", "4,2024-01-01T00:00:00Z"))
    (finding,) = staged(path).load.findings
    assert (finding.code, finding.severity) == ("export-part-missing", "error")
    assert "WE_00D000000000001EAA_3.ZIP" in finding.message
    zipped(path / "WE_00D000000000002EAA_1.ZIP", Contact=table("Id", "9"))
    with pytest.raises(SourceError, match="several orgs"):
        staged(path)


def test_the_parts_of_an_export_are_one_load_whatever_their_order(tmp_path: Path, shared_data: Path):
    path = weekly(tmp_path, shared_data.parent / "salesforce" / "weekly_export.json")
    parts = sorted(path.iterdir(), reverse=True)
    whole, made = staged(path), staged(parts)
    assert [one.file for one in made.load.accounts] == [one.file for one in whole.load.accounts]
    assert [(one.object, one.rows) for one in made.load.objects] == [
        (one.object, one.rows) for one in whole.load.objects
    ]
    assert (made.load.coverage, made.load.findings) == ("full", ())
    assert made.load.name == "WE_00D000000000001EAA_2.ZIP, WE_00D000000000001EAA_1.ZIP"
    (finding,) = staged(parts[:1], extracted_at=made.load.extracted_at).load.findings
    assert "WE_00D000000000001EAA_1.ZIP" in finding.message


def test_several_paths_with_a_single_file_are_partial(tmp_path: Path):
    archive = zipped(tmp_path / "a.zip", Lead=LEADS)
    single = folder(tmp_path, Contact=LEADS) / "Contact.csv"
    made = staged([archive, single])
    assert made.load.coverage == "partial"
    assert [one.object for one in made.load.objects] == ["Contact", "Lead"]
    with pytest.raises(SourceError, match="twice"):
        staged([single, single])
    again = tmp_path / "other"
    again.mkdir()
    (again / "Contact.csv").write_text(LEADS)
    with pytest.raises(SourceError, match=r"a file Contact\.csv"):
        staged([single, again])


def test_an_archive_of_one_folder_is_that_folder(tmp_path: Path):
    archive = zipped(tmp_path / "mac.zip", **{"export__Lead.csv": LEADS, "__MACOSX__export__._Lead.csv": "x"})
    with zipfile.ZipFile(archive, "a") as more:
        more.writestr("__MACOSX/export/._Lead.csv", "x")
    assert [file.name for file in list_files(archive).files] == ["mac.zip!export/Lead.csv"]


def test_entries_never_leave_the_archive(tmp_path: Path):
    archive = zipped(tmp_path / "evil.zip", Lead=LEADS, **{"..__..__Contact.csv": LEADS, "__etc__Account.csv": LEADS})
    before = sorted(tmp_path.parent.iterdir())
    made = staged(archive)
    assert [one.object for one in made.load.objects] == ["Lead"]
    assert sorted(tmp_path.parent.iterdir()) == before


def test_what_unpacks_beyond_reason_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    archive = zipped(tmp_path / "bomb.zip", Lead="Id\n" + "0" * 2_000_000)
    assert list_files(archive).files
    monkeypatch.setattr(archives, "SMALL", 1_000_000)
    with pytest.raises(SourceError, match=r"entry Lead.csv would unpack from [\d,]+ to 2,000,003 bytes"):
        list_files(archive)


def test_a_damaged_or_locked_archive_is_refused(tmp_path: Path):
    archive = zipped(tmp_path / "a.zip", Lead=LEADS * 100)
    data = bytearray(archive.read_bytes())
    data[60] ^= 0xFF
    archive.write_bytes(data)
    with pytest.raises(SourceError, match=r"a.zip!Lead.csv cannot be unpacked"):
        staged(archive)
    (tmp_path / "b.zip").write_bytes(b"PK\x03\x04 nothing")
    with pytest.raises(SourceError, match="no readable ZIP"):
        staged(tmp_path / "b.zip")
    data = bytearray(zipped(tmp_path / "c.zip", Lead=LEADS).read_bytes())
    data[6] |= 1
    data[data.index(b"PK\x01\x02") + 8] |= 1
    (tmp_path / "c.zip").write_bytes(data)
    with pytest.raises(SourceError, match=r"cannot be unpacked: .*encrypted"):
        staged(tmp_path / "c.zip")


def test_entries_of_the_same_name_are_parts_of_one_object(tmp_path: Path):
    path = tmp_path / "twice.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("Lead.csv", LEADS)
        with pytest.warns(UserWarning, match="Duplicate name"):
            archive.writestr("Lead.csv", LEADS.replace("\n1,", "\n3,").replace("\n2,", "\n4,"))
    assert staged(path).values("Lead", "Id") == ["1", "2", "3", "4"]


def test_what_is_not_there_or_no_text_is_refused(tmp_path: Path):
    with pytest.raises(SourceError, match="no file or folder"):
        staged(tmp_path / "nowhere")
    (tmp_path / "Lead.xls").write_bytes(b"\xd0\xcf\x11\xe0")
    with pytest.raises(SourceError, match="a spreadsheet"):
        staged(tmp_path / "Lead.xls")


def test_nothing_recognised_is_refused_with_the_map(tmp_path: Path):
    path = folder(
        tmp_path, sales_pipeline=table("opportunity_id,stage", "1,Won"), accounts=table("account,sector", "x,y")
    )
    with pytest.raises(
        SourceError, match=r"Nothing in .* is recognised.*sales_pipeline.csv.*\[files.\"accounts.csv\"\]"
    ):
        staged(path)
    with pytest.raises(SourceError, match="Nothing in"):
        staged(folder(tmp_path / "sub", Lead=""))


@pytest.fixture(autouse=True)
def _sub(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
