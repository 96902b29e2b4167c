"""Text → typed values: exact, counted, and rejected with line, column and reason where wrong."""

from __future__ import annotations

import datetime as dt
import random
from decimal import ROUND_HALF_EVEN, Decimal
from pathlib import Path
from typing import Literal

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from leadline.config import FileMap, Settings
from leadline.errors import AmbiguousDatesError, SourceError
from leadline.sources import dates_in
from tests.scale import scaled
from tests.sources_kit import Staged, folder, staged, table

STAMP = dt.datetime(2024, 1, 1, tzinfo=dt.UTC)


def column(tmp_path: Path, name: str, values: list[str], object_name: str = "Opportunity", **options) -> Staged:
    """A file of an object with one column of values, each quoted."""
    quoted = ('"' + value.replace('"', '""') + '"' for value in values)
    rows = [f"{number},{value}" for number, value in enumerate(quoted)]
    options.setdefault("extracted_at", STAMP)
    return staged(folder(tmp_path, **{object_name: table(f"Id,{name}", *rows)}), **options)


def read_as(tmp_path: Path, name: str, values: list[str], object_name: str = "Opportunity", **options) -> list:
    """The typed values; rejected rows are missing."""
    return column(tmp_path, name, values, object_name, **options).values(object_name, name)


def wrong(tmp_path: Path, name: str, values: list[str], object_name: str = "Opportunity", **options) -> list[str]:
    """The values that are rejected."""
    made = column(tmp_path, name, values, object_name, **options)
    file = f"{object_name}.csv"
    if made.account(file).rejected == 0:
        return []
    for reject in made.rejects(file):
        assert reject["column"] == name
        assert values[int(reject["line"]) - 2] in reject["reason"]
        assert reject["text"].startswith(f"{int(reject['line']) - 2},")
    return [values[int(reject["line"]) - 2] for reject in made.rejects(file)]


def at(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text)


def test_ids_become_eighteen_characters(tmp_path: Path):
    ids = {
        "0012100000qB0kq": "0012100000qB0kqAAC",
        "006bm00000LKJNN": "006bm00000LKJNNAA5",
        "0032100000qiBg9": "0032100000qiBg9AAE",
        "00v2100000AmXb2": "00v2100000AmXb2AAF",
        "0012100000qB0kqAAC": "0012100000qB0kqAAC",
        " 0012100000qB0kq ": "0012100000qB0kqAAC",
        "000000000000000AAA": None,
        "000000000000000": None,
        "  ": None,
        "": None,
        "1248": "1248",
        "a-15-char-key-x": "a-15-char-key-x",
        "ACC-2024-000123": "ACC-2024-000123",
    }
    assert read_as(tmp_path, "AccountId", list(ids)) == list(ids.values())


def suffix(short: str) -> str:
    """The three check characters of a 15-character id, as the platform documents them."""
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"
    blocks = [short[start : start + 5] for start in (0, 5, 10)]
    return "".join(letters[sum(1 << place for place, one in enumerate(block) if one.isupper())] for block in blocks)


def test_the_check_characters_of_random_ids(tmp_path: Path):
    rng = random.Random(3)
    alphabet = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
    short = ["".join(rng.choice(alphabet) for _ in range(15)) for _ in range(scaled(2000))]
    assert read_as(tmp_path, "AccountId", short) == [one + suffix(one) for one in short]


def test_booleans(tmp_path: Path):
    assert read_as(tmp_path, "IsWon", ["1", "0", "true", "FALSE", "True", " false ", "", "tRuE"]) == [
        True, False, True, False, True, False, None, True,
    ]  # fmt: skip
    assert wrong(tmp_path, "IsWon", ["1", "yes", "t", "2", "0"]) == ["yes", "t", "2"]


def test_integers(tmp_path: Path):
    good = {"1": 1, "-5": -5, "1000.0": 1000, "1,234": 1234, "1.2E3": 1200, "1 234 567": 1234567, "+7": 7, "": None}
    assert read_as(tmp_path, "PushCount", list(good)) == list(good.values())
    assert read_as(tmp_path, "PushCount", ["5.000", "1.234.567"]) == [5000, 1234567]
    bad = ["1.5", "5.000", "abc", "1_000", "0x1F", "9223372036854775808", "1e30", "inf"]
    assert wrong(tmp_path, "PushCount", ["7", *bad]) == bad


def test_numbers(tmp_path: Path):
    good = {
        "50": 50.0,
        "0.1": 0.1,
        "12.5%": 12.5,
        "1E-3": 0.001,
        "1,234.5": 1234.5,
        "123456789.123456789": 123456789.123456789,
    }
    assert read_as(tmp_path, "Probability", list(good)) == list(good.values())
    assert wrong(tmp_path, "Probability", ["1", "nan", "inf", "1,2,3", "--1", "1.2.3"]) == [
        "nan", "inf", "1,2,3", "--1", "1.2.3",
    ]  # fmt: skip


def test_money_keeps_every_digit(tmp_path: Path):
    good = {
        "9225.225": "9225.225",
        "0.1": "0.1",
        "-0.00000001": "-0.00000001",
        "12345678901234567890.12345678": "12345678901234567890.12345678",
        "1.5E7": "15000000",
        "1E5": "100000",
        "25E-2": "0.25",
        "1,234,567.89": "1234567.89",
        "1,23,456.00": "123456",
        "USD 1,234.50": "1234.5",
        "1,234.50 USD": "1234.5",
        "-$5": "-5",
        "($1,234.50)": "-1234.5",
        "1'234.50": "1234.5",
        "1\u00a0234.50": "1234.5",
        ".5": "0.5",
        "5.": "5",
        "": None,
    }
    expected = [None if value is None else Decimal(value) for value in good.values()]
    assert read_as(tmp_path, "Amount", list(good)) == expected


def test_money_that_cannot_be_read_is_rejected(tmp_path: Path):
    bad = ["abc", "1,2,3", "1.2.3", "(5", "- 5 -", "123456789012345678901", "1E25", "USD", "USD 5 EUR"]
    assert wrong(tmp_path, "Amount", ["1", *bad]) == bad
    made = column(tmp_path, "Amount", ["123456789012345678901", "1"])
    assert "too large" in made.rejects("Opportunity.csv")[0]["reason"]


def test_more_than_eight_decimals_are_rounded_half_to_even_and_said(tmp_path: Path):
    rng = random.Random(11)
    values = [
        "1.123456785",
        "1.123456775",
        "-1.123456785",
        "-2.5E-9",
        "7.5E-9",
        "0.000000005",
        "1.1234567850000000001",
        "3",
    ]
    for _ in range(scaled(500)):
        digits = "".join(rng.choice("0123456789") for _ in range(rng.randrange(1, 25)))
        values.append(f"{rng.choice(['', '-'])}{rng.randrange(10**6)}.{digits}{rng.choice(['', '5', '50', '0'])}")
    made = column(tmp_path, "Amount", values)
    exact = [Decimal(value) for value in values]
    rounded = [value.quantize(Decimal("1e-8"), ROUND_HALF_EVEN) for value in exact]
    assert made.values("Opportunity", "Amount") == rounded
    count = sum(old != new for old, new in zip(exact, rounded, strict=True))
    assert f"{count:,} values of Amount had more decimals" in " ".join(made.account("Opportunity.csv").notes)


def test_a_decimal_comma_is_read_where_the_column_proves_it(tmp_path: Path):
    made = column(tmp_path, "Amount", ["1.234,50", "12,5", "1.234", "1,234", "7", "EUR 1.234.567,89"])
    assert made.values("Opportunity", "Amount") == [
        Decimal(value) for value in ("1234.50", "12.5", "1234", "1.234", "7", "1234567.89")
    ]
    assert "decimal comma: Amount" in " ".join(made.account("Opportunity.csv").notes)


def test_a_decimal_comma_among_decimal_points_is_rejected(tmp_path: Path):
    values = ["1.5", "1.234,50", "12,5", "2,500", "3"]
    assert wrong(tmp_path, "Amount", values) == ["1.234,50", "12,5"]
    assert read_as(tmp_path, "Amount", values) == [Decimal("1.5"), Decimal(2500), Decimal(3)]


def declared(mark: Literal[",", "."], name: str = "Opportunity.csv") -> Settings:
    return Settings(files={name: FileMap(object="Lead" if name == "Lead.csv" else "Opportunity", decimal=mark)})


def test_a_declared_decimal_comma_is_no_question(tmp_path: Path):
    values = ["1.234", "1.234,56", "7", "12,5", "12.5", "1,234.56", "EUR 1.234.567", ""]
    comma = declared(",")
    assert read_as(tmp_path, "Amount", values, settings=comma) == [
        Decimal(value) if value else None for value in ("1234", "1234.56", "7", "12.5", "1234567", "")
    ]
    made = column(tmp_path, "Amount", values, settings=comma)
    assert [one["reason"] for one in made.rejects("Opportunity.csv")] == [
        "'12.5' is no number with a decimal comma",
        "'1,234.56' is no number with a decimal comma",
    ]
    lead = declared(",", "Lead.csv")
    assert read_as(tmp_path, "NumberOfEmployees", ["1.500", "2,5", "3,0"], "Lead", settings=lead) == [1500, 3]


def test_a_declared_decimal_point_settles_what_a_comma_would_leave_open(tmp_path: Path):
    point = declared(".")
    assert read_as(tmp_path, "Amount", ["12,5", "1.5", "1,234"], settings=point) == [Decimal("1.5"), Decimal(1234)]
    assert wrong(tmp_path, "NumberOfEmployees", ["2.000", "2024"], "Lead") == ["2.000"]
    lead = declared(".", "Lead.csv")
    assert read_as(tmp_path, "NumberOfEmployees", ["2.000", "2,024", "2.5"], "Lead", settings=lead) == [2, 2024]


def test_a_declared_mark_holds_for_its_file_alone(tmp_path: Path):
    first, second = table("Id,Amount", "1,1.234"), table("Id,Amount", "2,1.234")
    files = folder(tmp_path, Opportunity_1=first, Opportunity_2=second)
    made = staged(files, extracted_at=STAMP, settings=declared(",", "Opportunity_1.csv"))
    assert made.values("Opportunity", "Amount") == [Decimal(1234), Decimal("1.234")]


def test_parquet_has_no_decimal_mark_to_declare(tmp_path: Path):
    place = folder(tmp_path)
    pq.write_table(pa.table({"Id": ["1"], "Amount": ["1,5"]}), place / "deals.parquet")
    with pytest.raises(SourceError, match="no decimal mark"):
        staged(place, extracted_at=STAMP, settings=declared(",", "deals.parquet"))


def test_the_decimal_mark_is_one_for_all_files_of_an_object(tmp_path: Path):
    first, second = table("Id,Amount", "1,2.500"), table("Id,Amount", '2,"1,5"')
    made = staged(folder(tmp_path, Opportunity_1=first, Opportunity_2=second), extracted_at=STAMP)
    assert made.values("Opportunity", "Amount") == [Decimal(2500), Decimal("1.5")]


def test_currency_codes_beside_amounts_become_the_currency(tmp_path: Path):
    made = column(tmp_path, "Amount", ["USD 1,234.50", "EUR 5", "7"])
    assert made.query("Opportunity", "Amount, CurrencyIsoCode") == [
        (Decimal("1234.5"), "USD"), (Decimal(5), "EUR"), (Decimal(7), None),
    ]  # fmt: skip
    assert made.object("Opportunity").columns["CurrencyIsoCode"] == "text"


def test_a_currency_code_that_contradicts_the_record_is_rejected(tmp_path: Path):
    rows = table("Id,Amount,CurrencyIsoCode", "1,USD 5,USD", "2,USD 5,EUR", "3,EUR 5,", "4,5,000")
    made = staged(folder(tmp_path, Opportunity=rows), extracted_at=STAMP)
    assert made.query("Opportunity", "Id, CurrencyIsoCode") == [("1", "USD"), ("3", None), ("4", None)]
    (reject,) = made.rejects("Opportunity.csv")
    assert (reject["line"], "another currency" in reject["reason"]) == ("3", True)


def test_several_currency_signs_in_one_column_are_refused(tmp_path: Path):
    with pytest.raises(SourceError, match="several currency signs"):
        column(tmp_path, "Amount", ["$5", "€5"])


def test_rates_keep_twelve_decimals(tmp_path: Path):
    assert read_as(tmp_path, "ConversionRate", ["0.123456789012", "1"], "CurrencyType") == [
        Decimal("0.123456789012"), Decimal(1),
    ]  # fmt: skip


INSTANTS = {
    "2020-05-21T17:39:24.000+0000": "2020-05-21T17:39:24",
    "2020-05-21T17:39:24.123+0000": "2020-05-21T17:39:24.123000",
    "2020-05-21T17:39:24Z": "2020-05-21T17:39:24",
    "2020-05-21T17:39:24.5Z": "2020-05-21T17:39:24.500000",
    "2020-05-21T17:39:24+02:00": "2020-05-21T15:39:24",
    "2020-05-21T17:39:24-0530": "2020-05-21T23:09:24",
    "2020-05-21 17:39:24": "2020-05-21T17:39:24",
    "2020-05-21 17:39": "2020-05-21T17:39:00",
    "2020/05/21 17:39": "2020-05-21T17:39:00",
    "2020-05-21": "2020-05-21T00:00:00",
}


def test_instants_in_every_iso_form_alone_and_mixed(tmp_path: Path):
    for value, expected in INSTANTS.items():
        assert read_as(tmp_path, "CreatedDate", [value, ""]) == [at(expected), None], value
    assert read_as(tmp_path, "CreatedDate", list(INSTANTS)) == [at(value) for value in INSTANTS.values()]


def test_a_date_in_an_instant_is_midnight_and_said_in_the_row(tmp_path: Path):
    rows = table(
        "Id,CreatedDate,LastModifiedDate",
        "1,2020-05-21,2020-05-22",
        "2,2020-05-21T00:00:00Z,2020-05-22",
        "3,,2020-05-22T10:00:00Z",
        "4,2020-05-21,",
    )
    made = staged(folder(tmp_path, Lead=rows))
    assert made.values("Lead", "_date_only") == [
        ",CreatedDate,LastModifiedDate,", ",LastModifiedDate,", None, ",CreatedDate,",
    ]  # fmt: skip
    assert made.values("Lead", "CreatedDate") == [at("2020-05-21"), at("2020-05-21"), None, at("2020-05-21")]
    only_days = column(tmp_path, "CreatedDate", ["2020-05-21", ""])
    assert only_days.values("Opportunity", "_date_only") == [",CreatedDate,", None]


def test_instants_without_a_zone_are_utc_unless_declared(tmp_path: Path):
    values = ["2024-07-01 12:00:00", "2024-01-01 12:00:00"]
    made = column(tmp_path, "CreatedDate", values)
    assert made.values("Opportunity", "CreatedDate") == [at("2024-07-01T12:00"), at("2024-01-01T12:00")]
    assert "without a zone were read as UTC: CreatedDate" in " ".join(made.account("Opportunity.csv").notes)
    made = column(tmp_path, "CreatedDate", [*values, "2024-07-01T12:00:00Z", "2024-07-01"], timezone="Europe/Berlin")
    assert made.values("Opportunity", "CreatedDate") == [
        at("2024-07-01T10:00"), at("2024-01-01T11:00"), at("2024-07-01T12:00"), at("2024-07-01T00:00"),
    ]  # fmt: skip
    assert "read as Europe/Berlin" in " ".join(made.account("Opportunity.csv").notes)
    with pytest.raises(SourceError, match=r"no time zone 'Europe/Berlim'.*Europe/Berlin"):
        column(tmp_path, "CreatedDate", values, timezone="Europe/Berlim")


def test_dates(tmp_path: Path):
    good = {
        "2020-05-21": dt.date(2020, 5, 21),
        "2020-05-21 00:00:00": dt.date(2020, 5, 21),
        "2020-5-1": dt.date(2020, 5, 1),
        "2020/05/21": dt.date(2020, 5, 21),
        "": None,
    }
    for value, expected in good.items():
        assert read_as(tmp_path, "CloseDate", [value, ""]) == [expected, None], value
    assert read_as(tmp_path, "CloseDate", list(good)) == list(good.values())
    bad = [
        "2020-02-30",
        "2020-13-01",
        "x",
        "infinity",
        "epoch",
        "2020-05-21 25:00",
        "20200521",
        "2020-05-21Z",
        "0000-01-01",
    ]
    for value in bad:
        assert wrong(tmp_path, "CloseDate", ["2020-05-21", value]) == [value]
    assert wrong(tmp_path, "CloseDate", ["2020-05-21", *bad]) == bad
    made = column(tmp_path, "CloseDate", ["2020-05-21 13:45:00", "2020-05-21T23:00:00.000Z"])
    assert made.values("Opportunity", "CloseDate") == [dt.date(2020, 5, 21)] * 2
    assert "2 values of CloseDate had a time of day" in " ".join(made.account("Opportunity.csv").notes)


ORDERED = {
    "mdy": {
        "02/23/26 08:55 PM": "2026-02-23T20:55",
        "2/3/2024": "2024-02-03",
        "12/31/1999 12:00 am": "1999-12-31T00:00",
        "12/31/68 12:30 PM": "2068-12-31T12:30",
        "12/31/69": "1969-12-31",
        "02-03-2024, 23:59:58": "2024-02-03T23:59:58",
    },
    "dmy": {"23.02.2026": "2026-02-23", "3/2/2024 8:05": "2024-02-03T08:05", "23.02.2026 20:55": "2026-02-23T20:55"},
    "ymd": {"24/02/03": "2024-02-03", "2024-02-03": "2024-02-03"},
}


@pytest.mark.parametrize("order", sorted(ORDERED))
def test_dates_in_a_declared_order(tmp_path: Path, order: str):
    values = ORDERED[order] | {"2020-05-21": "2020-05-21", "2020-05-21T10:00:00Z": "2020-05-21T10:00"}
    expected = [at(value) for value in values.values()]
    assert read_as(tmp_path, "CreatedDate", list(values), date_order=order) == expected
    assert read_as(tmp_path, "CloseDate", list(values), date_order=order) == [one.date() for one in expected]


def test_values_that_contradict_the_declared_order_are_rejected(tmp_path: Path):
    values = ["02/23/26", "23/02/26", "02/30/26", "2/3/26 13:00 PM", "2/3/26 25:00", "2/3/026", "2/3.26"]
    assert wrong(tmp_path, "CreatedDate", values, date_order="mdy") == values[1:]
    assert wrong(tmp_path, "CreatedDate", values[:2], date_order="dmy") == ["02/23/26"]


@pytest.mark.parametrize(
    "value", ["02/03/26", "2/23/2026", "23.02.2026", "23-02-2026", "02/23/26 08:55 PM", "26/02/23"]
)
def test_dates_of_undeclared_order_are_refused_with_the_option(tmp_path: Path, value: str):
    for name in ("CloseDate", "CreatedDate"):
        with pytest.raises(AmbiguousDatesError, match=r"Opportunity.csv.*--date-order mdy, dmy or ymd") as caught:
            column(tmp_path, name, ["2020-05-21", value])
        assert name in str(caught.value)
        assert repr(value) in str(caught.value)
    assert not list(tmp_path.glob("**/rejected/*"))


def test_unknown_columns_of_dates_become_iso_text(tmp_path: Path):
    same = ["2020-05-21", "2020-05-21T17:39:24Z", ""]
    made = column(tmp_path, "Signed__c", [*same, "2020-05-21 17:39:24", "2020-05-21T17:39:24.120+02:00"])
    assert made.values("Opportunity", "Signed__c") == [
        "2020-05-21", "2020-05-21T17:39:24Z", None, "2020-05-21T17:39:24Z", "2020-05-21T15:39:24.12Z",
    ]  # fmt: skip
    assert made.object("Opportunity").columns["Signed__c"] == "text"
    assert "written as ISO text: Signed__c" in " ".join(made.account("Opportunity.csv").notes)
    made = column(tmp_path, "Signed__c", ["02/23/26 08:55 PM", "2/3/24"], date_order="mdy")
    assert made.values("Opportunity", "Signed__c") == ["2026-02-23T20:55:00Z", "2024-02-03"]
    made = column(tmp_path, "Signed__c", ["2024-07-01 12:00:00"], timezone="Europe/Berlin")
    assert made.values("Opportunity", "Signed__c") == ["2024-07-01T10:00:00Z"]


@pytest.mark.parametrize(
    "values",
    [
        ["02/23/26", "2/3/24"],
        ["2020-05-21", "soon"],
        ["2020-05-21 maybe"],
        ["12", "13"],
        ["2020-05-21", "2020-02-30"],
        ["2020-05-21", "0000-01-01"],
    ],
)
def test_other_unknown_columns_stay_as_they_are(tmp_path: Path, values: list[str]):
    assert read_as(tmp_path, "Signed__c", values) == values


def test_unknown_dates_that_a_weekly_export_writes_with_midnight_are_dates(tmp_path: Path):
    days = ["2020-05-21 00:00:00", "2020-05-22 00:00:00"]
    assert read_as(tmp_path, "Signed__c", days) == ["2020-05-21", "2020-05-22"]
    assert read_as(tmp_path, "Signed__c", [*days, "2020-05-22 10:00:00"]) == [
        "2020-05-21T00:00:00Z", "2020-05-22T00:00:00Z", "2020-05-22T10:00:00Z",
    ]  # fmt: skip


def test_what_a_column_is_holds_for_all_files_of_an_object(tmp_path: Path):
    first = table("Id,Signed__c", "1,2020-05-21 00:00:00", "2,2020-05-22 00:00:00")
    second = table("Id,Signed__c,Extra", "3,not yet,x")
    made = staged(folder(tmp_path, Lead_1=first, Lead_2=second), extracted_at=STAMP)
    assert made.values("Lead", "Signed__c") == ["2020-05-21 00:00:00", "2020-05-22 00:00:00", "not yet"]
    assert made.values("Lead", "Extra") == [None, None, "x"]


def test_a_stamp_of_the_settings_must_be_readable(tmp_path: Path):
    funnel = {"b2b": {"stages": [{"name": "MQL", "from": [{"object": "Lead", "field": "MQL_Date__c", "stamp": True}]}]}}
    path = folder(tmp_path, Lead=table("Id,MQL_Date__c", "1,02/03/24"))
    with pytest.raises(AmbiguousDatesError, match="MQL_Date__c"):
        staged(path, {"funnel": funnel}, extracted_at=STAMP)
    path = folder(tmp_path, Lead=table("Id,MQL_Date__c", "1,2024-02-03", "2,soon"))
    made = staged(path, {"funnel": funnel}, extracted_at=STAMP)
    assert made.values("Lead", "MQL_Date__c") == ["2024-02-03", "soon"]
    assert "not all values are dates: MQL_Date__c" in " ".join(made.account("Lead.csv").notes)


def test_several_wrong_values_in_a_row_are_one_rejected_row(tmp_path: Path):
    rows = table("Id,Amount,CloseDate,IsWon", "1,x,y,1", "2,5,2020-01-01,1", ",5,2020-01-01,0")
    made = staged(folder(tmp_path, Opportunity=rows), extracted_at=STAMP)
    assert made.values("Opportunity", "Id") == ["2"]
    first, second = made.rejects("Opportunity.csv")
    assert first["column"] == "Amount; CloseDate"
    assert first["reason"] == "'x' is no number; 'y' is no date"
    assert first["text"] == "1,x,y,1"
    assert (second["line"], second["reason"]) == ("4", "no Id")


def test_the_line_of_a_wrong_value_counts_lines_inside_cells(tmp_path: Path):
    rows = 'Id,Name,Amount\n1,"a\nb\r\nc",5\n\n2,"d\ne",x\n3,,y\n'
    made = staged(folder(tmp_path, Opportunity=rows), extracted_at=STAMP)
    assert [(one["line"], one["text"]) for one in made.rejects("Opportunity.csv")] == [
        ("6", '2,"d\ne",x'), ("8", "3,,y"),
    ]  # fmt: skip


def test_text_is_kept_to_the_character(tmp_path: Path):
    values = ["  two  ", "NULL", "NA", "null", "\ufeffmark", "tab\there", 'quote"', "Ä\u0308", "0123", "1e5", "true"]
    assert read_as(tmp_path, "Name", values) == values
    assert read_as(tmp_path, "Custom__c", values) == values


@pytest.mark.parametrize(
    ("values", "orders"),
    [
        (["02/24/26"], ["mdy"]),
        (["24.02.2026", "01.02.2026"], ["dmy"]),
        (["31-12-11"], ["ymd", "dmy"]),
        (["29.02.2023"], ["dmy"]),
        (["02/03/2024"], ["dmy", "mdy"]),
        (["02/24/26", "24/02/26"], []),
    ],
)
def test_orders_that_read_every_example(values: list[str], orders: list[str]):
    assert dates_in.orders_that_read(values) == orders


def test_the_only_order_that_reads_the_dates_is_named(tmp_path: Path):
    path = folder(tmp_path, Opportunity=table("Id,CloseDate", "0061,02/24/26"))
    with pytest.raises(AmbiguousDatesError, match="Only mdy reads these"):
        staged(path)
