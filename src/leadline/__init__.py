"""Leadline: marketing performance measurement on Salesforce data."""
