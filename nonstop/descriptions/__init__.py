"""Frozen descriptions: what scripts, ledger rows, operations and results look like. Nothing here touches a database."""
