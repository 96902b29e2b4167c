"""The Salesforce objects and fields Leadline reads: the only list of them.

Names and types come from the platform's own describes (`sobjects/NAME/describe`).
A column of a source that is not listed here is kept as text under its own name.

Kinds of values and what the ledger stores for each:

    id        VARCHAR, 18 characters; the empty lookup 000000000000000AAA is null
    text      VARCHAR
    bool      BOOLEAN
    integer   BIGINT
    number    DOUBLE
    decimal   DECIMAL(28, 8), money in major units
    rate      DECIMAL(28, 12), units of a currency per unit of the corporate currency
    date      DATE, a calendar date in the reporting zone, never shifted
    datetime  TIMESTAMP, UTC without zone; where a file gave a date only, midnight, and the
              field's name stands in the row's `_date_only` list, e.g. ",CreatedDate,"
"""

from __future__ import annotations

from typing import Final, Literal

Kind = Literal["id", "text", "bool", "integer", "number", "decimal", "rate", "date", "datetime"]

DATE_ONLY: Final = "_date_only"
"""Column of every object: comma-framed names of its datetime fields that held only a date."""

SYSTEM_STAMPS: Final = frozenset({"SystemModstamp", "LastModifiedDate", "LastModifiedById"})
"""Fields that move without a change of meaning; they do not make a new version."""


def _object(**fields: str) -> dict[str, Kind]:
    return {name: kind for kind, names in fields.items() for name in names.split()}  # type: ignore[misc]


OBJECTS: Final[dict[str, dict[str, Kind]]] = {
    "Organization": _object(
        id="Id",
        text="Name TimeZoneSidKey OrganizationType InstanceName",
        integer="FiscalYearStartMonth",
        bool="IsSandbox",
        datetime="CreatedDate SystemModstamp",
    ),
    "User": _object(
        id="Id UserRoleId ProfileId ManagerId",
        text="Username FirstName LastName Name Email UserType Department",
        bool="IsActive",
        datetime="CreatedDate LastModifiedDate SystemModstamp",
    ),
    "Account": _object(
        id="Id MasterRecordId RecordTypeId ParentId OwnerId CreatedById",
        bool="IsDeleted",
        text="Name Type Industry BillingCountry BillingState BillingCity Website Rating AccountSource CurrencyIsoCode",
        decimal="AnnualRevenue",
        integer="NumberOfEmployees",
        datetime="CreatedDate LastModifiedDate SystemModstamp",
    ),
    "Contact": _object(
        id="Id MasterRecordId AccountId OwnerId RecordTypeId CreatedById",
        bool="IsDeleted",
        text="FirstName LastName Name Title Email LeadSource MailingCountry CurrencyIsoCode",
        datetime="CreatedDate LastModifiedDate SystemModstamp",
    ),
    "Lead": _object(
        id="Id MasterRecordId OwnerId RecordTypeId ConvertedAccountId ConvertedContactId ConvertedOpportunityId CreatedById",
        bool="IsDeleted IsConverted",
        text="FirstName LastName Name Title Company Email Website LeadSource Status Industry Rating Country CurrencyIsoCode",
        decimal="AnnualRevenue",
        integer="NumberOfEmployees",
        date="ConvertedDate",
        datetime="CreatedDate LastModifiedDate SystemModstamp",
    ),
    "Campaign": _object(
        id="Id ParentId OwnerId RecordTypeId CreatedById",
        bool="IsDeleted IsActive",
        text="Name Type Status CurrencyIsoCode",
        date="StartDate EndDate",
        decimal="ExpectedRevenue BudgetedCost ActualCost",
        number="NumberSent",
        datetime="CreatedDate LastModifiedDate SystemModstamp",
    ),
    "CampaignMember": _object(
        id="Id CampaignId LeadId ContactId RecordTypeId CreatedById LastModifiedById",
        bool="IsDeleted HasResponded",
        text="Status CurrencyIsoCode Type",
        date="FirstRespondedDate",
        datetime="CreatedDate LastModifiedDate SystemModstamp",
    ),
    "CampaignMemberStatus": _object(
        id="Id CampaignId",
        bool="IsDeleted IsDefault HasResponded",
        text="Label",
        integer="SortOrder",
        datetime="CreatedDate LastModifiedDate SystemModstamp",
    ),
    "Opportunity": _object(
        id="Id AccountId CampaignId ContactId OwnerId RecordTypeId CreatedById",
        bool="IsDeleted IsClosed IsWon",
        text="Name StageName Type LeadSource ForecastCategory ForecastCategoryName CurrencyIsoCode",
        decimal="Amount ExpectedRevenue",
        number="Probability",
        date="CloseDate",
        datetime="LastStageChangeDate CreatedDate LastModifiedDate SystemModstamp",
        integer="PushCount",
    ),
    "OpportunityContactRole": _object(
        id="Id OpportunityId ContactId CreatedById",
        bool="IsDeleted IsPrimary",
        text="Role",
        datetime="CreatedDate LastModifiedDate SystemModstamp",
    ),
    "OpportunityHistory": _object(
        id="Id OpportunityId CreatedById",
        bool="IsDeleted",
        datetime="CreatedDate SystemModstamp",
        text="StageName ForecastCategory CurrencyIsoCode",
        decimal="Amount ExpectedRevenue PrevAmount",
        date="CloseDate PrevCloseDate",
        number="Probability",
    ),
    "OpportunityFieldHistory": _object(
        id="Id OpportunityId CreatedById",
        bool="IsDeleted",
        datetime="CreatedDate",
        text="Field DataType OldValue NewValue",
    ),
    "LeadHistory": _object(
        id="Id LeadId CreatedById",
        bool="IsDeleted",
        datetime="CreatedDate",
        text="Field DataType OldValue NewValue",
    ),
    "ContactHistory": _object(
        id="Id ContactId CreatedById",
        bool="IsDeleted",
        datetime="CreatedDate",
        text="Field DataType OldValue NewValue",
    ),
    "AccountHistory": _object(
        id="Id AccountId CreatedById",
        bool="IsDeleted",
        datetime="CreatedDate",
        text="Field DataType OldValue NewValue",
    ),
    "CampaignHistory": _object(
        id="Id CampaignId CreatedById",
        bool="IsDeleted",
        datetime="CreatedDate",
        text="Field DataType OldValue NewValue",
    ),
    "OpportunityStage": _object(
        id="Id",
        text="MasterLabel ApiName",
        bool="IsActive IsClosed IsWon",
        integer="SortOrder",
        number="DefaultProbability",
        datetime="SystemModstamp",
    ),
    "LeadStatus": _object(
        id="Id",
        text="MasterLabel ApiName",
        integer="SortOrder",
        bool="IsDefault IsConverted",
        datetime="SystemModstamp",
    ),
    "CurrencyType": _object(
        id="Id",
        text="IsoCode",
        rate="ConversionRate",
        integer="DecimalPlaces",
        bool="IsActive IsCorporate",
        datetime="SystemModstamp",
    ),
    "DatedConversionRate": _object(
        id="Id",
        text="IsoCode",
        date="StartDate NextStartDate",
        rate="ConversionRate",
        datetime="SystemModstamp",
    ),
    "CampaignInfluence": _object(
        id="Id OpportunityId CampaignId ContactId ModelId CampaignMemberId OpportunityContactRoleId",
        bool="IsDeleted",
        number="Influence",
        decimal="RevenueShare",
        text="CurrencyIsoCode",
        datetime="CreatedDate LastModifiedDate SystemModstamp",
    ),
    "CampaignInfluenceModel": _object(
        id="Id",
        bool="IsDeleted IsDefaultModel IsModelLocked IsActive",
        text="DeveloperName MasterLabel ModelType",
        datetime="SystemModstamp",
    ),
    "OpportunityLineItem": _object(
        id="Id OpportunityId Product2Id PricebookEntryId CreatedById",
        bool="IsDeleted",
        text="Name ProductCode CurrencyIsoCode",
        number="Quantity",
        decimal="UnitPrice TotalPrice",
        date="ServiceDate",
        datetime="CreatedDate LastModifiedDate SystemModstamp",
    ),
    "Product2": _object(
        id="Id",
        bool="IsDeleted IsActive",
        text="Name ProductCode Family CurrencyIsoCode",
        datetime="CreatedDate LastModifiedDate SystemModstamp",
    ),
    "RecordType": _object(
        id="Id",
        text="Name DeveloperName SobjectType",
        bool="IsActive",
        datetime="SystemModstamp",
    ),
    "Task": _object(
        id="Id WhoId WhatId OwnerId AccountId CreatedById",
        bool="IsDeleted IsClosed",
        text="Subject Status TaskSubtype",
        date="ActivityDate",
        datetime="CompletedDateTime CreatedDate LastModifiedDate SystemModstamp",
    ),
    "Event": _object(
        id="Id WhoId WhatId OwnerId AccountId CreatedById",
        bool="IsDeleted",
        text="Subject",
        datetime="ActivityDateTime StartDateTime EndDateTime CreatedDate LastModifiedDate SystemModstamp",
        date="ActivityDate",
    ),
}

HISTORY_PARENT: Final[dict[str, tuple[str, str]]] = {
    "LeadHistory": ("Lead", "LeadId"),
    "ContactHistory": ("Contact", "ContactId"),
    "AccountHistory": ("Account", "AccountId"),
    "CampaignHistory": ("Campaign", "CampaignId"),
    "OpportunityFieldHistory": ("Opportunity", "OpportunityId"),
    "OpportunityHistory": ("Opportunity", "OpportunityId"),
}
"""Append-only history objects: the object they tell of and the column that points at it."""

VERSIONED: Final = frozenset(
    {"Lead", "Contact", "Account", "Campaign", "CampaignMember", "Opportunity", "OpportunityContactRole"}
)
"""Objects whose changes between loads are kept as versions; of the others the newest state is kept."""
