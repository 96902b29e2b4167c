"""Identities that hold on any org, shown on random ones."""
