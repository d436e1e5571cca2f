"""Watches what a running script does to the database, whatever it knows of us."""
