"""Names of files and columns → objects and fields."""

from __future__ import annotations

from pathlib import Path

import pytest

from leadline.config import FileMap
from leadline.errors import SourceError
from leadline.sources.naming import map_of, name_columns, object_of
from tests.sources_kit import folder, staged, table


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Lead.csv", "Lead"),
        ("leads.CSV", "Lead"),
        ("Opportunitys.csv", "Opportunity"),
        ("opportunities.csv", "Opportunity"),
        ("campaign_member.csv", "CampaignMember"),
        ("Campaign Members.csv", "CampaignMember"),
        ("CAMPAIGNMEMBERSTATUS.csv", "CampaignMemberStatus"),
        ("CampaignMemberStatuses.csv", "CampaignMemberStatus"),
        ("LeadHistories.parquet", "LeadHistory"),
        ("Contact_2.csv", "Contact"),
        ("Contact-12.csv", "Contact"),
        ("Contact (1).csv", "Contact"),
        ("Account", "Account"),
        ("LeadStatus.csv", "LeadStatus"),
        ("sales_pipeline.csv", None),
        ("Leader.csv", None),
        ("LeadExtract.csv", None),
        (".csv", None),
    ],
)
def test_files_are_named_after_objects(name: str, expected: str | None):
    assert object_of(name) == expected


def fields(object_name: str, header: list[str], **options) -> dict[str, str]:
    """Field → the file's column it comes from."""
    file_map = FileMap(object=object_name, **options) if options else None
    naming = name_columns(object_name, header, file_map, f"{object_name}.csv")
    return {
        name: "+".join(header[index] for index in column.sources) or f"={column.constant}"
        for name, column in naming.columns.items()
    }


def notes(object_name: str, header: list[str]) -> str:
    return "; ".join(name_columns(object_name, header, None, "x.csv").notes)


@pytest.mark.parametrize("spelling", ["campaign_id", "CampaignId", "CAMPAIGNID", "Campaign_Id", "campaignid"])
def test_fields_match_without_case_and_underscores(spelling: str):
    assert fields("CampaignMember", ["id", spelling]) == {"Id": "id", "CampaignId": spelling}


@pytest.mark.parametrize(
    "spelling",
    ["Campaign.extId__c", "Campaign__r.extId__c", "Campaign.Id", "Campaign__r.External_Id__c", "CAMPAIGN.ID"],
)
def test_relations_are_ids_of_what_they_point_at(spelling: str):
    header = ["Id", spelling, "Campaign.Name"]
    assert fields("CampaignMember", header) == {"Id": "Id", "CampaignId": spelling, "Campaign.Name": "Campaign.Name"}
    assert f"{spelling!r} is read as CampaignId" in notes("CampaignMember", header)


def test_a_lookup_that_is_there_is_not_replaced():
    header = ["Id", "CampaignId", "Campaign.extId__c"]
    assert fields("CampaignMember", header)["CampaignId"] == "CampaignId"
    assert fields("CampaignMember", header)["Campaign.extId__c"] == "Campaign.extId__c"


def test_an_external_id_is_the_id_where_there_is_none():
    assert fields("Lead", ["extId__c", "Name"])["Id"] == "extId__c"
    assert "'extId__c' is read as Id" in notes("Lead", ["extId__c"])
    assert fields("Lead", ["Id", "extId__c"]) == {"Id": "Id", "extId__c": "extId__c"}


def test_a_custom_column_stands_for_the_standard_one_that_is_absent():
    header = ["Id", "Role__c", "IsPrimary__c", "Colour__c"]
    assert fields("OpportunityContactRole", header) == {
        "Id": "Id", "IsPrimary": "IsPrimary__c", "Role": "Role__c", "Colour__c": "Colour__c",
    }  # fmt: skip
    assert "'Role__c' is read as Role" in notes("OpportunityContactRole", header)
    both = fields("OpportunityContactRole", ["Id", "Role", "Role__c"])
    assert both == {"Id": "Id", "Role": "Role", "Role__c": "Role__c"}


def test_fields_come_first_in_the_order_of_the_object():
    assert list(fields("Opportunity", ["Zeta", "amount", "Alpha", "Name", "ID"])) == [
        "Id",
        "Name",
        "Amount",
        "Zeta",
        "Alpha",
    ]


def test_two_columns_for_one_field_are_refused():
    with pytest.raises(SourceError, match="'campaign_id' and 'CampaignId' would both be CampaignId"):
        fields("CampaignMember", ["Id", "campaign_id", "CampaignId"])
    with pytest.raises(SourceError, match=r"two columns 'Email'.*first.*\"Email_2\" for the second"):
        fields("Lead", ["Id", "Email", "Email"])
    assert fields("Lead", ["Id", "Email", "Email"], columns={"Email": "Email_2"})["Email"] == "Email"


def test_a_repeated_unknown_column_gets_a_number_and_is_said():
    header = ["Id", "Colour", "colour", "", ""]
    assert list(fields("Lead", header)) == ["Id", "Colour", "colour_2", "column_4", "column_5"]
    assert "column 3 is called 'colour_2': the header has 'colour' twice" in notes("Lead", header)
    assert "column 4 is called 'column_4': it has no name" in notes("Lead", header)


def test_names_with_a_meaning_of_their_own_are_not_taken():
    header = ["Id", "_date_only", "_dlt_id", "_valid_from"]
    assert list(fields("Lead", header)) == ["Id", "date_only_2", "dlt_id_2", "valid_from_2"]


def test_a_map_names_columns():
    columns = {"Id": "Opportunity ID", "amount": "Value", "Segment__c": "Segment", "Name": "Account"}
    header = ["Opportunity ID", "Value", "Segment", "Account", "Amount", "Stage Name"]
    assert fields("Opportunity", header, columns=columns, constants={"StageName": "Won"}) == {
        "Id": "Opportunity ID",
        "Name": "Account",
        "StageName": "=Won",
        "Amount": "Value",
        "Segment__c": "Segment",
        "Account": "Account",
        "Amount_2": "Amount",
        "Stage Name": "Stage Name",
    }


def test_a_map_may_join_columns_to_an_id():
    columns = {"Id": "campaign + person"}
    assert fields("CampaignMember", ["campaign", "person"], columns=columns) == {"Id": "campaign+person"}


def test_a_map_to_a_column_that_is_not_there_is_refused():
    with pytest.raises(SourceError, match=r"no column 'Valeu'.*Amount.*Did you mean 'Value'"):
        fields("Opportunity", ["Id", "Value"], columns={"Amount": "Valeu"})
    with pytest.raises(SourceError, match="no column 'a\\+b'"):
        fields("Opportunity", ["a", "c"], columns={"Id": "a+b"})


def test_a_file_without_id_is_refused_with_the_option():
    with pytest.raises(SourceError, match=r"no column Id.*\[files.\"Lead.csv\"\].*columns = \{ Id = "):
        fields("Lead", ["Name", "Email"])


def test_maps_are_found_without_regard_to_case():
    file_map = FileMap(object="Lead")
    assert map_of("Sales.CSV", {"sales.csv": file_map}) is file_map
    assert map_of("sales2.csv", {"sales.csv": file_map}) is None


def test_values_and_constants_of_a_map_are_stored(tmp_path: Path):
    files = {
        "deals.csv": {
            "object": "Opportunity",
            "columns": {"Id": "deal + part", "StageName": "stage", "Amount": "value", "IsWon": "stage"},
            "values": {"StageName": {"W": "Closed Won", "": "Unknown"}, "IsWon": {"W": "true", "L": "false", "": "0"}},
            "constants": {"CurrencyIsoCode": "EUR", "CloseDate": "2024-03-01", "Region": "North"},
            "delimiter": ";",
            "encoding": "cp1252",
            "date_order": "dmy",
        }
    }
    content = table("deal;part;stage;value;signed", "1;a;W;5;24.12.2023", "1;b;L;;", ";;W;1;", "2;;;7;1.2.2024")
    made = staged(folder(tmp_path, **{"deals.csv": content}), {"files": files})
    assert made.query(
        "Opportunity", "Id, StageName, IsWon, CurrencyIsoCode, CAST(CloseDate AS VARCHAR), Region, signed"
    ) == [
        ("1+a", "Closed Won", True, "EUR", "2024-03-01", "North", "2023-12-24"),
        ("1+b", "L", False, "EUR", "2024-03-01", "North", None),
        ("2+", "Unknown", False, "EUR", "2024-03-01", "North", "2024-02-01"),
    ]
    assert [one["reason"] for one in made.rejects("deals.csv")] == ["no Id"]


def test_a_constant_that_is_wrong_rejects_every_row(tmp_path: Path):
    files = {"deals.csv": {"object": "Opportunity", "constants": {"CloseDate": "soon"}}}
    path = folder(tmp_path, **{"deals.csv": table("Id,CreatedDate", "1,2024-01-01", "2,2024-01-02")})
    with pytest.raises(
        SourceError, match=r"Every row .* rejected.*2 rows rejected: CloseDate is no date \(2\)"
    ) as caught:
        staged(path, {"files": files})
    (kept,) = tmp_path.glob("**/rejected/deals.csv")
    assert str(kept) in str(caught.value)
    assert "2,CloseDate,'soon' is no date,\"1,2024-01-01\"" in kept.read_text()


def test_labels_stand_for_their_fields():
    header = [
        "Lead ID",
        "Created Date",
        "Lead Source",
        "Converted",
        "Lead Status",
        "Converted Opportunity ID",
        "Region",
    ]
    assert fields("Lead", header) == {
        "Id": "Lead ID",
        "CreatedDate": "Created Date",
        "LeadSource": "Lead Source",
        "IsConverted": "Converted",
        "Status": "Lead Status",
        "ConvertedOpportunityId": "Converted Opportunity ID",
        "Region": "Region",
    }
    assert "'Lead ID' is read as Id, whose label it is" in notes("Lead", header)


@pytest.mark.parametrize("column", ["Closed", "Is Closed", "closed"])
def test_a_flag_is_known_by_its_short_label(column: str):
    assert fields("Opportunity", ["Opportunity ID", column]) == {"Id": "Opportunity ID", "IsClosed": column}


def test_a_name_comes_before_a_label_and_custom_fields_have_none():
    header = ["Id", "StageName", "Stage", "Account ID", "Closed__c"]
    assert fields("Opportunity", header)["StageName"] == "StageName"
    assert fields("Opportunity", header)["AccountId"] == "Account ID"
    assert fields("Opportunity", header)["Stage"] == "Stage"
    assert fields("Opportunity", ["Id", "Won Date__c"])["Won Date__c"] == "Won Date__c"


def test_two_labels_of_one_field_are_left_and_told():
    header = ["Id", "Lead Source", "lead-source"]
    assert "LeadSource" not in fields("Lead", header)
    assert "'Lead Source' and 'lead-source' could both be LeadSource: neither is read as it" in notes("Lead", header)


def test_a_file_of_other_columns_is_named_with_its_reason(tmp_path: Path):
    path = folder(tmp_path, Lead='"Name it,Other"\n"a,b"\n')
    with pytest.raises(
        SourceError, match=r"Lead\.csv is named after Lead, but none .*its only column is 'Name it,Other'"
    ):
        staged(path)


def test_the_end_of_an_objects_name_stands_for_it():
    header = ["Line Item ID", "Opportunity ID", "Product ID", "Total Price"]
    assert fields("OpportunityLineItem", header)["Id"] == "Line Item ID"
    assert fields("OpportunityLineItem", header)["OpportunityId"] == "Opportunity ID"
    assert fields("CampaignMember", ["Member ID", "Member Status", "Campaign ID", "Responded"]) == {
        "Id": "Member ID",
        "Status": "Member Status",
        "CampaignId": "Campaign ID",
        "HasResponded": "Responded",
    }
