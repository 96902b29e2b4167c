"""Arrays in, arrays out: estimators that know nothing of Salesforce, files or engines."""
