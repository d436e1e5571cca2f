"""Rows for scratch databases: a few that fit two schemas, many, or some of the target's."""
