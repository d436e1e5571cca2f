#!/usr/bin/env python3
"""
Migration 002: create the tables `categories` and `parts`.

Why: what can be ordered has been written into the application so far. With a catalogue in the database the workshop
can change it, in Russian, Hebrew and English, without a new release.

A part belongs to one category and goes when its category goes. The columns that are never empty have a default in the
database, so that plain SQL can fill the tables.
"""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from sqlalchemy import Boolean, Column, DateTime, ForeignKeyConstraint, Integer, String, false, text

from app import app, db
from nonstop import op, run_script


def apply():
    """Create categories, then parts, which point at them, then the index that the foreign key needs."""
    with app.app_context():
        op.create_table(
            "categories",
            Column("id", Integer, primary_key=True),
            Column("name_ru", String(120), nullable=False),
            Column("name_he", String(120)),
            Column("name_en", String(120)),
            Column("icon", String(10)),
            Column("sort_order", Integer, nullable=False, server_default=text("0")),
            Column(
                "created_at",
                DateTime(timezone=True),
                nullable=False,
                server_default=text("CURRENT_TIMESTAMP"),
            ),
        )
        op.create_table(
            "parts",
            Column("id", Integer, primary_key=True),
            Column("category_id", Integer, nullable=False),
            Column("name_ru", String(200), nullable=False),
            Column("name_he", String(200)),
            Column("name_en", String(200)),
            Column("is_common", Boolean, nullable=False, server_default=false()),
            Column("sort_order", Integer, nullable=False, server_default=text("0")),
            Column(
                "created_at",
                DateTime(timezone=True),
                nullable=False,
                server_default=text("CURRENT_TIMESTAMP"),
            ),
            ForeignKeyConstraint(
                ["category_id"], ["categories.id"], name="fk_parts_category_id_categories", ondelete="CASCADE"
            ),
        )
        op.create_index("idx_parts_category_id", "parts", ["category_id"])
        print("The tables categories and parts are in place.")
        return True


def rollback():
    """Drop parts first: they point at categories."""
    with app.app_context():
        op.drop_index("idx_parts_category_id", "parts")
        op.drop_table("parts")
        op.drop_table("categories")
        print("The tables categories and parts are gone.")
        return True


if __name__ == "__main__":
    run_script(__file__)
