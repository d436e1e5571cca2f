"""Adapters to frameworks; nothing else of nonstop imports one."""
