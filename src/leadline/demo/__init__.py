"""A generated Salesforce org of any size, and the numbers it must yield."""
