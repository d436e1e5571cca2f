#!/usr/bin/env python3
"""
Migration 001: add the column `car_number` to `orders`, with an index.

Why: mechanics know a car by its number plate, and look for its orders by it. Until now an order could only be found
by its VIN, which hardly anybody types.

The column is nullable: orders that exist have no plate, and the release that is running writes none.
"""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from sqlalchemy import Column, String

from app import app, db
from nonstop import op, run_script


def apply():
    """Add the column, then the index that searches by plate use."""
    with app.app_context():
        op.add_column("orders", Column("car_number", String(20), nullable=True))
        op.create_index("idx_orders_car_number", "orders", ["car_number"])
        print("orders.car_number and idx_orders_car_number are in place.")
        return True


def rollback():
    """Remove the index and the column."""
    with app.app_context():
        op.drop_index("idx_orders_car_number", "orders")
        op.drop_column("orders", "car_number")
        print("orders.car_number and idx_orders_car_number are gone.")
        return True


if __name__ == "__main__":
    run_script(__file__)
