"""What loaders leave in a warehouse, read as the objects and fields of Salesforce; run on DuckDB's own tables."""

from __future__ import annotations

from typing import Any, cast

import ibis
import ibis.expr.types as ir
import pytest

from leadline.config import Settings, parse
from leadline.errors import SourceError
from leadline.warehouse.engine import Engine
from leadline.warehouse.mapping import known_at, mapped

FUNNEL = """
[[funnel.main.stages]]
name = "MQL"
from = [{ object = "Lead", field = "MQL_Date__c", stamp = true }]
"""
LEAD, OTHER = "00QD000000abcDEAAW", "00QD000000abcDFAAW"


class Tables:
    """The two methods of an engine that the mapping asks for, over tables made here."""

    def __init__(self, **statements: str) -> None:
        self.backend = ibis.duckdb.connect()
        self.backend.raw_sql("SET TimeZone = 'UTC'")
        self.made = tuple(statements)
        for name, query in statements.items():
            self.backend.raw_sql(f'CREATE TABLE "{name}" AS {query}')

    def raw(self) -> dict[str, ir.Table]:
        return {name: self.backend.table(name) for name in self.made}

    def view(self, name: str, expression: ir.Table) -> ir.Table:
        return cast(ir.Table, self.backend.create_table(name, expression))


def settings(more: str = "") -> Settings:
    return parse(f'[warehouse]\nengine = "postgres"\nurl = "postgresql://host/db"\nsource = "crm"\n{more}\n{FUNNEL}')


def read(tables: Tables, name: str, more: str = "", *, deleted: bool = False) -> list[dict[str, Any]]:
    """Rows of an object; only the columns that hold something."""
    source = mapped(cast(Engine, tables), settings(more)).source
    rows = source.with_deleted(name) if deleted else source.table(name)
    return held(tables, rows)


def held(tables: Tables, rows: ir.Table) -> list[dict[str, Any]]:
    found = tables.backend.to_pyarrow(rows.order_by("Id")).to_pylist()
    return [{key: value for key, value in row.items() if value is not None} for row in found]


@pytest.mark.parametrize(
    ("table", "columns"),
    [
        ("Lead", "Id, LastName, IsConverted, CreatedDate, MQL_Date__c"),
        ("lead", "id, last_name, is_converted, created_date, mql_date_c"),
        ("LEAD", "ID, LASTNAME, ISCONVERTED, CREATEDDATE, MQL_DATE__C"),
        ("lead", "id, last_name, is_converted, created_date, mql_date__c"),
    ],
    ids=["as Salesforce names them", "snake case", "capitals", "snake case of dlt"],
)
def test_styles_of_names(table: str, columns: str):
    values = f"'{LEAD}', 'One', true, TIMESTAMPTZ '2026-01-02 09:00:00+00', DATE '2026-01-10'"
    names = columns.split(", ")
    query = "SELECT " + ", ".join(f'{value} AS "{name}"' for value, name in zip(values.split(", "), names, strict=True))
    (row,) = read(Tables(**{table: query}), "Lead")
    assert {key: str(value) for key, value in row.items()} == {
        "Id": LEAD,
        "LastName": "One",
        "IsConverted": "True",
        "CreatedDate": "2026-01-02 09:00:00",
        "MQL_Date__c": "2026-01-10",
    }


def test_a_member_in_snake_case():
    query = f"SELECT '00vD000000abcDEAAW' AS id, '{LEAD}' AS lead_id, '' AS contact_id, true AS has_responded"
    (row,) = read(Tables(campaign_member=query), "CampaignMember")
    assert row == {"Id": "00vD000000abcDEAAW", "LeadId": LEAD, "HasResponded": True}


@pytest.mark.parametrize(
    ("mark", "gone"),
    [
        ("_fivetran_deleted", "true"),
        ("_ab_cdc_deleted_at", "TIMESTAMPTZ '2026-03-01 00:00:00+00'"),
        ("_sdc_deleted_at", "'2026-03-01T00:00:00Z'"),
    ],
)
def test_what_a_loader_marks_deleted_is_deleted(mark: str, gone: str):
    query = f"SELECT '{LEAD}' AS id, {gone} AS {mark} UNION ALL SELECT '{OTHER}', NULL"
    tables = Tables(lead=query)
    assert [row["Id"] for row in read(tables, "Lead")] == [OTHER]


def test_a_mark_and_salesforces_own_both_delete():
    query = (
        f"SELECT '{LEAD}' AS id, true AS is_deleted, false AS _fivetran_deleted UNION ALL SELECT '{OTHER}', false, true"
    )
    assert read(Tables(lead=query), "Lead") == []


@pytest.mark.parametrize(
    ("begin", "end", "open_end"),
    [
        ("_fivetran_start", "_fivetran_end", "TIMESTAMPTZ '9999-12-31 23:59:59.999+00'"),
        ("_dlt_valid_from", "_dlt_valid_to", "NULL"),
        ("dbt_valid_from", "dbt_valid_to", "NULL"),
    ],
)
def test_versions_of_records(begin: str, end: str, open_end: str):
    query = (
        f"SELECT '{LEAD}' AS id, 'Open' AS status, TIMESTAMPTZ '2026-01-01 00:00:00+00' AS {begin}, "
        f"TIMESTAMPTZ '2026-02-01 00:00:00+00' AS {end} "
        f"UNION ALL SELECT '{LEAD}', 'MQL', TIMESTAMPTZ '2026-02-01 00:00:00+00', {open_end}"
    )
    tables = Tables(lead=query)
    source = mapped(cast(Engine, tables), settings()).source
    assert [row["Status"] for row in held(tables, source.table("Lead"))] == ["MQL"]
    versions = source.versions("Lead")
    assert versions is not None
    found = sorted(
        (row["Status"], str(row["_valid_from"]), str(row.get("_valid_to"))) for row in held(tables, versions)
    )
    assert found == [
        ("MQL", "2026-02-01 00:00:00", "None"),
        ("Open", "2026-01-01 00:00:00", "2026-02-01 00:00:00"),
    ]


def test_ids_of_15_characters_become_those_of_18():
    """The letters at the end say which characters are capitals: D stands 4th of the first five, D and E last of the third."""
    query = (
        "SELECT '00QD000000abcDE' AS Id, '001000000000001' AS ConvertedAccountId UNION ALL SELECT '00QAAAAAZZZZZzz', ''"
    )
    assert read(Tables(Lead=query), "Lead") == [
        # Capitals by place, lowest first: 00QAA → 4+8+16 = 28 → "2"; AAAZZ → 31 → "5"; ZZZzz → 1+2+4 = 7 → "H".
        {"Id": "00QAAAAAZZZZZzz25H"},
        # 00QD0 → 4+8 = 12 → "M"; 00000 → 0 → "A"; abcDE → 8+16 = 24 → "Y".
        {"Id": "00QD000000abcDEMAY", "ConvertedAccountId": "001000000000001AAA"},
    ]


def test_a_table_of_texts_only():
    """A Data Export copied as it is: numbers, dates and truth values as text, nothing as an empty one."""
    query = (
        "SELECT '006D000000abcDEMAY' AS Id, '41000.50' AS Amount, '2026-03-01' AS CloseDate, 'true' AS IsWon, "
        "'2026-02-01T10:00:00.000Z' AS CreatedDate, '000000000000000AAA' AS AccountId, 'false' AS IsDeleted "
        "UNION ALL SELECT '006D000000abcDFMAY', '', '', 'false', '2026-02-01 10:00:00', '', 'true'"
    )
    rows = read(Tables(Opportunity=query), "Opportunity", deleted=True)
    assert [{key: str(value) for key, value in row.items()} for row in rows] == [
        {
            "Id": "006D000000abcDEMAY",
            "Amount": "41000.50000000",
            "CloseDate": "2026-03-01",
            "IsWon": "True",
            "CreatedDate": "2026-02-01 10:00:00",
            "IsDeleted": "False",
        },
        {"Id": "006D000000abcDFMAY", "IsWon": "False", "CreatedDate": "2026-02-01 10:00:00", "IsDeleted": "True"},
    ]


def test_other_names_by_the_settings():
    more = (
        '[warehouse.tables]\nLead = "crm_people"\n[warehouse.columns]\n"Lead.Status" = "stage"\n'
        '"Lead.MQL_Date__c" = "qualified"\n'
    )
    query = f"SELECT '{LEAD}' AS id, 'Open' AS stage, DATE '2026-01-10' AS qualified"
    (row,) = read(Tables(crm_people=query), "Lead", more)
    assert (row["Status"], str(row["MQL_Date__c"])) == ("Open", "2026-01-10")


def test_own_names_of_stamps():
    query = f"SELECT '{LEAD}' AS id, true AS gone UNION ALL SELECT '{OTHER}', false"
    more = 'deleted = "gone"\n'
    assert [row["Id"] for row in read(Tables(lead=query), "Lead", more)] == [OTHER]


@pytest.mark.parametrize(
    "column", ["_fivetran_synced", "_airbyte_extracted_at", "_airbyte_emitted_at", "_sdc_batched_at"]
)
def test_known_at_is_the_newest_loading(column: str):
    tables = Tables(
        lead=f"SELECT '{LEAD}' AS id, TIMESTAMPTZ '2026-04-01 06:00:00+00' AS {column}",
        account=f"SELECT '001D000000abcDEAAW' AS id, TIMESTAMPTZ '2026-04-02 08:00:00+02' AS {column}",
    )
    found = tables.backend.to_pyarrow(known_at(mapped(cast(Engine, tables), settings()))).to_pylist()
    assert str(found[0]["known_at"]) == "2026-04-02 06:00:00"


def test_without_a_loaders_time_the_newest_change_counts():
    tables = Tables(Lead=f"SELECT '{LEAD}' AS Id, TIMESTAMPTZ '2026-04-01 06:00:00+00' AS SystemModstamp")
    found = tables.backend.to_pyarrow(known_at(mapped(cast(Engine, tables), settings()))).to_pylist()
    assert str(found[0]["known_at"]) == "2026-04-01 06:00:00"


@pytest.mark.parametrize(
    ("tables", "more", "says"),
    [
        ({"things": "SELECT 1 AS id"}, "", "no table named after an object"),
        ({"lead": "SELECT 'a' AS name"}, "", "no column Id"),
        ({"lead": "SELECT 'a' AS id", "LE_AD": "SELECT 'a' AS id"}, "", "both named after Lead"),
        ({"lead": "SELECT 'a' AS id, 'b' AS last_name, 'c' AS lastname"}, "", "both named after LastName"),
        (
            {"lead": f"SELECT '{LEAD}' AS id UNION ALL SELECT '{OTHER}' UNION ALL SELECT '{LEAD}'"},
            "",
            "Lead holds 3 rows of 2 ids.*newest row of each id",
        ),
        ({"leads": "SELECT 'a' AS id"}, '[warehouse.tables]\nLead = "leed"', "did you mean|Did you mean"),
    ],
    ids=["none", "no id", "two tables", "two columns", "appended to", "unknown table"],
)
def test_faults_of_a_mapping_say_what_to_do(tables: dict[str, str], more: str, says: str):
    with pytest.raises(SourceError, match=says):
        mapped(cast(Engine, Tables(**tables)), settings(more))
