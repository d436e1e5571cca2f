"""Whole scripts to write instead of a refused one, made from what it changes."""
