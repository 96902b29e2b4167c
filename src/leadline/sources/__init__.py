"""Everything that yields Salesforce records: files, exports and, later, orgs and warehouses."""
